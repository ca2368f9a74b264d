"""The embedded server with real processes: when it starts and stops, what it survives, what it says when it cannot.

These tests start servers of their own in directories of their own. They need no test database.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from config.database import locks, postmaster
from tests.processes import HOLD, PATIENCE, PROJECT, Start, answers, first_line, run_django, wait_until

pytestmark = pytest.mark.own_server

# Longer than the janitor's grace and a stop together: what still answers after it was not stopped.
LONGER_THAN_A_STOP = 1.8

HOLD_IN_A_FORK = """
import os, sys
from pathlib import Path
from config.database.embedded import ensure
sockets = ensure(home=Path(sys.argv[1]))
if child := os.fork():
    print(sockets, child, flush=True)
else:
    sys.stdin.read()
"""
ENSURE_AT_EVERY_LINE = """
import sys
from pathlib import Path
from config.database.embedded import EmbeddedServerError, ensure
for line in sys.stdin:
    try:
        print(ensure(home=Path(sys.argv[1])), flush=True)
    except EmbeddedServerError as error:
        print("ERROR", error, flush=True)
"""


def _ask_to_ensure(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return first_line(process)


def _stranger(home: Path) -> subprocess.Popen[bytes]:
    """A process of the server's account: PostgreSQL itself ignores the number of a process that it may not signal."""
    owner = (home / "postgres").stat().st_uid
    return subprocess.Popen(["sleep", "3600"], user=owner if os.geteuid() == 0 else None)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_eight_cold_starts_at_once_share_one_server_until_the_last_is_killed(home: Path, start: Start) -> None:
    """One server for all; it outlives seven of eight, and nobody needs to say that the eighth is gone."""
    holders = [start(HOLD) for _ in range(8)]
    assert {first_line(holder) for holder in holders} == {str(home / "run")}
    server = postmaster.running(data=home / "postgres")
    assert server is not None
    for holder in holders[:7]:
        holder.kill()
    time.sleep(LONGER_THAN_A_STOP)
    assert postmaster.running(data=home / "postgres") == server
    assert answers(str(home / "run"))
    holders[7].kill()
    wait_until(lambda: postmaster.running(data=home / "postgres") is None)
    log = home / "postgres" / "server.log"
    wait_until(lambda: "database system is shut down" in log.read_text())
    assert not list(home.glob("initdb-*"))


def test_a_fork_whose_parent_left_keeps_the_server(home: Path, start: Start) -> None:
    """A pre-forking web server may leave its workers behind."""
    parent = start(HOLD_IN_A_FORK)
    sockets, child = first_line(parent).rsplit(" ", 1)
    parent.wait(timeout=PATIENCE)
    time.sleep(LONGER_THAN_A_STOP)
    try:
        assert answers(sockets)
    finally:
        _kill(int(child))
    wait_until(lambda: not answers(sockets))


def test_a_user_who_comes_while_the_server_stops_gets_it_started_again(home: Path, start: Start) -> None:
    """Comings and goings at every moment of the grace and of the stop: whoever ensured has a server."""
    for pause in (1.0, 1.1):
        holder = start(HOLD)
        sockets = first_line(holder)
        assert answers(sockets)
        holder.kill()
        holder.wait()
        time.sleep(pause)
    last = start(HOLD)
    sockets = first_line(last)
    time.sleep(LONGER_THAN_A_STOP)
    assert answers(sockets)


