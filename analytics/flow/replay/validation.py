"""Validation waits of items, from the stays of items and the VALIDATED facts of task_ledger."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from analytics.engine.statements import as_recorded
from analytics.flow.figures.meanings import Meaning
from analytics.flow.figures.validation import Waits
from analytics.flow.replay.churn import meant
from analytics.flow.replay.flow import after_facts
from analytics.flow.replay.kinds import with_kinds
from tasks_app.models import Kind

# Of an item's moves and validations in their order, what comes next after an entry ends the wait. Validations are in the
# ledger alone; those of the items that ever waited are read by task. The first row says how many these are.
WAITS = with_kinds(
    as_recorded(""",
/* From when to when a state asked for a validation. */
meaning AS MATERIALIZED (
    SELECT * FROM unnest(%(meant_states)s::int[], %(meant_groups)s::int[], %(meant_begins)s::timestamptz[],
                         %(meant_ends)s::timestamptz[]) AS m (state_id, group_id, begin_at, end_at)
),
/* Each move of an item on the board; state 0 is off it. */
seen AS MATERIALIZED (
    SELECT * FROM (
        SELECT task_id, seq, happened_at, counted,
               CASE WHEN before_id = ANY (%(states)s::int[]) THEN before_id ELSE 0 END AS before_id,
               CASE WHEN state_id = ANY (%(states)s::int[]) THEN state_id ELSE 0 END AS state_id
          FROM fact) f
     WHERE before_id <> state_id
),
/* Each validation of an item that ever waited for one. */
validation AS MATERIALIZED (
    SELECT l.task_id, l.seq, l.happened_at, l.actor_id
      FROM task_ledger l
     WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.kind = {VALIDATED} AND l.happened_at < %(until)s
       AND {visible}
       AND l.task_id IN (SELECT s.task_id FROM seen s WHERE s.state_id = ANY (%(meant_states)s::int[]))
),
/* Moves and validations together; the validator of a move is 0. */
event AS (
    SELECT task_id, seq, happened_at, state_id, counted, 0 AS validator FROM seen
     UNION ALL
    SELECT task_id, seq, happened_at, 0, %(actor)s::int IS NULL OR actor_id = %(actor)s::int, actor_id FROM validation
),
/* Each of them with the next one of its item. */
turn AS (
    SELECT e.*, lead(happened_at) OVER history AS ended_at, lead(seq) OVER history AS ended_seq,
           lead(validator) OVER history AS ended_by,
           lead(counted) OVER history AS ends
      FROM event e WINDOW history AS (PARTITION BY task_id ORDER BY happened_at, seq)
),
/* Each wait that lasts, or that ended in the window: from the entry to what came next. */
wait AS MATERIALIZED (
    SELECT m.group_id, t.ended_by, t.ended_at - t.happened_at AS lasted, t.ended_at IS NULL AS lasts,
           t.task_id, t.seq, t.happened_at, t.ended_at, t.ended_seq
      FROM turn t
      JOIN meaning m ON m.state_id = t.state_id AND t.happened_at >= m.begin_at AND t.happened_at < m.end_at
     WHERE (t.ended_at IS NULL AND %(actor)s::int IS NULL) OR (t.ends AND t.ended_at >= %(from)s)
)
""")
)
COUNTED = """
SELECT 0 AS group_id, 0 AS validator, count(*), 0, 0, NULL::interval AS p50, NULL::interval AS p85, 0::numeric
  FROM validation
 UNION ALL
SELECT group_id, 0, count(*) FILTER (WHERE ended_by <> 0), count(*) FILTER (WHERE ended_by = 0), count(*) FILTER (WHERE lasts),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY lasted) FILTER (WHERE NOT lasts),
       percentile_disc(0.85) WITHIN GROUP (ORDER BY lasted) FILTER (WHERE NOT lasts),
       coalesce(sum(extract(epoch FROM lasted) * 1000000), 0)
  FROM wait GROUP BY 1
 UNION ALL
SELECT group_id, ended_by, count(*), 0, 0, percentile_disc(0.5) WITHIN GROUP (ORDER BY lasted),
       percentile_disc(0.85) WITHIN GROUP (ORDER BY lasted), sum(extract(epoch FROM lasted) * 1000000)
  FROM wait WHERE ended_by <> 0 GROUP BY 1, 2
"""
# Of an actor the items are those that this actor validated, too.
ACTS = int(Kind.VALIDATED)
VALIDATION = after_facts("/* replay.validation */", f"{WAITS}{COUNTED}", acts=ACTS)


def validation_values(
    *, begin: datetime, states: Collection[int], meanings: Iterable[Meaning], groups: Mapping[int, int]
) -> dict[str, Any]:
    """The parameters of VALIDATION: the board's states, and when which of them asked for a validation."""
    needing = (each for each in meanings if each.needs_validation)
    return {"from": begin, "states": sorted(states), **meant(needing, groups=groups)}


def waits(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Waits], int]:
    """What the rows of VALIDATION say, and how many ledger rows were read for it beside the moves."""
    found = [Waits(*row)._replace(microseconds=int(row[-1])) for row in rows]
    return [row for row in found if row.group], sum(row.validated for row in found if not row.group)
