"""Forecast samples: when items came to DONE and left it again, counted from task_ledger."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.flow.figures.forecast import DoneStay
from analytics.flow.replay.flow import Scope, after_facts

# Facts that go into DONE or out of it take turns, so the one after an entry is where that stay ends.
DONE_STAYS = after_facts(
    "/* replay.done_stays */",
    """,
/* Each fact that leads into DONE or out of it, and when the next one did. */
crossing AS (
    SELECT happened_at, counted, state_id = ANY (%(done)s::int[]) AS enters,
           lead(happened_at) OVER (PARTITION BY task_id ORDER BY happened_at, seq) AS left_at
      FROM fact
     WHERE (state_id = ANY (%(done)s::int[])) <> (before_id = ANY (%(done)s::int[]))
)
SELECT width_bucket(happened_at, %(edges)s::timestamptz[]) AS begun,
       CASE WHEN left_at IS NOT NULL THEN width_bucket(left_at, %(edges)s::timestamptz[]) END AS ended, count(*)
  FROM crossing WHERE enters AND counted AND happened_at >= %(from)s GROUP BY 1, 2
""",
)


def done_stays(*, scope: Scope, edges: Sequence[datetime], done: Collection[int]) -> list[DoneStay]:
    """The stays in the `done` states that began at the first edge or later: those of items, or that an actor's facts began.

    Moves from one of these states to another go on with the stay.
    """
    with connection.cursor() as cursor:
        cursor.execute(scope.chosen(DONE_STAYS), {**scope.parameters(), **asked(edges, done)})
        return [DoneStay(*row) for row in cursor.fetchall()]


def asked(edges: Sequence[datetime], done: Collection[int]) -> dict[str, Any]:
    """As DONE_STAYS names them."""
    return {"edges": list(edges), "done": sorted(done), "from": edges[0]}
