"""Conflicts of events with what is recorded: the task was on another board or on none, or the event id is taken."""

from bisect import bisect_right
from collections import defaultdict
from typing import Any

from django.db import connection

from tasks_app.imports.events import BadEvents, Events

# The tasks that were ever taken off the board or to another one, and all places that they were at.
# (SELECT ...) hides the tenant's number: of a new tenant the planner would expect one row, and read all for each task.
WANDERINGS = """/* imports.wanderings */
SELECT l.task_id, (extract(epoch FROM l.happened_at) * 1000000)::bigint, l.project_id, l.to_id
  FROM (SELECT DISTINCT w.task_id
          FROM unnest(%(task_ids)s::int[]) AS t (id)
          JOIN task_ledger w
            ON w.tenant_id = (SELECT %(tenant_id)s::bigint) AND w.task_id = t.id AND w.kind IN (3, 4, 5)) gone
  JOIN task_ledger l ON l.tenant_id = (SELECT %(tenant_id)s::bigint) AND l.task_id = gone.task_id AND l.kind <= 5
 ORDER BY l.task_id, l.happened_at, l.seq
"""

RECORDED = """/* imports.recorded */
SELECT replace(r.identity::text, '-', ''), r.task_id, (extract(epoch FROM r.happened_at) * 1000000)::bigint, r.to_id
  FROM reported_event r
 WHERE r.tenant_id = %(tenant_id)s AND r.source_id = %(source_id)s AND r.identity = ANY (%(identities)s::uuid[])
"""

Told = tuple[int, int, int]


def off_the_board(
    *, tenant_id: int, project_id: int, source_id: int, events: Events, task_ids: list[int], identities: list[str]
) -> BadEvents:
    """The events of tasks that were discarded, or in another project, when they are said to have happened.

    Events that are recorded already are none: they come as duplicates. `task_ids` has 0 for a task that is new.
    """
    wanderings = _wanderings(tenant_id=tenant_id, task_ids=sorted(set(task_ids) - {0}))
    bad: BadEvents = {}
    for index, task_id in enumerate(task_ids if wanderings else ()):
        reason = _where_it_was(wanderings.get(task_id, []), instant=events.instants[index], project_id=project_id)
        if reason is not None:
            bad[index] = ("timestamp", f"the case {events.cases[index]!r} {reason} at that time; leave the event out")
    known = _recorded(tenant_id=tenant_id, source_id=source_id, identities=[identities[index] for index in bad])
    return {index: why for index, why in bad.items() if identities[index] not in known}


def told_otherwise(
    *, tenant_id: int, source_id: int, events: Events, task_ids: list[int], to_ids: list[int], identities: list[str]
) -> BadEvents:
    """The events whose event id the source has used for another event before."""
    named = [identity for identity, event_id in zip(identities, events.event_ids, strict=False) if event_id]
    known = _recorded(tenant_id=tenant_id, source_id=source_id, identities=named)
    told = zip(identities, task_ids, events.instants, to_ids, strict=True)
    return {
        index: ("event_id", f"{events.event_ids[index]!r} is recorded with another case, time or state; give a new id")
        for index, (identity, *content) in enumerate(told if known else ())
        if identity in known and known[identity] != tuple(content)
    }


def _where_it_was(wandering: list[Told], *, instant: int, project_id: int) -> str | None:
    after = bisect_right(wandering, instant, key=lambda each: each[0])
    if after == 0:
        return None
    _, at_project, state = wandering[after - 1]
    if state == 0:
        return "was discarded"
    return "was in another project" if at_project != project_id else None


def _wanderings(*, tenant_id: int, task_ids: list[int]) -> dict[int, list[Told]]:
    if not task_ids:
        return {}
    found: dict[int, list[Told]] = defaultdict(list)
    for task_id, *place in _rows(WANDERINGS, {"tenant_id": tenant_id, "task_ids": task_ids}):
        found[task_id].append((place[0], place[1], place[2]))
    return found


def _recorded(*, tenant_id: int, source_id: int, identities: list[str]) -> dict[str, Told]:
    if not identities:
        return {}
    values = {"tenant_id": tenant_id, "source_id": source_id, "identities": identities}
    return {row[0]: (row[1], row[2], row[3]) for row in _rows(RECORDED, values)}


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
