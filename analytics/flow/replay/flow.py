"""Cumulative flow statements: movements and furthest places of items, counted from task_ledger.

Each statement reads the state-setting facts before the window's end once and puts each in its order. What comes back is
small: counts by piece, where the pieces are what the given edges cut time into. Piece 0 is before the first edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.engine.statements import as_recorded, columns
from analytics.flow.figures.cumulative_flow import Movement, Reached
from analytics.flow.figures.workflow import StateOrder
from analytics.flow.replay.corrections import behind
from analytics.flow.replay.kinds import LAST_STATE_KIND, with_kinds

# A project's chart needs all facts of every task that was ever there: tasks arrive and leave by facts of other projects,
# too. The index (tenant_id, task_id) bounds the scan to the tenant. The whole tenant is a statement of its own: under an
# OR the planner cannot join the project's tasks, and reads the list of them again for each fact once it outgrows work_mem.
OF_PROJECT = with_kinds("""
       AND l.task_id IN (SELECT m.task_id FROM task_ledger m
                          WHERE m.tenant_id = %(tenant)s AND m.project_id = %(project)s AND m.kind <= {LAST_STATE_KIND})
""")
IN_ORDER = with_kinds(
    as_recorded("""
WITH
/* Each fact that sets the state of an item of the scope, with the state before; 0 is nowhere. */
fact AS (
    SELECT l.task_id, l.seq, l.happened_at, l.kind = {DISCARDED} AS discarded, {counted} AS counted,
           CASE WHEN l.kind = {DISCARDED} THEN 0 ELSE l.to_id END AS state_id,
           lag(CASE WHEN l.kind = {DISCARDED} THEN 0 ELSE l.to_id END, 1, 0) OVER history AS before_id
      FROM task_ledger l
     WHERE l.tenant_id = %(tenant)s AND l.kind <= {LAST_STATE_KIND} AND l.happened_at < %(until)s
       AND {visible} /* of items */
{of_tasks}    WINDOW history AS (PARTITION BY l.task_id ORDER BY l.happened_at, l.seq)
)
""")
)

# Where a filter chose items, they are found first, once for all statements: the planner knows how many there are then.
OF_ITEMS = "/* of items */"
CHOSEN_ITEMS = "AND l.task_id = ANY (%(items)s::int[])"

# What an actor changed: only these facts are counted, but the state before each comes from everybody's.
OF_ACTOR = with_kinds("""
       AND l.task_id IN (SELECT m.task_id FROM task_ledger m
                          WHERE m.tenant_id = %(tenant)s AND m.actor_id = %(actor)s AND m.kind <= {acts})
""")

# The board of an assignee: an item is in its state while it is in these hands, and nowhere otherwise. State and holder
# are each carried from the fact that set them to the next one that does: the run that it begins has no other value.
IN_HANDS = with_kinds(
    as_recorded("""
WITH
/* Each fact that sets the state or the holder of an item that was ever in these hands, numbered by the runs of both. */
told AS (
    SELECT l.task_id, l.seq, l.happened_at, l.kind = {DISCARDED} AS discarded,
           CASE WHEN l.kind = {DISCARDED} THEN 0 WHEN l.kind <= {LAST_STATE_KIND} THEN l.to_id END AS state_id,
           CASE WHEN l.kind = {ASSIGNED} THEN l.to_id END AS holder_id,
           count(*) FILTER (WHERE l.kind <= {LAST_STATE_KIND}) OVER history AS state_run,
           count(*) FILTER (WHERE l.kind = {ASSIGNED}) OVER history AS holder_run
      FROM task_ledger l
     WHERE l.tenant_id = %(tenant)s AND (l.kind <= {LAST_STATE_KIND} OR l.kind = {ASSIGNED}) AND l.happened_at < %(until)s
       AND {visible} /* of items */
       AND l.task_id IN (SELECT m.task_id FROM task_ledger m
                          WHERE m.tenant_id = %(tenant)s AND m.kind = {ASSIGNED} AND m.to_id = %(assignee)s)
    WINDOW history AS (PARTITION BY l.task_id ORDER BY l.happened_at, l.seq ROWS UNBOUNDED PRECEDING)
),
/* The same, with the state and the holder that the item has from then on. */
placed AS (
    SELECT t.*, max(state_id) OVER (PARTITION BY task_id, state_run) AS now_in,
           max(holder_id) OVER (PARTITION BY task_id, holder_run) AS now_with
      FROM told t
),
/* The same, with the state as this board shows it; 0 is off it. */
shown AS (
    SELECT p.*, CASE WHEN now_with = %(assignee)s THEN coalesce(now_in, 0) ELSE 0 END AS shown_in FROM placed p
),
/* Each of them with the state before, as statements read facts. */
fact AS (
    SELECT task_id, seq, happened_at, discarded, TRUE AS counted, shown_in AS state_id,
           lag(shown_in, 1, 0) OVER (PARTITION BY task_id ORDER BY happened_at, seq) AS before_id
      FROM shown
)
""")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One text for each sort of scope. What is of a person leaves other projects' states to whoever counts the rows.

    `body` is what follows `fact`, for facts that are read elsewhere.
    """

    of_project: str
    of_tenant: str
    of_assignee: str
    of_actor: str
    body: str


