"""Drill-down statements: what a figure is made of, item by item or event by event, over a scope's facts.

Each body ends in `point`: one row for each edge of a drill-down, with the ledger row that explains it and, where the figure
is of time, from when to when that was, and the rows that began and ended it. The order (happened_at, seq, task_id) is total.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from analytics.engine.statements import columns
from analytics.flow.drills import FlowMetric
from analytics.flow.figures.journeys import StateEntries
from analytics.flow.replay import aging, churn, flow, validation
from analytics.flow.replay.durations import STEPS
from analytics.flow.replay.flow import Statement, after_facts
from analytics.flow.replay.kinds import LAST_STATE_KIND


class Point(NamedTuple):
    """One edge. `seq` 0: no single row explains it. `begin_at` None: it is not of time; `end_seq` None: that still lasts."""

    task_id: int
    seq: int
    happened_at: datetime
    begin_at: datetime | None = None
    begin_seq: int | None = None
    end_at: datetime | None = None
    end_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an edge stands in the list."""

    happened_at: datetime
    seq: int
    task_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some edges strictly between two places, from the front or the back of these."""

    limit: int
    after: Place | None = None
    before: Place | None = None
    backwards: bool = False


# With the stay that each move ended, where that was on this board.
MOVED = """,
/* Each move, with the stay that it ended. */
stay AS (
    SELECT m.*, CASE WHEN from_group <> 0 THEN lag(happened_at) OVER history END AS begin_at,
           CASE WHEN from_group <> 0 THEN lag(seq) OVER history END AS begin_seq
      FROM move m WINDOW history AS (PARTITION BY task_id ORDER BY happened_at, seq)
),
point AS (
    SELECT task_id, seq, happened_at, begin_at, begin_seq, happened_at AS end_at, seq AS end_seq
      FROM stay WHERE counts AND {which}
)
"""
ARRIVES = "was IN ('', 'CANCELLED') AND becomes NOT IN ('', 'CANCELLED')"
DEPARTS = "was NOT IN ('', 'CANCELLED') AND becomes IN ('', 'CANCELLED')"
OF_EDGE = """(%(from_group)s::int IS NULL OR from_group = %(from_group)s)
       AND (%(to_group)s::int IS NULL OR to_group = %(to_group)s)"""
# Which of the moves; of `was` and `becomes` the empty text is nowhere.
EVENTS: Mapping[FlowMetric, str] = {
    FlowMetric.ARRIVALS: ARRIVES,
    FlowMetric.DEPARTURES: DEPARTS,
    FlowMetric.LEFT: DEPARTS,
    FlowMetric.DISCARDED: f"{DEPARTS} AND discarded",
    FlowMetric.CANCELLED: "becomes = 'CANCELLED' AND was <> 'CANCELLED'",
    FlowMetric.FINISH_EVENTS: "becomes = 'DONE' AND was <> 'DONE'",
    FlowMetric.TRANSITIONS: OF_EDGE,
    FlowMetric.BACKFLOW: f"back AND {OF_EDGE}",
}

# Where items are, and since when: a row that repeats the state is not when they came.
STANDING = """,
point AS (
    SELECT task_id, seq, happened_at, happened_at AS begin_at, seq AS begin_seq, %(horizon)s::timestamptz AS end_at,
           NULL::bigint AS end_seq
      FROM (SELECT DISTINCT ON (task_id) task_id, seq, happened_at, state_id
              FROM fact WHERE state_id <> before_id ORDER BY task_id, happened_at DESC, seq DESC) l
     WHERE state_id = ANY (%(states)s::int[])
)
"""
# The first visit to the place or to one beyond it, on each board that has them.
REACHED = """,
point AS (
    SELECT DISTINCT ON (f.task_id, o.project_id) f.task_id, f.seq, f.happened_at, {no_time}
      FROM fact f
      JOIN unnest(%(states)s::int[], %(projects)s::int[]) AS o (state_id, project_id) ON o.state_id = f.state_id
     ORDER BY f.task_id, o.project_id, f.happened_at, f.seq
)
"""
# As analytics.flow.replay.completion counts them.
FINISHED = """,
/* The last fact of each item that leads into DONE or out of it. */
crossing AS (
    SELECT DISTINCT ON (task_id) task_id, seq, happened_at, counted, state_id = ANY (%(done)s::int[]) AS finishes
      FROM fact
     WHERE (state_id = ANY (%(done)s::int[])) <> (before_id = ANY (%(done)s::int[]))
     ORDER BY task_id, happened_at DESC, seq DESC
),
point AS (SELECT task_id, seq, happened_at, {no_time} FROM crossing WHERE finishes AND counted AND {in_range})
"""
# As analytics.flow.replay.churn counts them: the first of an item's facts that count stands for the item.
REOPENED = """,
point AS (
    SELECT task_id, seq, happened_at, happened_at AS begin_at, seq AS begin_seq, turned_at AS end_at, turned_seq AS end_seq
      FROM finish WHERE counts AND finishes AND happened_at <= %(judged)s AND reopened AND {in_range}
)
"""
ABANDONED = """,
point AS (
    SELECT task_id, seq, happened_at, {no_time}
      FROM step WHERE drops AND happened_at <= %(judged)s AND NOT restarted AND {in_range}
)
"""
REVERTED = """,
/* The first time that each item was given up. */
first AS (
    SELECT DISTINCT ON (task_id) task_id, seq, happened_at FROM step WHERE drops ORDER BY task_id, happened_at, seq
),
point AS (SELECT task_id, seq, happened_at, {no_time} FROM first WHERE {in_range})
"""
STARTED = """,
/* The first time that each item came into progress. */
first AS (
    SELECT DISTINCT ON (task_id) task_id, seq, happened_at, counts
      FROM step WHERE becomes = 'IN_PROGRESS' ORDER BY task_id, happened_at, seq
),
point AS (SELECT task_id, seq, happened_at, {no_time} FROM first WHERE counts AND {in_range})
"""
STRAIGHT = """,
/* The last of the window's moves of each item into DONE or out of it, and whether the item ever went back. */
crossing AS (
    SELECT DISTINCT ON (task_id) task_id, seq, happened_at, counts, finishes, went_back
      FROM (SELECT s.*, state_id = ANY (%(done)s::int[]) AS finishes, before_id = ANY (%(done)s::int[]) AS was_done,
                   bool_or(back) OVER (PARTITION BY task_id) AS went_back
              FROM step s WHERE happened_at < %(to)s) c
     WHERE finishes <> was_done
     ORDER BY task_id, happened_at DESC, seq DESC
),
point AS (
    SELECT task_id, seq, happened_at, {no_time}
      FROM crossing WHERE counts AND finishes AND NOT went_back AND {in_range}
)
"""
# As analytics.flow.replay.durations counts them.
VISITED = """,
/* Each visit to a state, with the facts that began and ended it. */
visit AS (
    SELECT task_id, state_id, happened_at, seq, lead(happened_at) OVER history AS left_at, lead(seq) OVER history AS left_seq,
           lead(counted) OVER history AS counted
      FROM fact WHERE state_id <> before_id
    WINDOW history AS (PARTITION BY task_id ORDER BY happened_at, seq)
)
"""
VISITS = """,
point AS (
    SELECT task_id, left_seq AS seq, left_at AS happened_at, greatest(happened_at, %(clip)s::timestamptz) AS begin_at,
           seq AS begin_seq, left_at AS end_at, left_seq AS end_seq
      FROM visit
     WHERE state_id = ANY (%(states)s::int[]) AND counted AND left_at >= %(begin)s AND left_at < %(end)s
)
"""
ONGOING = """,
point AS (
    SELECT task_id, seq, happened_at, greatest(happened_at, %(clip)s::timestamptz) AS begin_at, seq AS begin_seq,
           %(horizon)s::timestamptz AS end_at, NULL::bigint AS end_seq
      FROM visit WHERE state_id = ANY (%(states)s::int[]) AND left_at IS NULL
)
"""
# Those given, each since the entry that made it work; without one since its last move, as analytics.flow.replay.aging has it.
AGED = """,
point AS (
    SELECT DISTINCT ON (f.task_id) f.task_id, f.seq, f.happened_at, f.happened_at AS begin_at, f.seq AS begin_seq,
           %(horizon)s::timestamptz AS end_at, NULL::bigint AS end_seq
      FROM fact f
      LEFT JOIN meaning m ON m.state_id = f.state_id AND f.happened_at >= m.begin_at AND f.happened_at < m.end_at
     WHERE f.task_id = ANY (%(tasks)s::int[]) AND f.state_id <> f.before_id
     ORDER BY f.task_id, m.state_id IS NULL, CASE WHEN m.state_id IS NULL THEN f.happened_at END DESC, f.happened_at, f.seq
)
"""
BEHIND = """,
point AS (
    SELECT task_id, from_seq AS seq, from_at AS happened_at, from_at AS begin_at, from_seq AS begin_seq,
           coalesce(to_at, %(horizon)s::timestamptz) AS end_at, to_seq AS end_seq
      FROM span
     WHERE behind_in <> 0 AND from_at < %(end)s AND (to_at IS NULL OR to_at > %(begin)s OR from_at >= %(begin)s)
)
"""
ENDED_WAIT = """,
point AS (
    SELECT task_id, ended_seq AS seq, ended_at AS happened_at, happened_at AS begin_at, seq AS begin_seq, ended_at AS end_at,
           ended_seq AS end_seq
      FROM wait
     WHERE group_id = %(group)s AND NOT lasts AND ended_at >= %(begin)s AND ended_at < %(end)s AND {which}
)
"""
GIVEN_BY = "ended_by <> 0 AND (%(validator)s::int IS NULL OR ended_by = %(validator)s)"
WAITING = """,
point AS (
    SELECT task_id, seq, happened_at, happened_at AS begin_at, seq AS begin_seq, %(horizon)s::timestamptz AS end_at,
           NULL::bigint AS end_seq
      FROM wait WHERE group_id = %(group)s AND lasts
)
"""
NO_TIME = (
    "NULL::timestamptz AS begin_at, NULL::bigint AS begin_seq, NULL::timestamptz AS end_at, NULL::bigint AS end_seq"
)
IN_RANGE = "happened_at >= %(begin)s AND happened_at < %(end)s"


def _body(*parts: str, which: str = "") -> str:
    whole = "".join(parts).replace("{no_time}", NO_TIME).replace("{in_range}", IN_RANGE)
    return whole.replace("{which}", which)


CHURN = (churn.MOVES, churn.FOLLOWED)
BODIES: Mapping[FlowMetric, str] = {
    **{metric: _body(churn.MOVES, MOVED, which=which) for metric, which in EVENTS.items()},
    FlowMetric.WORK_IN_PROGRESS: STANDING,
    FlowMetric.OCCUPANCY: STANDING,
    FlowMetric.CUMULATIVE: _body(REACHED),
    FlowMetric.CORRECTION_WINDOWS: _body(flow.BEHIND, BEHIND),
    FlowMetric.FINISHED: _body(FINISHED),
    FlowMetric.REOPENED: _body(*CHURN, REOPENED),
    FlowMetric.ABANDONED: _body(*CHURN, ABANDONED),
    FlowMetric.REVERTED_ITEMS: _body(*CHURN, REVERTED),
    FlowMetric.STARTED_ITEMS: _body(*CHURN, STARTED),
    FlowMetric.FINISHED_STRAIGHT: _body(*CHURN, STRAIGHT),
    FlowMetric.VISITS: _body(VISITED, VISITS),
    FlowMetric.ONGOING_VISITS: _body(VISITED, ONGOING),
    FlowMetric.AGING: _body(aging.MEANING, AGED),
    FlowMetric.VALIDATED: _body(validation.WAITS, ENDED_WAIT, which=GIVEN_BY),
    FlowMetric.UNAPPROVED: _body(validation.WAITS, ENDED_WAIT, which="ended_by = 0"),
    FlowMetric.WAITING_FOR_VALIDATION: _body(validation.WAITS, WAITING),
}
VALIDATIONS = frozenset({FlowMetric.VALIDATED, FlowMetric.UNAPPROVED, FlowMetric.WAITING_FOR_VALIDATION})
# The rows of the journeys that analytics.flow.replay.durations reads.
TOLD_STEPS = """
SELECT task_id, state_id, (extract(epoch FROM happened_at) * 1000000)::bigint, counted, seq
  FROM step WHERE finished_at >= %(from)s
 ORDER BY task_id, happened_at, seq