def test_the_next_connection_starts_a_killed_server_again(start: Start, home: Path) -> None:
    """kill -9 of the server: what was committed is there, for who saw it die and for who comes later."""
    steps = """
make_role(); migrate()
with connection.owner_login():
    ask("CREATE TABLE kept AS SELECT 42 AS answer"); ask("GRANT SELECT ON kept TO fl_app")
from config.database import locks, postmaster
data = Path(os.environ["FLOWLEDGER_HOME"]) / "postgres"
before = postmaster.running(data=data)
ask("SELECT 1")
os.kill(before, 9)
broken = False
while not broken:
    try:
        ask("SELECT 1")
    except OperationalError:
        broken = True
connection.close()
answer = ask("SELECT answer FROM kept")
os.kill(postmaster.running(data=data), 9)
print(json.dumps([broken, answer, postmaster.running(data=data) != before]))
"""
    assert run_django(start, steps, FLOWLEDGER_HOME=str(home)) == [True, [42], True]
    assert answers(first_line(start(HOLD)))


def test_lock_files_that_name_a_stranger_do_not_prevent_the_start(home: Path, start: Start) -> None:
    """After a crash of the machine the pid of the dead server may belong to anybody. The stranger is left in peace."""
    holder = start(HOLD)
    sockets = first_line(holder)
    left = (home / "postgres" / "postmaster.pid").read_text().partition("\n")[2]
    holder.kill()
    # Until pg_ctl has seen that the server is gone, it would take what is written here for the server, and wait for its end.
    wait_until(lambda: not locks.is_held(path=home / "janitor.lock"))
    stranger = _stranger(home)
    try:
        for lock_file in (home / "postgres" / "postmaster.pid", home / "run" / ".s.PGSQL.5432.lock"):
            lock_file.write_text(f"{stranger.pid}\n{left}")
        again = start(HOLD)
        assert first_line(again) == sockets
        assert answers(sockets)
        again.kill()
        wait_until(lambda: postmaster.running(data=home / "postgres") is None)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_janitor_signals_no_stranger(home: Path, start: Start) -> None:
    """A server killed under its users, whose number is given to somebody else before they leave."""
    holder = start(HOLD)
    first_line(holder)
    server = postmaster.running(data=home / "postgres")
    assert server is not None
    stranger = _stranger(home)
    try:
        _kill(server)
        pid_file = home / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n" + pid_file.read_text().partition("\n")[2])
        holder.kill()
        time.sleep(LONGER_THAN_A_STOP)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_any_directory_will_do(home: Path, start: Start) -> None:
    """A socket's address has some hundred bytes, a shell and libpq have characters of their own."""
    names = ("x" * 130, "it's $HOME; a `home`", "a,b")
    directories = [home.parent / name for name in names]
    holders = [start(HOLD, on=directory) for directory in directories]
    long, shell, comma = (first_line(holder) for holder in holders)
    try:
        assert (long.rsplit("-", 1)[0], comma.rsplit("-", 1)[0]) == (f"/tmp/flowledger-{Path(long).stat().st_uid}",) * 2
        assert shell == str(directories[1] / "run")
        assert [answers(sockets) for sockets in (long, shell, comma)] == [True] * 3
        assert {Path(sockets).stat().st_mode & 0o777 for sockets in (long, shell, comma)} == {0o700}
        for holder in holders:
            holder.kill()
        wait_until(lambda: not any(postmaster.running(data=directory / "postgres") for directory in directories))
    finally:
        shutil.rmtree(long)
        shutil.rmtree(comma)


def test_a_home_that_was_deleted_is_made_again(home: Path, start: Start) -> None:
    """`rm -r var` under running processes: who comes next makes it anew, and the old janitor harms nobody."""
    first, second = start(ENSURE_AT_EVERY_LINE), start(HOLD)
    sockets = _ask_to_ensure(first)
    old = postmaster.running(data=home / "postgres")
    assert first_line(second) == sockets
    assert old is not None
    shutil.rmtree(home)
    third = start(HOLD)
    assert first_line(third) == sockets
    assert _ask_to_ensure(first) == sockets
    _kill(old)
    second.kill()
    third.kill()
    time.sleep(LONGER_THAN_A_STOP)
    assert answers(sockets)