def after_facts(name: str, statement: str, *, acts: int = LAST_STATE_KIND) -> Statement:
    """The statement, reading what each scope has as `fact`: task_id, seq, happened_at, before_id, state_id (0: nowhere),
    discarded, and `counted`, false for what others than the actor asked about did.

    Of an actor the items are those with a fact of this actor of a kind up to `acts`.
    """

    def of_board(of_tasks: str, *, counted: str = "TRUE") -> str:
        facts = IN_ORDER.replace("{of_tasks}", of_tasks.removeprefix("\n")).replace("{counted}", counted)
        return f"{name} {facts} {statement}"

    return Statement(
        of_project=of_board(OF_PROJECT),
        of_tenant=of_board(""),
        of_assignee=f"{name} {IN_HANDS} {statement}",
        of_actor=of_board(OF_ACTOR.replace("{acts}", str(acts)), counted="l.actor_id = %(actor)s"),
        body=statement,
    )


MOVEMENTS = after_facts(
    "/* replay.movements */",
    """
SELECT width_bucket(happened_at, %(edges)s::timestamptz[]) AS piece, before_id, state_id, discarded, count(*)
  FROM fact WHERE counted GROUP BY 1, 2, 3, 4
""",
)

# Of the states that a task visited, from the highest place down: the earliest visit so far is when every line down to
# the next visited place was reached. The arrays have each state's place in each order that the window's buckets end in.
REACHED = after_facts(
    "/* replay.reached */",
    """,
/* The first visit of each item to each state. */
visit AS (
    SELECT task_id, state_id, min(happened_at) AS first_at FROM fact WHERE state_id <> 0 GROUP BY task_id, state_id
),
/* By order and project each place that an item was the first time at or beyond, down to the next lower one that it visited. */
reached AS (
    SELECT o.order_id, o.project_id, o.place AS high, lead(o.place, 1, -2) OVER down AS low,
           min(v.first_at) OVER (down ROWS UNBOUNDED PRECEDING) AS reached_at
      FROM visit v
      JOIN unnest(%(orders)s::int[], %(projects)s::int[], %(states)s::int[], %(places)s::int[])
           AS o (order_id, project_id, state_id, place) ON o.state_id = v.state_id
    WINDOW down AS (PARTITION BY v.task_id, o.project_id, o.order_id ORDER BY o.place DESC)
)
SELECT order_id, project_id, low, high, width_bucket(reached_at, %(edges)s::timestamptz[]) AS piece, count(*)
  FROM reached WHERE low < high GROUP BY 1, 2, 3, 4, 5
""",
)

# As `placed` names them.
ORDERS = """unnest(%(states)s::int[], %(projects)s::int[], %(places)s::int[], %(begins)s::timestamptz[],
                       %(ends)s::timestamptz[])"""
