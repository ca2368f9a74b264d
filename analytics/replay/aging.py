"""Work in progress at a window's end, when it was started, and how long finished work took."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from analytics.pure import workflow
from analytics.pure.meanings import Meaning
from analytics.replay.churn import meant
from analytics.replay.flow import after_facts, columns

IN_PROGRESS = after_facts(
    "/* replay.in_progress */",
    """
SELECT task_id, state_id
  FROM (SELECT DISTINCT ON (task_id) task_id, state_id FROM fact ORDER BY task_id, happened_at DESC, seq DESC) l
 WHERE state_id = ANY (%(working)s::int[])
""",
)

MEANING = """,
meaning AS MATERIALIZED (
    SELECT * FROM unnest(%(meant_states)s::int[], %(meant_projects)s::int[], %(meant_begins)s::timestamptz[],
                         %(meant_ends)s::timestamptz[]) AS m (state_id, project_id, begin_at, end_at)
)
"""
# `fact` is named once, so that the planner reads the facts of these tasks alone.
STARTED = """
SELECT f.task_id, coalesce(min(f.happened_at) FILTER (WHERE m.state_id IS NOT NULL), max(f.happened_at))
  FROM fact f
  LEFT JOIN meaning m ON m.state_id = f.state_id AND f.happened_at >= m.begin_at AND f.happened_at < m.end_at
 WHERE f.task_id = ANY (%(tasks)s::int[]) AND f.state_id <> f.before_id
 GROUP BY f.task_id
"""
STARTS = after_facts("/* replay.starts */", f"{MEANING}{STARTED}")

# The finish of a project: of the facts that lead into its DONE states or out of them, the last one of each item.
FINISHED = """,
done AS MATERIALIZED (
    SELECT * FROM unnest(%(done_states)s::int[], %(done_projects)s::int[]) AS d (state_id, project_id)
),
crossing AS (
    SELECT DISTINCT ON (f.task_id) f.task_id, f.happened_at, a.project_id
      FROM fact f
      LEFT JOIN done b ON b.state_id = f.before_id
      LEFT JOIN done a ON a.state_id = f.state_id
     WHERE a.project_id IS DISTINCT FROM b.project_id
     ORDER BY f.task_id, f.happened_at DESC, f.seq DESC
),
told AS (
    SELECT task_id, project_id, happened_at AS finished_at, NULL::timestamptz AS started_at
      FROM crossing WHERE project_id IS NOT NULL AND happened_at >= %(compared_since)s
     UNION ALL
    SELECT f.task_id, m.project_id, NULL, f.happened_at
      FROM fact f
      JOIN meaning m ON m.state_id = f.state_id AND f.happened_at >= m.begin_at AND f.happened_at < m.end_at
     WHERE f.state_id <> f.before_id
)
SELECT project_id, array_agg(microseconds ORDER BY microseconds)
  FROM (SELECT project_id, (extract(epoch FROM max(finished_at) - min(started_at)) * 1000000)::bigint AS microseconds
          FROM told GROUP BY task_id, project_id HAVING max(finished_at) >= min(started_at)) cycle
 GROUP BY project_id
"""
CYCLE_TIMES = after_facts("/* replay.cycle_times */", f"{MEANING}{FINISHED}")


def start_values(*, tasks: Collection[int], meanings: Iterable[Meaning]) -> dict[str, Any]:
    """The parameters of STARTS: which tasks, and what the states of all projects meant.

    Its rows are the instants of their first entries into work; of a task that has none, of its last move.
    """
    return {"tasks": sorted(tasks), **_in_progress(meanings)}


def cycle_values(*, done: Mapping[int, int], compared_since: datetime, meanings: Iterable[Meaning]) -> dict[str, Any]:
    """The parameters of CYCLE_TIMES: the project of each state that is DONE at the end, and from when on finishes count.

    Its rows have a project's cycle times in microseconds, in order: from the first start there to the finish.
    """
    named = columns(sorted(done.items()), names=("done_states", "done_projects"))
    return {"compared_since": compared_since, **named, **_in_progress(meanings)}


def _in_progress(meanings: Iterable[Meaning]) -> dict[str, list[object]]:
    return meant((each for each in meanings if each.category == workflow.IN_PROGRESS), groups={})
