"""Restoring a dump on another server: the record goes on there in an epoch of its own, and transaction numbers keep apart."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.tasks_app.private_server import DATABASE, PrivateServer, private_server, programs
from tests.tasks_app.test_plain_owner import MAKE, MOVE

PROGRAMS = programs()["18"]
EPOCHS = "SELECT number, strays <> '{}' FROM record_epoch ORDER BY number"
ROWS = "SELECT epoch, count(*)::int FROM task_ledger GROUP BY epoch ORDER BY epoch"
BURN = "DO $$ BEGIN FOR i IN 1..3000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$"

pytestmark = pytest.mark.xdist_group("private_server")


def boss(server: PrivateServer, *, database: str = DATABASE) -> "psycopg.Connection[Any]":
    """The cluster's superuser, in tenant 1."""
    options = " options='-c app.tenant_id=1'"
    return psycopg.connect(server.conninfo(user="boss", database=database) + options, autocommit=True)


def asked(server: PrivateServer, statement: str) -> list[tuple[Any, ...]]:
    with boss(server) as connection:
        return connection.execute(statement).fetchall()


def run(program: str, *arguments: object) -> None:
    outcome = subprocess.run([str(PROGRAMS / program), *map(str, arguments)], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A dump of a record whose server has given many transaction numbers, and its roles."""
    folder = tmp_path_factory.mktemp("dump")
    with private_server(programs=PROGRAMS) as server:
        with boss(server, database="postgres") as connection:
            connection.execute("ALTER ROLE plain_owner SUPERUSER")
        outcome = server.manage("migrate")
        assert outcome.returncode == 0, outcome.stderr
        with boss(server) as connection:
            for statement in MAKE.values():
                connection.execute(statement)
            connection.execute(BURN)
            connection.execute(MOVE)
        assert asked(server, EPOCHS) == [(1, False)]
        run("pg_dumpall", "-h", server.sockets, "-U", "boss", "--roles-only", "-f", folder / "roles.sql")
        # As the documented owner, who is no superuser any more.
        with boss(server, database="postgres") as connection:
            connection.execute("ALTER ROLE plain_owner NOSUPERUSER")
        run(
            "pg_dump",
            "-h",
            server.sockets,
            "-U",
            "plain_owner",
            "--role=fl_backup",
            "-Fc",
            "-f",
            folder / "dump",
            DATABASE,
        )
    return folder / "dump", folder / "roles.sql"


@pytest.fixture
def restored(dump: tuple[Path, Path]) -> Iterator[PrivateServer]:
    """Another, younger server with that dump."""
    with private_server(programs=PROGRAMS) as server:
        with boss(server, database="postgres") as connection:
            connection.execute(f"DROP DATABASE {DATABASE}")
            connection.execute("DROP ROLE plain_owner")
        run("psql", "-h", server.sockets, "-U", "boss", "-d", "postgres", "-qX", "-f", dump[1])
        with boss(server, database="postgres") as connection:
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER plain_owner")
        run("pg_restore", "-h", server.sockets, "-U", "boss", "-d", DATABASE, "--exit-on-error", dump[0])
        yield server


def test_the_first_connection_of_the_product_opens_an_epoch(restored: PrivateServer) -> None:
    """Before anything is written through it; what comes then names the new one, what was there the old one."""
    assert asked(restored, EPOCHS) == [(1, False)]
    outcome = restored.manage("verify")
    assert outcome.returncode == 0, outcome.stderr
    assert asked(restored, EPOCHS) == [(1, False), (2, False)]
    with boss(restored) as connection:
        connection.execute("UPDATE task SET state_id = (SELECT id FROM workflow_state WHERE slug = 'todo')")
    assert asked(restored, ROWS) == [(1, 2), (2, 1)]
    assert restored.manage("verify").returncode == 0
    assert asked(restored, EPOCHS) == [(1, False), (2, False)]


def test_what_was_written_before_anybody_noticed_belongs_to_the_new_epoch(restored: PrivateServer) -> None:
    """psql writes first: its rows name the old epoch, and the new one names them."""
    with boss(restored) as connection:
        connection.execute("UPDATE task SET state_id = (SELECT id FROM workflow_state WHERE slug = 'todo')")
        last = connection.execute("SELECT seq FROM task_ledger ORDER BY seq DESC LIMIT 1").fetchall()[0][0]
    assert restored.manage("verify").returncode == 0
    assert asked(restored, "SELECT number, strays FROM record_epoch ORDER BY number") == [(1, []), (2, [last])]
