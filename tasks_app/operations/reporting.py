"""Reporting of what happened elsewhere or earlier, through the second door.

One statement puts reports into reported_event; the database's trigger makes the ledger's facts and the tasks of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from tasks_app.models import Kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Whole columns travel as one array each, so that a report of 50,000 events is one statement. Instants are whole
# microseconds since 1970, which multiply exactly.
INSERT_REPORTS = """/* reporting.insert */
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity,
                            case_id, title)
SELECT %(tenant_id)s, %(source_id)s, r.task_id, r.project_id, r.to_id, r.actor_id, r.kind,
       coalesce(timestamptz 'epoch' + r.instant * interval '1 microsecond', clock_timestamp()),
       r.identity, r.case_id, r.title
  FROM unnest(%(task_ids)s::int[], %(project_ids)s::int[], %(to_ids)s::int[], %(actor_ids)s::int[],
              %(kinds)s::smallint[], %(instants)s::bigint[], %(identities)s::uuid[], %(case_ids)s::text[],
              %(titles)s::text[])
       WITH ORDINALITY AS r (task_id, project_id, to_id, actor_id, kind, instant, identity, case_id, title, place)
 ORDER BY r.place
"""

# Costs a third more, which an import of new cases need not pay.
ONCE = "ON CONFLICT (tenant_id, source_id, identity) DO NOTHING"

FIND_ACTOR = """/* reporting.find_actor */
SELECT id FROM actor
 WHERE tenant_id = %(tenant_id)s AND kind = %(kind)s AND name = %(name)s AND user_id IS NULL AND api_key_id IS NULL
"""

MAKE_ACTOR = """/* reporting.make_actor */
INSERT INTO actor (tenant_id, kind, name) VALUES (%(tenant_id)s, %(kind)s, %(name)s)
    ON CONFLICT (tenant_id, kind, name) WHERE user_id IS NULL AND api_key_id IS NULL DO UPDATE SET name = excluded.name
RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One event as its source tells it.

    `happened_at=None` means now, by the database's clock. `identity` is what makes the event unique within its source.
    A CREATED report makes the task `task_id` (an id taken from the sequence before) with its `case_id` and `title`.
    """

    task_id: int
    project_id: int
    to_id: int
    actor_id: int
    kind: Kind
    happened_at: datetime | None
    identity: UUID
    case_id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportColumns:
    """Many events, one list per column, for imports: an object per event would cost more than the database does.

    `instants` are microseconds since 1970 (None: now), `identities` 32 hexadecimal digits; the others as in Report.
    """

    task_ids: Sequence[int]
    project_ids: Sequence[int]
    to_ids: Sequence[int]
    actor_ids: Sequence[int]
    kinds: Sequence[int]
    instants: Sequence[int | None]
    identities: Sequence[str]
    case_ids: Sequence[str]
    titles: Sequence[str]


def report(*, tenant_id: int, source_id: int, reports: Sequence[Report]) -> int:
    """Records the reports, in their order, and answers how many were new: a known identity of the source adds nothing.

    Runs inside `entered(...)`. When it returns, the ledger has a fact for each report that is a change, and each task
    shows the state after its last event.
    """
    columns = ReportColumns(
        task_ids=[each.task_id for each in reports],
        project_ids=[each.project_id for each in reports],
        to_ids=[each.to_id for each in reports],
        actor_ids=[each.actor_id for each in reports],
        kinds=[int(each.kind) for each in reports],
        instants=[None if each.happened_at is None else microseconds(each.happened_at) for each in reports],
        identities=[each.identity.hex for each in reports],
        case_ids=[each.case_id for each in reports],
        titles=[each.title for each in reports],
    )
    return report_columns(tenant_id=tenant_id, source_id=source_id, columns=columns)


def report_columns(*, tenant_id: int, source_id: int, columns: ReportColumns, all_new: bool = False) -> int:
    """As `report`, for columns of one length. `all_new` promises that no identity is known: then one that is fails."""
    if not columns.task_ids:
        return 0
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "source_id": source_id,
        "task_ids": _numbers(columns.task_ids),
        "project_ids": _numbers(columns.project_ids),
        "to_ids": _numbers(columns.to_ids),
        "actor_ids": _numbers(columns.actor_ids),
        "kinds": _numbers(columns.kinds),
        "instants": _numbers("NULL" if instant is None else instant for instant in columns.instants),
        "identities": "{" + ",".join(columns.identities) + "}",
        "case_ids": _words(columns.case_ids),
        "titles": _words(columns.titles),
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_REPORTS if all_new else INSERT_REPORTS + ONCE, values)
        return int(cursor.rowcount)


def microseconds(instant: datetime) -> int:
    """The whole microseconds from 1970 to an instant that knows its zone."""
    return (instant - EPOCH) // MICROSECOND


def actor_named(*, tenant_id: int, kind: str, name: str) -> int:
    """The id of the tenant's actor of that kind and name, made when it is not there yet."""
    values: dict[str, Any] = {"tenant_id": tenant_id, "kind": kind, "name": name}
    with connection.cursor() as cursor:
        for statement in (FIND_ACTOR, MAKE_ACTOR):
            cursor.execute(statement, values)
            found = cursor.fetchall()
            if found:
                break
    return int(found[0][0])


def _numbers(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers; psycopg's own, made element by element, takes five times as long."""
    return "{" + ",".join(map(str, values)) + "}"


def _words(values: Iterable[str]) -> str:
    return "{" + ",".join(map(_quoted, values)) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if text else '""'
