"""Aging of work in progress at a window's end: when it was started, and how long finished work took."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from analytics.engine.statements import columns
from analytics.flow.figures import workflow
from analytics.flow.figures.aging import Started
from analytics.flow.figures.meanings import Meaning
from analytics.flow.replay.churn import meant
from analytics.flow.replay.flow import after_facts
from analytics.flow.replay.task_names import ItemName

IN_PROGRESS = after_facts(
    "/* replay.in_progress */",
    """
SELECT task_id, state_id
  FROM (SELECT DISTINCT ON (task_id) task_id, state_id FROM fact ORDER BY task_id, happened_at DESC, seq DESC) l
 WHERE state_id = ANY (%(working)s::int[])
""",
)

MEANING = """,
/* From when to when a state was one in progress. */
meaning AS MATERIALIZED (
    SELECT * FROM unnest(%(meant_states)s::int[], %(meant_projects)s::int[], %(meant_begins)s::timestamptz[],
                         %(meant_ends)s::timestamptz[]) AS m (state_id, project_id, begin_at, end_at)
)
"""
# Items are grouped and never joined to what was found of them: see replay.flow. The last of the facts that lead into
# a project's DONE states or out of them says whether and where an item is finished; `tasks` are the items that are asked
# about, null for all that are in progress.
AGED = """,
/* The states that are DONE at the end, and whose they are. */
done AS MATERIALIZED (
    SELECT * FROM unnest(%(done_states)s::int[], %(done_projects)s::int[]) AS d (state_id, project_id)
),
/* Each fact: whether it moves the item, starts it in a project, leads into that project's DONE or out of it. */
told AS MATERIALIZED (
    SELECT f.task_id, f.seq, f.happened_at, f.state_id, f.state_id <> f.before_id AS moves, m.project_id AS starts_in,
           a.project_id AS done_in, a.project_id IS DISTINCT FROM b.project_id AS crosses
      FROM fact f
      LEFT JOIN done b ON b.state_id = f.before_id
      LEFT JOIN done a ON a.state_id = f.state_id
      LEFT JOIN meaning m ON m.state_id = f.state_id AND f.happened_at >= m.begin_at AND f.happened_at < m.end_at
                         AND f.state_id <> f.before_id
),
/* Each item: where it is, when it was first started, where and since when it is done. */
item AS MATERIALIZED (
    SELECT task_id, (array_agg(state_id ORDER BY happened_at DESC, seq DESC))[1] AS state_id,
           coalesce(min(happened_at) FILTER (WHERE starts_in IS NOT NULL), max(happened_at) FILTER (WHERE moves)) AS started_at,
           (array_agg(done_in ORDER BY happened_at DESC, seq DESC) FILTER (WHERE crosses))[1] AS done_in,
           max(happened_at) FILTER (WHERE crosses) AS done_at
      FROM told GROUP BY task_id
),
/* Each item that a project finished, from its first start there to its finish. */
cycle AS (
    SELECT project_id, (extract(epoch FROM max(finished_at) - min(started_at)) * 1000000)::bigint AS microseconds
      FROM (SELECT task_id, done_in AS project_id, done_at AS finished_at, NULL::timestamptz AS started_at
              FROM item WHERE done_in IS NOT NULL AND done_at >= %(compared_since)s
             UNION ALL
            SELECT task_id, starts_in, NULL, happened_at FROM told WHERE starts_in IS NOT NULL) t
     GROUP BY task_id, project_id HAVING max(finished_at) >= min(started_at)
)
SELECT project_id AS id, NULL::int AS state_id, NULL::timestamptz AS started_at, NULL::text[] AS name,
       array_agg(microseconds ORDER BY microseconds) AS lengths
  FROM cycle GROUP BY project_id
 UNION ALL
SELECT task_id, state_id, started_at, (
           SELECT ARRAY[t.key, t.external_id] FROM task t WHERE t.tenant_id = (SELECT %(tenant)s::bigint) AND t.id = i.task_id
            UNION ALL
           SELECT ARRAY[d.key, d.external_id] FROM deleted_task d
            WHERE d.tenant_id = (SELECT %(tenant)s::bigint) AND d.task_id = i.task_id), NULL
  FROM item i
 WHERE CASE WHEN %(tasks)s::int[] IS NULL THEN state_id = ANY (%(working)s::int[]) ELSE task_id = ANY (%(tasks)s::int[]) END
"""
AGING = after_facts("/* replay.aging */", f"{MEANING}{AGED}")


def start_values(*, tasks: Collection[int] | None, meanings: Iterable[Meaning]) -> dict[str, Any]:
    """Which tasks, and what the states of all projects meant, as the statements here name it."""
    started = (each for each in meanings if each.category == workflow.IN_PROGRESS)
    return {"tasks": None if tasks is None else sorted(tasks), **meant(started, groups={})}


def finish_values(*, working: Sequence[int], done: Mapping[int, int], compared_since: datetime) -> dict[str, Any]:
    """The other parameters of AGING: states that are in progress at the end, the project of each one that is DONE there.

    Finishes count from `compared_since` on.
    """
    named = columns(sorted(done.items()), names=("done_states", "done_projects"))
    return {"working": list(working), "compared_since": compared_since, **named}


def started_and_finished(
    rows: Iterable[tuple[Any, ...]],
) -> tuple[list[Started], dict[int, ItemName], dict[int, list[int]]]:
    """What the rows of AGING say: items by their first entries into work (of one that has none, by its last move), their
    names, and each project's cycle times in microseconds, in order: from the first start there to the finish.
    """
    started, names, cycle_times = [], {}, {}
    for number, state, started_at, name, lengths in rows:
        if state is None:
            cycle_times[number] = lengths
        else:
            started.append(Started(number, state, started_at))
            names[number] = ItemName(task_id=number, key=name[0], external_id=name[1])
    return started, names, cycle_times