ORDERS_IN_TIME = f"(SELECT * FROM {ORDERS} AS o (state_id, project_id, place, begin_at, end_at))"  # noqa: S608 - our own
BEHIND = f",{behind(facts='fact', orders=ORDERS_IN_TIME)}"
# Instants as numbers: Django reads a timestamp in Python, which takes longer than the statement where there are many.
OVERLAPPING = """
SELECT task_id, (extract(epoch FROM from_at) * 1000000)::bigint, (extract(epoch FROM to_at) * 1000000)::bigint FROM span
 WHERE behind_in <> 0 AND (to_at IS NULL OR to_at > %(from)s OR from_at >= %(from)s)
 ORDER BY from_at, task_id
"""
CORRECTIONS = after_facts("/* replay.corrections */", f"{BEHIND}{OVERLAPPING}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which facts an answer may see: of one project or the whole tenant, before `until`, as known at `known_at`.

    `known_at` None means all that is recorded: nothing is later than now, and a clock that lags must hide nothing.
    With `assignee_id` the items are on the board while that actor holds them; with `actor_id` only that actor's changes
    count, and there are no stocks. Never both.
    With `snapshot` only what was visible in it counts, whatever has been committed since. With `items` only these tasks,
    which have all been on the board.
    """

    tenant_id: int
    project_id: int | None
    until: datetime
    known_at: datetime | None
    assignee_id: int | None = None
    actor_id: int | None = None
    snapshot: str | None = None
    items: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.assignee_id is not None and self.actor_id is not None:
            raise ValueError("actor_id: give assignee_id or actor_id, not both.")

    def chosen(self, statement: Statement) -> str:
        """The statement's text for this scope."""
        text = self._text_of(statement)
        if self.items is not None:
            text = text.replace(OF_ITEMS, CHOSEN_ITEMS)
        return text

    def _text_of(self, statement: Statement) -> str:
        if self.assignee_id is not None:
            return statement.of_assignee
        if self.actor_id is not None:
            return statement.of_actor
        # Items that were chosen are those of the board: to ask for its tasks again would look each up in the list of them.
        is_whole = self.project_id is None or self.items is not None
        return statement.of_tenant if is_whole else statement.of_project

    def parameters(self) -> dict[str, Any]:
        """As the statements name them."""
        return {
            "tenant": self.tenant_id,
            "project": self.project_id,
            "until": self.until,
            "known_at": self.known_at,
            "assignee": self.assignee_id,
            "actor": self.actor_id,
            "snapshot": self.snapshot,
            "items": None if self.items is None else list(self.items),
        }


@dataclass(frozen=True, slots=True)
class Correction:
    """The time in which an item was behind its furthest position, in microseconds; `end` is None while it still is."""

    task_id: int
    begin: int
    end: int | None


def movements(*, scope: Scope, edges: Sequence[datetime]) -> list[Movement]:
    """Every fact in scope, repeats of a state included, so that the counts add up to the ledger rows counted from."""
    with connection.cursor() as cursor:
        cursor.execute(scope.chosen(MOVEMENTS), {**scope.parameters(), "edges": list(edges)})
        return [Movement(*row) for row in cursor.fetchall()]


def reached(
    *, scope: Scope, edges: Sequence[datetime], orders: Sequence[Mapping[int, int]], project_of: Mapping[int, int]
) -> list[Reached]:
    """When items first came to a place or beyond it, by each of the orders of states; a visit of no length counts.

    Of an actor there are none: items have places, changes have not.
    """
    if scope.actor_id is not None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            scope.chosen(REACHED), {**scope.parameters(), **ordered(orders, project_of), "edges": list(edges)}
        )
        return [Reached(*row) for row in cursor.fetchall()]


def corrections(*, scope: Scope, begin: datetime, orders: Sequence[StateOrder]) -> list[Correction]:
    """The correction windows of [begin, scope.until), by the order that was in force at each fact.

    One of no length belongs to the window that contains its instant. Of an actor there are none.
    """
    if scope.actor_id is not None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(scope.chosen(CORRECTIONS), {**scope.parameters(), **placed(orders), "from": begin})
        return [Correction(*row) for row in cursor.fetchall()]


def rows(statement: Statement, *, scope: Scope, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What the statement says in that scope."""
    with connection.cursor() as cursor:
        cursor.execute(scope.chosen(statement), {**scope.parameters(), **values})
        return list(cursor.fetchall())


def ordered(orders: Sequence[Mapping[int, int]], project_of: Mapping[int, int]) -> dict[str, list[object]]:
    """The orders as REACHED names them: by their number, each state's project and place."""
    rows = [
        (number, project_of[state], state, place)
        for number, order in enumerate(orders)
        for state, place in order.items()
    ]
    return columns(rows, names=("orders", "projects", "states", "places"))


def placed(orders: Sequence[StateOrder]) -> dict[str, list[object]]:
    """The orders as CORRECTIONS names them: each state's place and from when to when it held."""
    rows = [
        (state, order.project_id, place, order.begin, order.end)
        for order in orders
        for state, place in order.places.items()
    ]
    return columns(rows, names=("states", "projects", "places", "begins", "ends"))
