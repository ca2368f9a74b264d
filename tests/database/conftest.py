"""Companies for the tests of the database, and homes for embedded servers of their own."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.database import postmaster
from tests.cast import Cast, cast, tasks
from tests.database.processes import Start, starter, wait_until
from tests.database.recording import sql


@pytest.fixture
def people(db: Any) -> Cast:
    """Alice, Bob and Audrey of Acme, Carol of Globex."""
    return cast()


@pytest.fixture
def board_with_a_task(people: Cast) -> Cast:
    """WEB-1 of Acme, to do; Globex has a WEB-1, too."""
    tasks(board=people.acme.board, count=1)
    tasks(board=people.globex.board, count=1)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")
    return people


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that an ordinary account can reach, which pytest's own is not; its servers are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="fl-", dir="/tmp", ignore_cleanup_errors=True) as parent:
        Path(parent).chmod(0o755)
        directory = Path(parent) / "home"
        yield directory
        if pid := postmaster.running(data=directory / "postgres"):
            os.kill(pid, signal.SIGQUIT)
            wait_until(lambda: postmaster.running(data=directory / "postgres") is None)


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts processes that run a text of Python on this home; those that still live are killed in the end."""
    with starter(home) as start_one:
        yield start_one
