"""What the ledger gained, and SQL in a line, for the tests of this folder."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tasks_app.models import TaskLedger, TaskTail
from tasks_app.tenancy import entered
from tests.cast import Company, Person

Values = Sequence[Any] | Mapping[str, Any]
READ_MARK = "/* tests.read_mark */ SELECT coalesce(max(seq), 0) FROM task_ledger"
READ_STRAYS = """/* tests.read_strays */
SELECT t.tenant_id, t.id FROM task t CROSS JOIN LATERAL (
    SELECT l.project_id, l.to_id, l.kind FROM task_ledger l
     WHERE l.tenant_id = t.tenant_id AND l.task_id = t.id AND l.kind <= 5
     ORDER BY l.happened_at DESC, l.seq DESC LIMIT 1) last
 WHERE (t.discarded_at IS NULL) <> (last.kind <> 4)
    OR (last.kind <> 4 AND (t.project_id, t.state_id) <> (last.project_id, last.to_id))
"""


def sql(statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement, none for one that has no result."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def refused(statement: str, values: Values = (), *, because: str) -> None:
    """The statement fails and its message matches; what ran before it in the transaction stays."""
    with pytest.raises(DatabaseError, match=because), transaction.atomic():
        sql(statement, values)


@contextmanager
def web_login() -> Iterator[None]:
    """The connection is exactly the web's login, between what a test prepares and what it looks up as the owner."""
    sql("SET SESSION AUTHORIZATION fl_app")
    yield
    sql("RESET SESSION AUTHORIZATION")


@contextmanager
def as_owner() -> Iterator[None]:
    """The connection is the owner's again, where it had become the web's."""
    sql("RESET SESSION AUTHORIZATION")
    yield
    sql("SET SESSION AUTHORIZATION fl_app")


@contextmanager
def asking(company: Company, person: Person) -> Iterator[None]:
    """A request of a member."""
    with web_login(), entered(tenant_id=company.tenant.id, actor_id=person.actor.id):
        yield


def mark() -> int:
    """The last position of the ledger."""
    return int(sql(READ_MARK)[0][0])


def facts_since(position: int) -> list[TaskLedger]:
    """The task facts recorded since, in their order; each must be in the tail, too."""
    facts = list(TaskLedger.objects.filter(seq__gt=position).order_by("seq"))
    tail = TaskTail.objects.filter(seq__gt=position).order_by("seq").values_list("tenant_id", "seq")
    assert list(tail) == [(fact.tenant_id, fact.seq) for fact in facts]
    return facts


def clock() -> datetime:
    """The database's clock, which is the one that records."""
    now: datetime = sql("/* tests.clock */ SELECT clock_timestamp()")[0][0]
    return now


def strays() -> list[tuple[Any, ...]]:
    """Tasks whose row differs from their last fact by (happened_at, seq)."""
    return sql(READ_STRAYS)
