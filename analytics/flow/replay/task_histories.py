"""Task histories: the visits of some tasks to states, when they were started and finished."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connection

from analytics.engine.statements import as_recorded
from analytics.flow.figures.workflow import DONE, IN_PROGRESS, Workflows
from analytics.flow.replay.kinds import with_kinds

# Relies on the index (tenant_id, task_id).
HISTORIES = with_kinds(
    as_recorded("""/* replay.histories */
SELECT l.task_id, CASE WHEN l.kind = {DISCARDED} THEN 0 ELSE l.to_id END, l.happened_at, l.seq FROM task_ledger l
 WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.task_id = ANY (%(tasks)s) AND l.kind <= {LAST_STATE_KIND}
   AND (%(at)s::timestamptz IS NULL OR l.happened_at < %(at)s)
   AND {visible}
 ORDER BY l.task_id, l.happened_at, l.seq
""")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One stay in a state (0: off the board). `left_at` None while it lasts; `seqs` are its ledger rows."""

    state_id: int
    entered_at: datetime
    left_at: datetime | None
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened to one task. `finished_at` is the start of its stay in DONE, for a task that is done now."""

    visits: Sequence[Visit]
    started_at: datetime | None
    finished_at: datetime | None


NO_HISTORY = History(visits=(), started_at=None, finished_at=None)


def histories(
    *,
    tenant_id: int,
    task_ids: Sequence[int],
    workflows: Workflows,
    at: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[int, History]:
    """The histories by task id, in one statement for all of them: of what had happened before `at`, as known at `known_at`."""
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "tasks": list(task_ids),
        "at": at,
        "known_at": known_at,
        "snapshot": None,
    }
    with connection.cursor() as cursor:
        cursor.execute(HISTORIES, values)
        rows = cursor.fetchall()
    return {
        task: _history(visits=_visits((state, at, seq) for _, state, at, seq in facts), workflows=workflows)
        for task, facts in groupby(rows, key=lambda row: row[0])
    }


def _visits(facts: Iterable[tuple[int, datetime, int]]) -> list[Visit]:
    """Stays, oldest first. A fact that repeats the state begins nothing, but is one of the visit's ledger rows."""
    stays: list[tuple[int, datetime, list[int]]] = []
    for state, happened_at, seq in facts:
        if stays and stays[-1][0] == state:
            stays[-1][2].append(seq)
        else:
            stays.append((state, happened_at, [seq]))
    ends = [stay[1] for stay in stays[1:]]
    return [
        Visit(state_id=state, entered_at=entered, left_at=left, seqs=tuple(seqs))
        for (state, entered, seqs), left in zip(stays, [*ends, None], strict=True)
    ]


def _history(*, visits: Sequence[Visit], workflows: Workflows) -> History:
    categories = [_category(visit, workflows) for visit in visits]
    started = [visit.entered_at for visit, category in zip(visits, categories, strict=True) if category == IN_PROGRESS]
    finished_at = None
    for visit, category in zip(reversed(visits), reversed(categories), strict=True):
        if category != DONE:
            break
        finished_at = visit.entered_at
    return History(visits=visits, started_at=started[0] if started else None, finished_at=finished_at)


def _category(visit: Visit, workflows: Workflows) -> str | None:
    """The category that the state had when it was entered."""
    definition = workflows.at(visit.entered_at).get(visit.state_id) or workflows.ever(visit.state_id)
    return definition.category if definition else None