"""
JOURNEYS = after_facts("/* replay.drilled_journeys */", f"{STEPS}{TOLD_STEPS}")


def told_entries(rows: Sequence[tuple[int, int, int, bool, int]]) -> tuple[StateEntries, Sequence[int]]:
    """What the rows of JOURNEYS say, and the ledger row of each entry."""
    task, state, at = (np.array([row[column] for row in rows], dtype=np.int64) for column in range(3))
    counted = np.array([row[3] for row in rows], dtype=bool)
    return StateEntries(task, state, at, counted), [row[4] for row in rows]


LISTED = "SELECT task_id, seq, happened_at, begin_at, begin_seq, end_at, end_seq FROM point"
COUNTED = "SELECT count(*) FROM point"
BY_ITEM = "SELECT task_id, count(*) FROM point GROUP BY task_id"
PLACE = "(happened_at, seq, task_id)"


def statement_of(metric: FlowMetric, *, ending: str) -> Statement:
    """The metric's points, as `ending` reads them."""
    acts = validation.ACTS if metric in VALIDATIONS else LAST_STATE_KIND
    return after_facts("/* replay.drill_down */", f"{BODIES[metric]} {ending}", acts=acts)


def part(asked: Slice) -> tuple[str, dict[str, Any]]:
    """How a statement ends that lists a slice, and what it needs for that. Read backwards, the last edge comes first."""
    bounds = {"after": (">", asked.after), "before": ("<", asked.before)}
    given = {name: (sign, place) for name, (sign, place) in bounds.items() if place is not None}
    where = [f"{PLACE} {sign} (%({name}_at)s, %({name}_seq)s, %({name}_task)s)" for name, (sign, _) in given.items()]
    turn = " DESC" if asked.backwards else ""
    order = f"happened_at{turn}, seq{turn}, task_id{turn}"
    values: dict[str, Any] = {"limit": asked.limit}
    for name, (_, place) in given.items():
        values |= {f"{name}_at": place.happened_at, f"{name}_seq": place.seq, f"{name}_task": place.task_id}
    return f"{LISTED} WHERE {' AND '.join(where) or 'TRUE'} ORDER BY {order} LIMIT %(limit)s", values


def reached_values(projects: Mapping[int, int]) -> dict[str, list[object]]:
    """The parameters of CUMULATIVE: the project of each state that counts as come to."""
    return columns(sorted(projects.items()), names=("states", "projects"))
