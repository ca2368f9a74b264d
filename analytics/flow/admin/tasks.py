"""Task page: one task's stays in states, and every ledger row about it, in the order in which they happened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.http.response import HttpResponseBase

from analytics.engine.asked_names import plain
from analytics.engine.pages.asked import answered, category_text, fields, local_text, zone_asked
from analytics.flow.admin.lines import HEADER, Line, every_line, lines_of
from analytics.flow.figures.workflow import Workflows
from analytics.flow.replay.activity import Feed
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.task_histories import NO_HISTORY, histories
from analytics.flow.replay.task_histories import Visit as Stay
from analytics.pure.lengths import duration_text
from tasks_app.admin.downloads import Cell, csv_response
from tasks_app.admin.visits import Visit
from tasks_app.models import Project
from tasks_app.refusals import not_found
from tasks_app.tenancy import DatabaseRole, entered

# A page shows so many of the latest recordings; the file has all.
MOST_LINES = 1000
OFF_BOARD = "off the board"

# The tail of a task that SQL deleted is found by its key, too.
FIND_TASK = """/* admin.find_task */
SELECT id, key, title, external_id, discarded_at, false FROM task WHERE tenant_id = %(tenant)s AND key = %(key)s
 UNION ALL
SELECT task_id, key, title, external_id, NULL, true FROM deleted_task WHERE tenant_id = %(tenant)s AND key = %(key)s
 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task by its key, discarded and deleted ones included."""

    task_id: int
    key: str
    title: str
    external_id: str
    discarded_at: datetime | None
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StayShown:
    """One stay in a state, as the page shows it."""

    state: str
    category: str
    project: str
    entered: str
    left: str
    duration: str
    rows: int


def task(visit: Visit, *, key: str) -> HttpResponseBase:
    """The page of a task; NOT_FOUND for a key that the tenant does not have."""
    facts = task_of_key(tenant_id=visit.tenant.id, key=key)
    frame = {"title": f"History of {facts.key}", "task": facts, "form": fields(visit, "timezone")}
    return answered(visit=visit, template="admin/task.html", frame=frame, read=lambda: _history(visit, facts))


def task_csv(visit: Visit, *, key: str) -> HttpResponseBase:
    """Every row about the task, in the order in which they happened."""
    facts = task_of_key(tenant_id=visit.tenant.id, key=key)
    feed = Feed(tenant_id=visit.tenant.id, filters={"task_id": facts.task_id})
    return csv_response(name=f"{visit.tenant.slug}-{facts.key}-history", header=HEADER, rows=_cells(feed))


def task_of_key(*, tenant_id: int, key: str) -> TaskFacts:
    """The tenant's task of that key; NOT_FOUND otherwise."""
    key = plain(key, argument="Task")
    with connection.cursor() as cursor:
        cursor.execute(FIND_TASK, {"tenant": tenant_id, "key": key})
        row = cursor.fetchone()
    if row is None:
        raise not_found(what="task", name=key, path=("task",))
    return TaskFacts(*row)


def _cells(feed: Feed) -> Iterator[Sequence[Cell]]:
    with entered(tenant_id=feed.tenant_id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=600):
        for line in _as_happened(every_line(feed=feed)):
            yield line.cells


def _as_happened(lines: Iterator[Line] | Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (line.happened_at, line.seq))


def _history(visit: Visit, facts: TaskFacts) -> Mapping[str, Any]:
    tenant_id = visit.tenant.id
    zone_name = zone_asked(visit, default=visit.tenant.timezone)
    feed = Feed(tenant_id=tenant_id, filters={"task_id": facts.task_id})
    rows = feed.read(where="TRUE", params=(), direction="DESC", limit=MOST_LINES + 1)
    lines = lines_of(tenant_id=tenant_id, rows=rows[:MOST_LINES], zone_name=zone_name)
    known = workflows(tenant_id=tenant_id, project_ids=None)
    history = histories(tenant_id=tenant_id, task_ids=[facts.task_id], workflows=known).get(facts.task_id, NO_HISTORY)
    keys = dict(Project.objects.filter(tenant_id=tenant_id).values_list("id", "key"))
    return {
        "zone": zone_name,
        "lines": _as_happened(lines),
        "cut": len(rows) > MOST_LINES,
        "started": local_text(history.started_at, zone_name=zone_name),
        "finished": local_text(history.finished_at, zone_name=zone_name),
        "stays": [_shown(stay, known=known, keys=keys, zone_name=zone_name, now=visit.now) for stay in history.visits],
    }


def _shown(stay: Stay, *, known: Workflows, keys: Mapping[int, str], zone_name: str, now: datetime) -> StayShown:
    state = known.at(stay.entered_at).get(stay.state_id) or known.ever(stay.state_id)
    return StayShown(
        state=state.name if state else OFF_BOARD,
        category=category_text(state.category) if state else "",
        project=keys.get(state.project_id, "") if state else "",
        entered=local_text(stay.entered_at, zone_name=zone_name),
        left=local_text(stay.left_at, zone_name=zone_name),
        duration=duration_text(((stay.left_at or now) - stay.entered_at).total_seconds()),
        rows=len(stay.seqs),
    )
