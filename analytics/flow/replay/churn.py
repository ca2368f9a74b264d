"""Churn of items, what came back, was given up or was started, counted from the steps of items."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analytics.engine.statements import columns
from analytics.flow.figures.churn import ChurnCounts
from analytics.flow.figures.completion import Traversal
from analytics.flow.figures.meanings import Meaning
from analytics.flow.replay.flow import after_facts

# Each fact that moves an item on the board, with what the states on both sides meant at that moment.
MOVES = """,
/* What each state meant, from when to when. */
meaning AS MATERIALIZED (
    SELECT * FROM unnest(%(meant_states)s::int[], %(meant_groups)s::int[], %(meant_projects)s::int[],
                         %(meant_categories)s::text[], %(meant_places)s::int[], %(meant_begins)s::timestamptz[],
                         %(meant_ends)s::timestamptz[])
               AS m (state_id, group_id, project_id, category, place, begin_at, end_at)
),
/* Each fact that moves an item on the board. */
move AS (
    SELECT f.task_id, f.seq, f.happened_at, f.discarded,
           f.counted AND f.happened_at >= %(from)s AND f.happened_at < %(to)s AS counts,
           coalesce(b.state_id, 0) AS before_id, coalesce(a.state_id, 0) AS state_id,
           coalesce(b.group_id, 0) AS from_group, coalesce(a.group_id, 0) AS to_group,
           coalesce(b.category, '') AS was, coalesce(a.category, '') AS becomes,
           coalesce(b.project_id = a.project_id AND a.place < b.place, FALSE) AS back
      FROM fact f
      LEFT JOIN meaning b ON b.state_id = f.before_id AND f.happened_at >= b.begin_at AND f.happened_at < b.end_at
      LEFT JOIN meaning a ON a.state_id = f.state_id AND f.happened_at >= a.begin_at AND f.happened_at < a.end_at
     WHERE coalesce(b.state_id, 0) <> coalesce(a.state_id, 0)
)
"""
# All windows go one way: to put the moves in order twice would take as long as the rest.
# A finish event is reopened by the return that comes before the next finish event, whoever made it.
FOLLOWED = """,
/* Each move, how long the state before had lasted, and when the item was next at work or done. */
timed AS (
    SELECT m.*, happened_at - lead(happened_at) OVER backwards AS lasted,
           min(happened_at) FILTER (WHERE becomes IN ('IN_PROGRESS', 'DONE'))
               OVER (backwards ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS restarted_at
      FROM move m
    WINDOW backwards AS (PARTITION BY task_id ORDER BY happened_at DESC, seq DESC)
),
/* The same, and whether it gives work up and whether that was taken up soon. */
step AS MATERIALIZED (
    SELECT t.*, counts AND was = 'IN_PROGRESS' AND becomes = 'TODO' AS drops,
           coalesce(restarted_at - happened_at < %(within)s::interval, FALSE) AS restarted FROM timed t
),
/* Each entry into DONE and each return from it, with the next of them: what reopens a finish. */
finish AS (
    SELECT task_id, seq, counts, finishes, happened_at,
           lead(happened_at) OVER turns AS turned_at, lead(seq) OVER turns AS turned_seq,
           lead(returns) OVER turns AND lead(happened_at) OVER turns - happened_at < %(within)s::interval AS reopened
      FROM (SELECT s.*, was <> 'DONE' AND becomes = 'DONE' AS finishes,
                   was = 'DONE' AND becomes IN ('TODO', 'IN_PROGRESS') AS returns FROM step s) c
     WHERE finishes OR returns
    WINDOW turns AS (PARTITION BY task_id ORDER BY happened_at, seq)
)
"""
COUNTED = """,
/* Each item, and whether it counts as finished, started, gone back or given up. */
item AS (
    SELECT bool_or(drops) AS reverted, bool_or(back) FILTER (WHERE happened_at < %(to)s) AS went_back,
           (array_agg(counts ORDER BY happened_at DESC, seq DESC) FILTER (WHERE becomes = 'IN_PROGRESS'))
               [count(*) FILTER (WHERE becomes = 'IN_PROGRESS')] AS starts,
           (array_agg(counts AND state_id = ANY (%(done)s::int[]) ORDER BY happened_at DESC, seq DESC)
               FILTER (WHERE happened_at < %(to)s
                         AND (state_id = ANY (%(done)s::int[])) <> (before_id = ANY (%(done)s::int[]))))[1] AS finishes
      FROM step GROUP BY task_id
)
SELECT 'edge' AS what, from_group, to_group, count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY lasted)
  FROM step WHERE back AND counts GROUP BY 2, 3
 UNION ALL
