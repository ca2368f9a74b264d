"""Family of transitions: tasks that move through states.

One rollup row counts the facts of a bucket that took items from `before_id` to `after_id`, seen from one side (`facet`):

    BOARD     subject 0             states; every occupancy, arrival and departure is a sum of these
    ASSIGNEE  subject = an actor    states, of items in that actor's hands: an item comes and goes with its assignment
    ACTOR     subject = an actor    states, by who made the change
    FURTHEST  subject = an order    places: the items that reached every place above before_id up to after_id

State 0 is off the board, state -1 is in other hands. A movement between two projects is kept once for each of them.
"""

from enum import IntEnum
from typing import Final

from analytics.engine.family import Derived, Family, Measure, Past
from analytics.flow.ledger_checks import CHECKS
from analytics.flow.replay.corrections import behind
from analytics.flow.state_orders import DEFINITIONS
from analytics.pure.segments import Grain


class Facet(IntEnum):
    """From which side a row looks at the facts."""

    BOARD = 0
    ASSIGNEE = 1
    ACTOR = 2
    FURTHEST = 3


# The last state and the last holder up to each fact. max() over (number of the fact, value) packed into one bigint carries
# the last value forward in the order that the rows are sorted in already; counting runs would sort them twice more.
RESOLVE = """
SELECT p.side, p.item, p.seq, p.happened_at, p.kind, p.actor_id, p.before_id, p.after_id, p.before_holder, p.after_holder,
       coalesce(max(CASE WHEN p.before_id <> p.after_id THEN p.happened_at END) OVER earlier, p.happened_at) AS entered_at,
       coalesce(max(CASE WHEN p.before_holder <> p.after_holder THEN p.happened_at END) OVER earlier, p.happened_at)
           AS held_since
  FROM (SELECT c.*, lag(c.after_id, 1, 0) OVER history AS before_id, lag(c.after_holder, 1, 0) OVER history AS before_holder
          FROM (SELECT n.side, n.item, n.seq, n.happened_at, n.kind, n.actor_id,
                       coalesce(max(CASE WHEN n.kind = 4 THEN n.place << 32 WHEN n.kind <= 5 THEN (n.place << 32) | n.to_id END)
                           OVER history & 4294967295, 0)::int AS after_id,
                       coalesce(max(CASE WHEN n.kind = 7 THEN (n.place << 32) | n.to_id END)
                           OVER history & 4294967295, 0)::int AS after_holder
                  FROM (SELECT f.*, row_number() OVER history AS place FROM fact f
                        WINDOW history AS (PARTITION BY f.side, f.item ORDER BY f.happened_at, f.seq)) n
                WINDOW history AS (PARTITION BY n.side, n.item ORDER BY n.happened_at, n.seq)) c
        WINDOW history AS (PARTITION BY c.side, c.item ORDER BY c.happened_at, c.seq)) p
WINDOW earlier AS (PARTITION BY p.side, p.item ORDER BY p.happened_at, p.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
"""

# Each side is a branch of its own, so that a reader of one side leaves the others out.
# An item comes further when it first visits a state that stands above all that it has been to: what it did before never
# changes by that, so a new fact leaves all earlier buckets alone.
CONTRIBUTIONS = """
SELECT m.side, m.happened_at, o.project_id, m.facet, m.subject, m.before_id, m.after_id, 1 AS facts
  FROM (/* BOARD: each fact that moves an item. */
        SELECT r.side, r.happened_at, 0 AS facet, 0 AS subject, r.before_id, r.after_id
          FROM resolved r WHERE r.before_id <> r.after_id
         UNION ALL
        /* ACTOR: the same, by who made it. */
        SELECT r.side, r.happened_at, 2, r.actor_id, r.before_id, r.after_id FROM resolved r WHERE r.before_id <> r.after_id
         UNION ALL
        /* ASSIGNEE: each fact that moves an item that stays in somebody's hands. */
        SELECT r.side, r.happened_at, 1, r.after_holder, r.before_id, r.after_id
          FROM resolved r WHERE r.after_holder <> 0 AND r.before_holder = r.after_holder AND r.before_id <> r.after_id
         UNION ALL
        /* ASSIGNEE: each hand-over of an item on the board, once for who gives and once for who takes it. */
        SELECT r.side, r.happened_at, 1, h.holder, h.before_id, h.after_id
          FROM resolved r
         CROSS JOIN LATERAL (VALUES (r.before_holder, r.after_id, -1), (r.after_holder, -1, r.after_id))
                    AS h (holder, before_id, after_id)
         WHERE r.before_holder <> r.after_holder AND r.after_id <> 0 AND h.holder <> 0) m
  LEFT JOIN place a ON a.state_id = m.after_id
  LEFT JOIN place b ON b.state_id = m.before_id
 CROSS JOIN LATERAL (VALUES (coalesce(a.project_id, b.project_id)),
                            (CASE WHEN a.project_id <> b.project_id THEN b.project_id END)) AS o (project_id)
 WHERE o.project_id IS NOT NULL
 UNION ALL
/* FURTHEST: each first visit of an item to a state that stands above all that it has been to, in each order of its project. */
SELECT d.side, d.first_at, d.project_id, 3, d.order_key, d.low, d.high, 1
  FROM (SELECT v.side, v.first_at, o.order_key, o.project_id, o.place AS high, coalesce(max(o.place) OVER further, -2) AS low
          FROM (/* The first visit of each item to each state. */
                SELECT r.side, r.item, r.after_id, min(r.happened_at) AS first_at FROM resolved r
                 WHERE r.kind <= 5 AND r.after_id <> 0 GROUP BY r.side, r.item, r.after_id) v
          JOIN ordering o ON o.state_id = v.after_id
        WINDOW further AS (PARTITION BY v.side, v.item, o.project_id, o.order_key ORDER BY v.first_at, o.place
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) d
 WHERE d.low < d.high
"""

