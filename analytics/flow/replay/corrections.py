"""Corrections of items: the rule, in SQL, of when an item is behind a state that it has been to."""

# An item is behind when it is moved to a place below one that it has been to, by the order in force at that moment; so
# each order judges the facts of its own time, against all that came before. A fact that repeats the state moves nothing.
# The facts are grouped and not joined to what was judged: the planner takes that for a few rows and would loop over them.
BEHIND = """
/* Each fact, once for each order of its state's project that had begun by then or was to begin before it ends. */
judged AS (
    SELECT f.task_id, f.seq, f.happened_at, f.state_id <> f.before_id AS moves, o.project_id,
           f.happened_at >= o.begin_at AND o.place < max(o.place)
               OVER (PARTITION BY f.task_id, o.project_id, o.begin_at ORDER BY f.happened_at, f.seq) AS behind
      FROM {facts} f
      LEFT JOIN {orders} o ON o.state_id = f.state_id AND f.happened_at < o.end_at
),
/* Each move of an item, with the project in which the item is behind from then on; 0: in none. */
moved AS (
    SELECT task_id, seq, happened_at, coalesce(max(project_id) FILTER (WHERE behind), 0) AS behind_in
      FROM judged WHERE moves GROUP BY task_id, seq, happened_at
),
/* The same, with the project of the move before. */
marked AS (
    SELECT m.*, lag(behind_in, 1, 0) OVER (PARTITION BY task_id ORDER BY happened_at, seq) AS was_in FROM moved m
),
/* The moves that begin or end a correction, each up to the next one of them. */
span AS (
    SELECT task_id, behind_in, happened_at AS from_at, seq AS from_seq,
           lead(happened_at) OVER history AS to_at, lead(seq) OVER history AS to_seq
      FROM marked WHERE behind_in <> was_in WINDOW history AS (PARTITION BY task_id ORDER BY happened_at, seq)
)
"""


def behind(*, facts: str, orders: str) -> str:
    """The common table expressions up to `span`: task_id, behind_in (0: not behind), from_at, from_seq, to_at, to_seq.

    `facts` is a relation of (task_id, seq, happened_at, before_id, state_id), `orders` one of (state_id, project_id, place,
    begin_at, end_at): where each state stands in its project, and from when to when.
    """
    return BEHIND.format(facts=facts, orders=orders)
