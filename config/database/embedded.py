"""Starts the embedded PostgreSQL of a home directory, once for all who use it.

1. Hold HOME/users.lock shared for the process's life, its forks' too: that is the count of users.
2. Hold HOME/start.lock alone for the next steps: one user at a time looks and starts.
3. Start the janitor, which stops the server when nobody holds users.lock any more.
4. Make the data directory, start the server, create the database: each only when it is not there.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from config.database import account as accounts
from config.database import locks, postmaster
from config.database.failure import EmbeddedServerError
from config.database.installation import PORT, Installation, installation

__all__ = ["DATABASE", "OWNER", "EmbeddedServerError", "ensure"]

OWNER = "fl_owner"
DATABASE = "flowledger"
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "autovacuum_naptime": "1s",
}
_INITDB_OPTIONS = (
    f"--username={OWNER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
_LOG = "server.log"
_LOG_LIMIT = 10_000_000
_LOG_LINES_SHOWN = 5
_START_SECONDS = 60
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.25
# What PostgreSQL says while remains of a killed server are still going away.
_PASSING_TROUBLES = ("already exists", "still in use")
_PROJECT = Path(__file__).resolve().parents[2]

_FIND_DATABASE = "/* config.find_database */ SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s"
_CREATE_DATABASE = f"/* config.create_database */ CREATE DATABASE {DATABASE} TEMPLATE template0"

# What this process holds and knows, by home. A fork inherits both, and the lock behind the descriptor with them.
_users: dict[Path, int] = {}
_known: dict[Path, Installation] = {}


def ensure(*, home: Path) -> Path:
    """The directory of the socket of this home's server, which is up and has its database.

    Promises that the server stays up as long as this process or a fork of it lives. Cheap when it is up already; starts
    it again when it died. Raises EmbeddedServerError with one sentence when something prevents the start.
    """
    home = home.expanduser().resolve()
    known = _known.get(home)
    if known and _is_user(home) and _ping(known) == Ping.OK:
        return known.sockets
    try:
        server = _ensure_slowly(home)
    except (OSError, subprocess.SubprocessError, psycopg.Error) as error:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL in {home} cannot be used: {error}. "
            "Correct this, set FLOWLEDGER_HOME to another directory, or set DATABASE_URL."
        ) from error
    _known[home] = server
    return server.sockets


def _ensure_slowly(home: Path) -> Installation:
    home.mkdir(parents=True, exist_ok=True)
    _become_user(home)
    with locks.exclusive(path=home / "start.lock"):
        server = installation(home=home)
        # The janitor comes first: were this process killed in between, nobody would stop the server.
        _start_janitor(server)
        _initialise(server)
        _bring_up(server)
        _create_database(server)
    return server


def _is_user(home: Path) -> bool:
    descriptor = _users.get(home)
    return descriptor is not None and locks.is_current(descriptor=descriptor, path=home / "users.lock")


def _become_user(home: Path) -> None:
    if _is_user(home):
        return
    # The lock of a home that was deleted meanwhile: its janitor must not wait for this process.
    if (stale := _users.pop(home, None)) is not None:
        os.close(stale)
    _users[home] = locks.shared(path=home / "users.lock")


def _start_janitor(server: Installation) -> None:
    if locks.is_held(path=server.home / "janitor.lock"):
        return
    account = [str(server.account.uid), str(server.account.gid)] if server.account else []
    arguments = [str(server.home), str(server.data), str(server.programs / "pg_ctl"), *account]
    subprocess.run(  # noqa: S603 - a fixed program, no shell
        [sys.executable, "-E", "-S", "-m", "config.database.janitor", *arguments],
        cwd=_PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )


def _initialise(server: Installation) -> None:
    """Makes the data directory whole or not at all: of a killed initdb the next one removes the remains."""
    if server.data.exists():
        return
    for remains in server.home.glob("initdb-*"):
        shutil.rmtree(remains, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="initdb-", dir=server.home))
    accounts.own(path=draft, account=server.account)
    outcome = _run(server, "initdb", "-D", str(draft), *_INITDB_OPTIONS, directory=draft)
    if outcome.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise _failure(server, told=outcome.stderr)
    draft.rename(server.data)


def _bring_up(server: Installation) -> None:
    deadline = time.monotonic() + _START_SECONDS
    attempts = 0
    while _ping(server) != Ping.OK:
        if (pid := postmaster.running(data=server.data)) is None:
            attempts += 1
            _start(server, last=attempts == _ATTEMPTS)
        elif time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"The embedded PostgreSQL in {server.data} runs (process {pid}) but does not answer "
                f"in {server.sockets}: end that process and try again."
            )
        else:
            time.sleep(_PAUSE_SECONDS)


def _start(server: Installation, *, last: bool) -> None:
    for lock_file in (server.data / "postmaster.pid", server.sockets / f".s.PGSQL.{PORT}.lock"):
        postmaster.forget_stranger(lock_file=lock_file, data=server.data)
    log = server.data / _LOG
    length = _shortened(log)
    arguments = ("start", "-w", "-t", str(_START_SECONDS), "-l", _LOG, "-o", _options(server))
    outcome = _run(server, "pg_ctl", *arguments, directory=server.data)
    if outcome.returncode == 0:
        return
    told = log.read_bytes()[length:].decode(errors="replace") if log.exists() else outcome.stderr
    if last or not any(trouble in told for trouble in _PASSING_TROUBLES):
        raise _failure(server, told=told or outcome.stderr)
    time.sleep(_PAUSE_SECONDS)


def _shortened(log: Path) -> int:
    """The log's length, after setting an overlong one aside."""
    length = log.stat().st_size if log.exists() else 0
    if length < _LOG_LIMIT:
        return length
    log.replace(log.with_suffix(".log.old"))
    return 0


def _options(server: Installation) -> str:
    settings = {**_SETTINGS, "unix_socket_directories": str(server.sockets)}
    words = ["-D", str(server.data)]
    for name, value in settings.items():
        words += ["-c", f"{name}={value}"]
    # pg_ctl hands this to a shell. Its own -D is quoted for no shell, so the directory travels here and in PGDATA.
    return shlex.join(words)


def _run(server: Installation, program: str, *arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    account = server.account
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.run(  # noqa: S603 - the programs of the server, no shell
        [str(server.programs / program), *arguments],
        cwd=directory,
        env={**environment, "LC_ALL": "C", "PGDATA": str(directory)},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        start_new_session=True,
        check=False,
    )


def _failure(server: Installation, *, told: str) -> EmbeddedServerError:
    lines = [line.strip() for line in told.splitlines() if line.strip()][-_LOG_LINES_SHOWN:]
    return EmbeddedServerError(
        f"The embedded PostgreSQL in {server.data} did not start; correct what it says, "
        f"set FLOWLEDGER_HOME to another directory, or set DATABASE_URL. It says: {' | '.join(lines) or 'nothing'}"
    )


def _create_database(server: Installation) -> None:
    with psycopg.connect(_address(server), autocommit=True) as connection:
        if connection.execute(_FIND_DATABASE, [DATABASE]).fetchone() is None:
            connection.execute(_CREATE_DATABASE)


def _ping(server: Installation) -> int:
    return PGconn.ping(_address(server).encode())


def _address(server: Installation) -> str:
    return make_conninfo(host=str(server.sockets), port=PORT, user=OWNER, dbname="postgres", connect_timeout=10)
