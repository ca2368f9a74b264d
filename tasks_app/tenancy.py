"""Tenancy, the one way into a tenant's data: a transaction that names the tenant, the role and the actor.

    with entered(tenant_id=7, actor_id=3, role=DatabaseRole.TENANT, read_only=True):
        ...

Nothing is set for the session, so a pooler in transaction mode may stand between. BEGIN and all settings go to the server
in one round trip.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import Error, connection, transaction
from psycopg import pq

if TYPE_CHECKING:
    import psycopg


class DatabaseRole(StrEnum):
    """What the database lets the transaction do; tasks_app/README.md has the grants."""

    TENANT = "fl_tenant"
    AUDITOR = "fl_auditor"
    WORKER = "fl_worker"


class CallerKind(StrEnum):
    """What a request came with: a session of a person, or a key."""

    USER = "USER"
    API_KEY = "API_KEY"


@dataclass(frozen=True, kw_only=True)
class TenantFacts:
    """What a request needs to know of its tenant; read before the tenant's transaction, where the table is out of reach."""

    id: int
    slug: str
    name: str
    timezone: str
    fiscal_year_start_month: int


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is asking. `scopes` is what this caller may do: of a key, the owner's and the key's in common."""

    kind: CallerKind
    name: str
    tenant: TenantFacts
    actor_id: int
    role: str | None
    scopes: frozenset[str]
    user_id: int | None = None
    api_key_id: int | None = None


# Seconds that a statement may take, by what the transaction is for. A request's is below what a web server waits for its
# worker; None is a command of the owner.
STATEMENT_SECONDS: Mapping[DatabaseRole | None, int] = {
    DatabaseRole.TENANT: 25,
    DatabaseRole.AUDITOR: 60,
    DatabaseRole.WORKER: 900,
    None: 30,
}

# Figures sort and group the facts of many items: with the default memory they would spill to disk from some thousand on. To
# compile their statements takes longer than to run them.
READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL work_mem = '32MB'; SET LOCAL jit = off"


@contextmanager
def entered(
    *,
    tenant_id: int,
    actor_id: int | None = None,
    role: DatabaseRole | None = DatabaseRole.TENANT,
    read_only: bool = False,
    correlation_id: int | None = None,
    timeout_seconds: int | None = None,
) -> Iterator[None]:
    """A transaction inside one tenant. Row level security shows this tenant's rows and no others.

    A read-only one sees a single snapshot and cannot write. Without an actor the ledger names the database login. With
    `role=None` the connection keeps its own rights (for commands run as the owner). A statement may take as long as
    STATEMENT_SECONDS has it, or `timeout_seconds`; 0 is for ever. Inside another transaction (tests) a
    savepoint stands in; a read-only one is rolled back at its end, which also takes its settings back.
    """
    settings = _settings(
        tenant_id=tenant_id,
        actor_id=actor_id,
        role=role,
        correlation_id=correlation_id,
        timeout_seconds=STATEMENT_SECONDS[role and DatabaseRole(role)] if timeout_seconds is None else timeout_seconds,
    )
    if connection.in_atomic_block:
        with _nested(settings=settings, read_only=read_only, role=role):
            yield
        return
    with transaction.atomic(durable=True):
        _send(f"{READING if read_only else 'BEGIN'}; {settings}")
        yield


def looked_up(*, tenant_id: int, inside: str, outside: str) -> list[list[dict[str, Any]]]:
    """The rows of two statements, in one round trip: the first as a request of the tenant, the second as the login itself.

    For what must be known before a request's transaction begins. The statements take no parameters: whatever is in them
    is quoted by psycopg. Nothing that they write or set stays.
    """
    begin, end = ("SAVEPOINT looked_up", NESTED_END) if connection.in_atomic_block else ("BEGIN READ ONLY", "ROLLBACK")
    settings = _settings(
        tenant_id=tenant_id, actor_id=None, role=DatabaseRole.TENANT, correlation_id=None, timeout_seconds=30
    )
    try:
        return _results(f"{begin}; {settings}; {inside}; SET LOCAL ROLE NONE; {outside}; {end}")
    except Error:
        with suppress(ContextRefused):  # of a connection that is gone there is nothing to end
            _send(end)
        raise


NESTED_END = "ROLLBACK TO SAVEPOINT looked_up; RELEASE SAVEPOINT looked_up"


def _results(statements: str) -> list[list[dict[str, Any]]]:
    """What each statement that answers rows has answered."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(statements)
        more: bool | None = True
        while more:
            if cursor.description is not None:
                names = [column.name for column in cursor.description]
                found.append([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])
            more = cursor.nextset()
    return found


@contextmanager
def _nested(*, settings: str, read_only: bool, role: DatabaseRole | None) -> Iterator[None]:
    with transaction.atomic():
        before = _current()
        _send(f"{settings}; SET TRANSACTION READ ONLY" if read_only else settings)
        yield
        if read_only:
            transaction.set_rollback(True)
        else:
            _send(before)


def _current() -> str:
    """The statements that bring the settings back to what they are now: SET LOCAL outlives a released savepoint."""
    names = ("role", "app.tenant_id", "app.actor_id", "app.correlation_id", "statement_timeout")
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"coalesce(current_setting('{name}', true), '')" for name in names))
        row = cursor.fetchall()[0]
    return "; ".join(
        f"SET LOCAL {name} = '{value}'" if name != "role" or value != "none" else "SET LOCAL ROLE NONE"
        for name, value in zip(names, row, strict=True)
    )


def _settings(
    *,
    tenant_id: int,
    actor_id: int | None,
    role: DatabaseRole | None,
    correlation_id: int | None,
    timeout_seconds: int,
) -> str:
    """Every value is an int or one of our own words: nothing that a caller sends gets into this text."""
    statements = [
        f"SET LOCAL app.tenant_id = '{int(tenant_id)}'",
        f"SET LOCAL app.actor_id = '{'' if actor_id is None else int(actor_id)}'",
        f"SET LOCAL app.correlation_id = '{'' if correlation_id is None else int(correlation_id)}'",
        f"SET LOCAL statement_timeout = '{int(timeout_seconds)}s'",
        f"SET LOCAL idle_in_transaction_session_timeout = '{int(timeout_seconds) + 30 if timeout_seconds else 0}s'",
    ]
    if role is not None:
        statements.insert(0, f"SET LOCAL ROLE {DatabaseRole(role).value}")
    return "; ".join(statements)


def _send(text: str) -> None:
    """Several statements in one round trip. psycopg would send BEGIN by itself and apart; libpq sends what it is given."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    result = raw.pgconn.exec_(text.encode())
    if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        raise ContextRefused(result.error_message.decode(errors="replace").strip())


class ContextRefused(Exception):
    """The database did not accept the tenant's context: its text says why."""
