"""Completion: what was finished, and which way items went, counted from task_ledger."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection

from analytics.engine.statements import columns
from analytics.flow.figures.completion import Finished, Traversal
from analytics.flow.replay.flow import Scope, after_facts

# Of the facts that take an item into DONE or out of it, the last one of each item: if it leads in, the stay lasts.
FINISHED = after_facts(
    "/* replay.finished */",
    """,
/* The last fact of each item that leads into DONE or out of it. */
crossing AS (
    SELECT DISTINCT ON (task_id) happened_at, counted, state_id = ANY (%(done)s::int[]) AS finishes
      FROM fact
     WHERE (state_id = ANY (%(done)s::int[])) <> (before_id = ANY (%(done)s::int[]))
     ORDER BY task_id, happened_at DESC, seq DESC
)
SELECT width_bucket(happened_at, %(edges)s::timestamptz[]) AS piece, count(*)
  FROM crossing WHERE finishes AND counted GROUP BY 1
""",
)

# States are told apart by id, and so a transfer between boards is a step even where both states have one slug; edges go
# by group. States without a group are another board's: nowhere.
STEPS = """,
/* The board's states, each with the number of its group. */
own AS (
    SELECT state_id, group_id FROM unnest(%(states)s::int[], %(groups)s::int[]) AS o (state_id, group_id)
),
/* Each fact that changes the state of an item on this board, with the groups on both sides; 0 is nowhere. */
step AS (
    SELECT f.*, coalesce(b.group_id, 0) AS from_group, coalesce(a.group_id, 0) AS to_group
      FROM fact f
      LEFT JOIN own b ON b.state_id = f.before_id
      LEFT JOIN own a ON a.state_id = f.state_id
     WHERE coalesce(b.state_id, 0) <> coalesce(a.state_id, 0)
)
"""
# Facts that are folded know how long the state before had lasted; of the ledger the step before says it.
TIMED = """,
/* Each step with the time since the item's step before. */
timed AS (
    SELECT s.*, happened_at - lag(happened_at) OVER (PARTITION BY task_id ORDER BY happened_at, seq) AS lasted FROM step s
)
"""
EDGES = """
SELECT from_group, to_group, count(*),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY lasted) FILTER (WHERE from_group <> 0) AS median
  FROM {steps} WHERE counted AND happened_at >= %(from)s
 GROUP BY 1, 2 ORDER BY 1, 2
"""
TRAVERSALS = after_facts("/* replay.traversals */", f"{STEPS}{TIMED}{EDGES.format(steps='timed')}")
# Of facts that have `lasted`.
TRAVERSALS_OF_TIMED = f"{STEPS}{EDGES.format(steps='step')}"


def finished(*, scope: Scope, edges: Sequence[datetime], done: Collection[int]) -> list[Finished]:
    """When the items that are in one of the `done` states at the scope's end began their stay in them.

    Moves from one of these states to another go on with the stay. Of an actor: the stays that the actor's facts began.
    """
    values = {**scope.parameters(), "edges": list(edges), "done": sorted(done)}
    with connection.cursor() as cursor:
        cursor.execute(scope.chosen(FINISHED), values)
        return [Finished(*row) for row in cursor.fetchall()]


def traversals(*, scope: Scope, begin: datetime, groups: Mapping[int, int]) -> list[Traversal]:
    """The steps of [begin, scope.until) from one group of states to another, in the groups' order.

    `groups` has the number, from 1, of each of the board's states; 0 is nowhere. The medians are of the whole stays,
    which may have begun before the window.
    """
    named = columns(list(groups.items()), names=("states", "groups"))
    with connection.cursor() as cursor:
        cursor.execute(scope.chosen(TRAVERSALS), {**scope.parameters(), **named, "from": begin})
        return [Traversal(*row) for row in cursor.fetchall()]
