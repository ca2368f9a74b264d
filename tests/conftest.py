"""Fixtures of every test: the owner's connections, a flush that may empty ledgers, companies, clocks, homes of servers."""

import os
import signal
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

from config.database import postmaster
from config.database.settings import use_owner_login
from tasks_app.graphql import asking
from tasks_app.policies import CreateRoles
from tasks_app.sessions import forms, views
from tests import databases, properties
from tests.cast import Cast, cast, tasks
from tests.processes import Start, starter, wait_until
from tests.tasks_app.recording import sql

# The rows of a table that has grown no larger are deleted, which takes a tenth of the time of TRUNCATE. Tables of which tests
# ask how they are read must begin as new ones: what was deleted is still in the statistics.
SMALL = 1_000_000
READ_WITH_CARE = frozenset({"task", "task_ledger", "task_tail", "task_rollup", "task_fact", "task_item"})
FILLED = """
SELECT relname, pg_relation_size(oid) FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relname = ANY (%s) AND pg_relation_size(oid) > 0
"""
# The triggers that guard a ledger, and those of foreign keys, are off in this one transaction.
UNGUARDED = "SET LOCAL session_replication_role = replica"
# Nothing in a test database has to survive a crash: what is about crashes has servers of its own.
NO_WAIT = "-c synchronous_commit=off"

# The longest tests: each takes ten times as long as nearly all others. Whoever begins one last keeps the other process waiting.
LONG = (
    "test_concurrent_folding.py",
    "test_counts_survive.py",
    "test_demo.py",
    "test_drill_down_properties.py",
    "test_embedded_server.py",
    "test_filter_properties.py",
    "test_real_logs.py",
    "test_replay_properties.py",
    "test_rollup_properties.py",
    "test_schedule.py",
    "test_seeded_defects.py",
)


def pytest_configure() -> None:
    """Before the first test file is read: what decorates tests takes what it leaves unsaid from the profile."""
    hypothesis.settings.load_profile(properties.PROFILE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with the longest tests come first, so that both processes end at the same time; within each half, at random."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """Tests copy their database and seed it, so they are the owner; `as_web_login` steps down."""
    found = settings.DATABASES["default"]
    use_owner_login(found)
    found["OPTIONS"] = {**found["OPTIONS"], "options": f"{found['OPTIONS'].get('options', '')} {NO_WAIT}"}
    connection.settings_dict.update(found)
    with django_db_blocker.unblock():
        found["TEST"]["TEMPLATE"] = databases.template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """What is granted on a database, and not on something in it, is not copied with it."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for statement in CreateRoles().statements():
            cursor.execute(statement)


@pytest.fixture(autouse=True, scope="session")
def flush_empties_ledgers() -> Iterator[None]:
    """Between tests every table that has rows is emptied, the ledgers too, from which nothing can be deleted otherwise."""
    stock = DatabaseOperations.execute_sql_flush

    def flush(self: DatabaseOperations, sql_list: list[str]) -> None:
        assert str(self.connection.settings_dict["NAME"]).startswith("test_"), "only a test database is flushed"
        tables = set(self.connection.introspection.django_table_names(only_existing=True, include_views=False))
        # Where the record is, is nothing that a test makes.
        tables -= {"record_epoch"}
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(FILLED, [sorted(tables)])
            filled = cursor.fetchall()
            made_anew = {name for name, size in filled if size > SMALL or name in READ_WITH_CARE}
            deleted = [f'DELETE FROM "{name}"' for name, _ in filled if name not in made_anew]
            truncated = [f'TRUNCATE "{name}" CASCADE' for name in sorted(made_anew)]
            cursor.execute("; ".join([UNGUARDED, *truncated, *deleted]))

    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign,assignment]
    yield
    DatabaseOperations.execute_sql_flush = stock  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def one_address_sends_all() -> None:
    """All tests ask from one address."""
    settings.FLOWLEDGER_REQUESTS_A_MINUTE = 10_000_000


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The clock of requests stands still, so that nothing comes back to a bucket however long a test takes."""
    instant = datetime.now(UTC)  # noqa: TID251 - what is recorded has the database's clock

    class Still(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return instant.astimezone(tz)

    for edge in (asking, forms, views):
        monkeypatch.setattr(edge, "datetime", Still)
    return instant


@pytest.fixture
def as_web_login(db: Any) -> Iterator[None]:
    """The connection is exactly the web's login: no grants but those it has, no inheritance."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION AUTHORIZATION fl_app")
        yield
        cursor.execute("RESET SESSION AUTHORIZATION")


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
