"""What every test needs: connections of the owner, and a flush that may empty the ledgers."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

from config.database.settings import use_owner_login

LEDGERS = ("task_ledger", "definition_ledger", "access_ledger", "reported_event", "task_tail")
GUARDED = (*LEDGERS, "task", "project", "workflow_state", "membership", "api_key")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Tests create their database and seed it, so they are the owner; `as_web_login` steps down."""
    use_owner_login(settings.DATABASES["default"])
    connection.settings_dict.update(settings.DATABASES["default"])


@pytest.fixture(autouse=True, scope="session")
def flush_empties_ledgers() -> Iterator[None]:
    """TRUNCATE on a ledger is refused, also for the owner: between tests its triggers are switched off for one transaction."""
    stock = DatabaseOperations.execute_sql_flush

    def flush(self: DatabaseOperations, sql_list: list[str]) -> None:
        assert str(self.connection.settings_dict["NAME"]).startswith("test_"), "only a test database is flushed"
        switch = "; ".join(f"ALTER TABLE {table} {{0}} TRIGGER USER" for table in GUARDED)
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            cursor.execute(switch.format("DISABLE"))
            for statement in sql_list:
                cursor.execute(statement)
            cursor.execute(switch.format("ENABLE"))

    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign,assignment]
    yield
    DatabaseOperations.execute_sql_flush = stock  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def one_address_sends_all() -> None:
    """All tests ask from one address."""
    settings.FLOWLEDGER_REQUESTS_A_MINUTE = 10_000_000


@pytest.fixture
def as_web_login(db: Any) -> Iterator[None]:
    """The connection is exactly the web's login: no grants but those it has, no inheritance."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION AUTHORIZATION fl_app")
        yield
        cursor.execute("RESET SESSION AUTHORIZATION")
