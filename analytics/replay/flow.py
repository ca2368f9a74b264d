"""The figures of the cumulative flow diagram, counted from task_ledger.

Each statement reads the state-setting facts before the window's end once and puts each in its order. What comes back is
small: counts by piece, where the pieces are what the given edges cut time into. Piece 0 is before the first edge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.pure.flow import Movement, Reached
from analytics.pure.workflow import Workflows

# A project's chart needs, beside its own facts, all facts of tasks that were ever transferred: they arrive or leave by facts
# of another project. The index (tenant_id, seq) bounds the scan to the tenant.
IN_ORDER = """
WITH fact AS (
    SELECT l.task_id, l.seq, l.happened_at, l.kind = 4 AS discarded,
           CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END AS state_id,
           lag(CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END, 1, 0) OVER history AS before_id
      FROM task_ledger l
     WHERE l.tenant_id = %(tenant)s AND l.kind <= 5 AND l.happened_at < %(until)s
       AND (%(known_at)s::timestamptz IS NULL OR l.recorded_at <= %(known_at)s)
       AND (%(project)s::int IS NULL OR l.project_id = %(project)s
            OR l.task_id IN (SELECT m.task_id FROM task_ledger m WHERE m.tenant_id = %(tenant)s AND m.kind = 3))
    WINDOW history AS (PARTITION BY l.task_id ORDER BY l.happened_at, l.seq)
)
"""

MOVEMENTS = f"""/* replay.movements */ {IN_ORDER}
SELECT width_bucket(happened_at, %(edges)s::timestamptz[]) AS piece, before_id, state_id, discarded, count(*)
  FROM fact GROUP BY 1, 2, 3, 4
"""

# Of the states that a task visited, from the highest position down: the earliest visit so far is when every line down to the
# next visited position was reached. `orders` has each state's position in each order that the window saw.
REACHED = f"""/* replay.reached */ {IN_ORDER},
visit AS (
    SELECT task_id, state_id, min(happened_at) AS first_at FROM fact WHERE state_id <> 0 GROUP BY task_id, state_id
),
reached AS (
    SELECT o.epoch, o.project_id, o.position AS high, lead(o.position, 1, -2) OVER down AS low,
           min(v.first_at) OVER (down ROWS UNBOUNDED PRECEDING) AS reached_at
      FROM visit v
      JOIN unnest(%(epochs)s::int[], %(projects)s::int[], %(states)s::int[], %(positions)s::int[])
           AS o (epoch, project_id, state_id, position) ON o.state_id = v.state_id
    WINDOW down AS (PARTITION BY v.task_id, o.project_id, o.epoch ORDER BY o.position DESC)
)
SELECT epoch, project_id, low, high, width_bucket(reached_at, %(edges)s::timestamptz[]) AS piece, count(*)
  FROM reached WHERE low < high GROUP BY 1, 2, 3, 4, 5
"""

CORRECTIONS = f"""/* replay.corrections */ {IN_ORDER},
placed AS (
    SELECT f.task_id, f.seq, f.happened_at, p.project_id, p.position
      FROM fact f
      LEFT JOIN unnest(%(states)s::int[], %(projects)s::int[], %(positions)s::int[], %(begins)s::timestamptz[],
                       %(ends)s::timestamptz[]) AS p (state_id, project_id, position, begin_at, end_at)
        ON p.state_id = f.state_id AND (p.begin_at IS NULL OR p.begin_at <= f.happened_at)
       AND (p.end_at IS NULL OR f.happened_at < p.end_at)
),
marked AS (
    SELECT task_id, seq, happened_at,
           coalesce(position < max(position) OVER (PARTITION BY task_id, project_id ORDER BY happened_at, seq), false) AS below
      FROM placed
),
turned AS (
    SELECT m.*, lag(below, 1, false) OVER (PARTITION BY task_id ORDER BY happened_at, seq) AS was_below FROM marked m
),
span AS (
    SELECT task_id, below, happened_at AS from_at,
           lead(happened_at) OVER (PARTITION BY task_id ORDER BY happened_at, seq) AS to_at
      FROM turned WHERE below <> was_below
)
SELECT s.task_id, s.from_at, s.to_at FROM span s
 WHERE s.below AND (s.to_at IS NULL OR s.to_at > %(from)s) AND s.from_at < %(until)s
 ORDER BY s.from_at, s.task_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which facts an answer may see: of one project or the whole tenant, before `until`, as known at `known_at` (None: now)."""

    tenant_id: int
    project_id: int | None
    until: datetime
    known_at: datetime | None

    def parameters(self) -> dict[str, object]:
        """As the statements name them."""
        return {
            "tenant": self.tenant_id,
            "project": self.project_id,
            "until": self.until,
            "known_at": self.known_at,
        }


@dataclass(frozen=True, slots=True)
class Correction:
    """The time in which an item was behind its furthest position; `end` is None while it still is."""

    task_id: int
    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A state's position in one project's order, in one epoch of the window."""

    epoch: int
    project_id: int
    state_id: int
    position: int


def movements(*, scope: Scope, edges: Sequence[datetime]) -> list[Movement]:
    """Every fact in scope, repeats of a state included, so that the counts add up to the ledger rows read."""
    with connection.cursor() as cursor:
        cursor.execute(MOVEMENTS, {**scope.parameters(), "edges": list(edges)})
        return [Movement(*row) for row in cursor.fetchall()]


def reached(*, scope: Scope, edges: Sequence[datetime], orders: Sequence[Order]) -> list[Reached]:
    """When items first came to a position or beyond it, by each order; a visit of no length counts."""
    values = {
        "edges": list(edges),
        "epochs": [order.epoch for order in orders],
        "projects": [order.project_id for order in orders],
        "states": [order.state_id for order in orders],
        "positions": [order.position for order in orders],
    }
    with connection.cursor() as cursor:
        cursor.execute(REACHED, {**scope.parameters(), **values})
        return [Reached(*row) for row in cursor.fetchall()]


def corrections(*, scope: Scope, begin: datetime, workflows: Workflows) -> list[Correction]:
    """The correction windows that touch [begin, scope.until), by the order that was in force at each fact."""
    spans = [span for span in workflows.intervals() if span[0].on_board]
    values = {
        "from": begin,
        "states": [definition.state_id for definition, _, _ in spans],
        "projects": [definition.project_id for definition, _, _ in spans],
        "positions": [definition.position for definition, _, _ in spans],
        "begins": [start for _, start, _ in spans],
        "ends": [end for _, _, end in spans],
    }
    with connection.cursor() as cursor:
        cursor.execute(CORRECTIONS, {**scope.parameters(), **values})
        return [Correction(*row) for row in cursor.fetchall()]