STATE_FACTS = """(SELECT r.item AS task_id, r.seq, r.happened_at, r.before_id, r.after_id AS state_id
                                 FROM resolved r WHERE r.side = 1 AND r.kind <= 5)"""
CORRECTIONS = f"""
SELECT s.task_id, s.from_at AS begin_at, s.from_seq AS seq, s.behind_in AS project_id, s.to_at AS end_at
  FROM (WITH {behind(facts=STATE_FACTS, orders="epoch")} SELECT * FROM span) s
 WHERE s.behind_in <> 0
"""  # noqa: S608 - of the constants above

ITEMS = """
SELECT r.item AS task_id, min(r.happened_at) AS first_at, max(r.happened_at) AS last_at,
       (array_agg(r.seq ORDER BY r.happened_at DESC, r.seq DESC))[1] AS last_seq,
       (array_agg(r.after_id ORDER BY r.happened_at DESC, r.seq DESC))[1] AS state_id,
       (array_agg(r.after_holder ORDER BY r.happened_at DESC, r.seq DESC))[1] AS holder,
       coalesce(array_agg(DISTINCT r.after_id) FILTER (WHERE r.kind <= 5 AND r.after_id <> 0), '{}') AS visited,
       count(*)::int AS facts
  FROM resolved r WHERE r.side = 1 GROUP BY r.item
"""

TASK_FACT = Derived(
    table="task_fact",
    item="task_id",
    key=("task_id", "happened_at", "seq"),
    columns=(
        "task_id",
        "happened_at",
        "seq",
        "kind",
        "actor_id",
        "before_id",
        "after_id",
        "before_holder",
        "after_holder",
        "entered_at",
        "held_since",
    ),
    select="SELECT r.item AS task_id, r.happened_at, r.seq, r.kind, r.actor_id, r.before_id, r.after_id, r.before_holder,"
    " r.after_holder, r.entered_at, r.held_since, r.side FROM resolved r",
    of_facts=True,
)
TASK_CORRECTION = Derived(
    table="task_correction",
    item="task_id",
    key=("task_id", "begin_at", "seq"),
    columns=("task_id", "begin_at", "seq", "project_id", "end_at"),
    select=CORRECTIONS,
)
TASK_ITEM = Derived(
    table="task_item",
    item="task_id",
    key=("task_id",),
    columns=("task_id", "first_at", "last_at", "last_seq", "state_id", "holder", "visited", "facts"),
    select=ITEMS,
)

# It has been to every state that it was in, and then to the one that it is in, in the hands of its last holder. How far it
# came, and where it is, is all that a later fact's contributions depend on; how far it came only by the orders of states.
PAST = Past(
    table="task_item",
    facts="""
        SELECT t.item, v.place AS seq, 2 AS kind, v.state_id AS to_id, 0 AS actor_id
          FROM unnest(t.visited) WITH ORDINALITY AS v (state_id, place) WHERE %(by_order)s
         UNION ALL
        SELECT t.item, t.last_seq, CASE t.state_id WHEN 0 THEN 4 ELSE 2 END, t.state_id, 0 WHERE t.last_at IS NOT NULL
         UNION ALL
        SELECT t.item, t.last_seq, 7, t.holder, 0 WHERE t.holder <> 0
    """,
)

# Facet BOARD (0), by the month (5): some hundred rows a year and board.
SIZES = """/* flow.sizes */
SELECT coalesce(sum(facts), 0)::bigint,
       coalesce(sum(facts) FILTER (WHERE bucket >= %(begin)s AND bucket < %(end)s), 0)::bigint
  FROM task_rollup
 WHERE tenant_id = %(tenant)s AND project_id = ANY (%(projects)s::int[]) AND facet = 0 AND subject = 0 AND grain = 5
"""

# The definitions that the figures follow.
VERSION: Final = "flow/1"
TRANSITIONS = Family(
    name="transitions",
    version=VERSION,
    capability="CUMULATIVE_FLOW",
    ledger="task_ledger",
    tail="task_tail",
    rollup="task_rollup",
    item="task_id",
    only="(l.kind <= 5 OR l.kind = 7)",
    reads=("kind", "to_id", "actor_id"),
    resolve=RESOLVE,
    contributions=CONTRIBUTIONS,
    dimensions=("facet", "subject", "before_id", "after_id"),
    asked=("facet", "subject"),
    measures=(Measure(name="facts"),),
    grains=(Grain.MINUTE, Grain.HOUR, Grain.DAY, Grain.MONTH),
    keep={Grain.MINUTE: 30, Grain.HOUR: 400},
    coarse="facet IN (1, 2)",
    by_order="facet = 3",
    details="""
        SELECT d.tenant_id, d.task_id AS item, d.seq, d.happened_at, d.kind,
               CASE WHEN d.kind = 7 THEN d.after_holder ELSE d.after_id END AS to_id, d.actor_id
          FROM task_fact d
    """,
    definitions=DEFINITIONS,
    derived=(TASK_FACT, TASK_CORRECTION, TASK_ITEM),
    past=PAST,
    sizes=SIZES,
    had_unnamed_receipts=True,
    checks=CHECKS,
)
FAMILIES = (TRANSITIONS,)