def _python_for(user: str) -> str:
    """An interpreter that this user may run, with what this project needs."""
    for python in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            environment = {"PYTHONPATH": _paths()}
            command = [python, "-c", "import config.database.embedded"]
            if (
                subprocess.run(
                    command, cwd="/", env=environment, user=user, extra_groups=[], capture_output=True, check=False
                ).returncode
                == 0
            ):
                return python
    pytest.skip(f"no interpreter here that {user} may run")


def _paths() -> str:
    return os.pathsep.join([str(PROJECT), *(path for path in sys.path if path.endswith("site-packages"))])


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become another user; as an ordinary user every test here is this one"
)
def test_an_ordinary_user_owns_its_server_and_no_other_user_gets_in(home: Path, start: Start) -> None:
    """The server runs as its first user; another is told whose it is, and root uses it without taking it over."""
    python, uid = _python_for("nobody"), pwd.getpwnam("nobody").pw_uid
    os.chown(home.parent, uid, -1)
    as_nobody: dict[str, Any] = {"user": "nobody", "env": {"PYTHONPATH": _paths()}, "python": python}
    holder = start(HOLD, **as_nobody)
    sockets = first_line(holder)
    assert (home / "postgres").stat().st_uid == uid
    other = start(ENSURE_AT_EVERY_LINE, **{**as_nobody, "user": "daemon"})
    assert _ask_to_ensure(other).startswith(
        f"ERROR {home}/postgres belongs to another user (nobody): run as that user,"
    )
    elsewhere = start(ENSURE_AT_EVERY_LINE, **{**as_nobody, "user": "daemon", "on": home.parent / "new"})
    refused = f"ERROR The embedded PostgreSQL in {home.parent}/new cannot be used: [Errno 13] Permission denied"
    assert _ask_to_ensure(elsewhere).startswith(refused)
    root = start(HOLD)
    assert first_line(root) == sockets
    holder.kill()
    other.kill()
    time.sleep(LONGER_THAN_A_STOP)
    assert answers(sockets)
    root.kill()
    wait_until(lambda: postmaster.running(data=home / "postgres") is None)
    assert first_line(start(HOLD, **as_nobody)) == sockets


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user needs no permissions for another account")
def test_root_opens_only_the_way_and_says_so(home: Path, start: Start) -> None:
    """PostgreSQL refuses root: an ordinary account must reach the data, and root hears which directories changed."""
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    holder = start(HOLD, on=closed / "home")
    first_line(holder)
    assert closed.stat().st_mode & 0o777 == 0o701
    holder.kill()
    assert f"chmod o+x {closed} (the embedded PostgreSQL runs as postgres)" in holder.communicate()[1]
    wait_until(lambda: postmaster.running(data=closed / "home" / "postgres") is None)


def test_what_prevents_the_start_is_one_sentence(home: Path, start: Start) -> None:
    """A home that is a file, a full disk, data of another version: each says where, what, and what to do."""
    home.write_text("")
    process = start(ENSURE_AT_EVERY_LINE)
    said = _ask_to_ensure(process)
    assert said.startswith(f"ERROR The embedded PostgreSQL in {home} cannot be used: [Errno 17] File exists:")
    assert said.endswith("Correct this, set FLOWLEDGER_HOME to another directory, or set DATABASE_URL.")
    home.unlink()
    full = start(
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n" + ENSURE_AT_EVERY_LINE
    )
    assert f"ERROR The embedded PostgreSQL in {home}/postgres did not start; correct what it says" in _ask_to_ensure(
        full
    )
    assert not (home / "postgres").exists()
    assert not list(home.glob("initdb-*"))
    assert _ask_to_ensure(process) == str(home / "run")
    full.kill()
    process.kill()
    wait_until(lambda: postmaster.running(data=home / "postgres") is None)
    (home / "postgres" / "PG_VERSION").write_text("12\n")
    said = _ask_to_ensure(start(ENSURE_AT_EVERY_LINE))
    assert "initialized by PostgreSQL version 12, which is not compatible with this version 18" in said
