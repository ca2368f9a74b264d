"""A FLOWLEDGER_HOME of one run: an embedded server that the audits may break."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.database import postmaster

STOP_SECONDS = 30


@contextmanager
def private_home() -> Iterator[Path]:
    """An empty home that the environment names while it lasts. Its server and all that it holds are gone afterwards."""
    parent = Path(tempfile.mkdtemp(prefix="fl-audit-", dir="/tmp"))
    # The server's account must get through.
    parent.chmod(0o755)
    home = parent / "home"
    for name in ("DATABASE_URL", "DATABASE_WEB_URL"):
        os.environ.pop(name, None)
    os.environ["FLOWLEDGER_HOME"] = str(home)
    try:
        yield home
    finally:
        _stop_server(home)
        shutil.rmtree(parent, ignore_errors=True)


def kill_server(home: Path) -> int:
    """kill -9 of the postmaster and of all its processes, and how many those were."""
    pid = postmaster.running(data=home / "postgres")
    if pid is None:
        return 0
    family = [pid, *_children(pid)]
    for each in family:
        _kill(each, signal.SIGKILL)
    return len(family)


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def _kill(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


def _stop_server(home: Path) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while (pid := postmaster.running(data=home / "postgres")) and time.monotonic() < deadline:
        _kill(pid, signal.SIGQUIT)
        time.sleep(0.2)