SELECT 'piece', width_bucket(happened_at, %(edges)s::timestamptz[]), 0, count(*), NULL
  FROM step WHERE back AND counts GROUP BY 2
 UNION ALL
SELECT t.what, 0, 0, t.number, NULL
  FROM (SELECT count(*) AS all_of_them, count(*) FILTER (WHERE happened_at <= %(judged)s) AS judged,
               count(*) FILTER (WHERE happened_at <= %(judged)s AND reopened) AS reopened
          FROM finish WHERE counts AND finishes) f
 CROSS JOIN LATERAL (VALUES ('finish_events', f.all_of_them), ('judged_finishes', f.judged), ('reopened', f.reopened))
            AS t (what, number)
 UNION ALL
SELECT 'abandoned', 0, 0, count(*), NULL FROM step WHERE drops AND happened_at <= %(judged)s AND NOT restarted
 UNION ALL
SELECT t.what, 0, 0, t.number, NULL
  FROM (SELECT count(*) FILTER (WHERE finishes) AS finished,
               count(*) FILTER (WHERE finishes AND NOT went_back) AS straight,
               count(*) FILTER (WHERE reverted) AS reverted, count(*) FILTER (WHERE starts) AS started FROM item) i
 CROSS JOIN LATERAL (VALUES ('finished', i.finished), ('finished_straight', i.straight),
                            ('reverted_items', i.reverted), ('started_items', i.started)) AS t (what, number)
"""
CHURN = after_facts("/* replay.churn */", f"{MOVES}{FOLLOWED}{COUNTED}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """The window, the time that counts as soon after, and the last instant of which that time is over."""

    begin: datetime
    end: datetime
    within: timedelta
    judged_until: datetime


def churn_values(
    *,
    judging: Judging,
    edges: Sequence[datetime],
    done: Collection[int],
    meanings: Iterable[Meaning],
    groups: Mapping[int, int],
) -> dict[str, Any]:
    """The parameters of CHURN: what states mean, the number of each one's group, and those that are DONE at the end."""
    return {
        "from": judging.begin,
        "to": judging.end,
        "within": judging.within,
        "judged": judging.judged_until,
        "edges": list(edges),
        "done": sorted(done),
        **meant(meanings, groups=groups),
    }


def meant(meanings: Iterable[Meaning], *, groups: Mapping[int, int]) -> dict[str, list[object]]:
    """The parameters of MOVES."""
    rows = [
        (m.state_id, groups.get(m.state_id, 0), m.project_id, m.category, m.place, m.begin, m.end) for m in meanings
    ]
    names = ("states", "groups", "projects", "categories", "places", "begins", "ends")
    return columns(rows, names=[f"meant_{name}" for name in names])


def churn_counts(rows: Iterable[tuple[Any, ...]]) -> ChurnCounts:
    """What the rows of CHURN say."""
    found = list(rows)
    return ChurnCounts(
        totals={what: number for what, _, _, number, _ in found if what not in ("edge", "piece")},
        back_in_piece={piece: number for what, piece, _, number, _ in found if what == "piece"},
        back=[
            Traversal(before, after, number, median) for what, before, after, number, median in found if what == "edge"
        ],
    )
