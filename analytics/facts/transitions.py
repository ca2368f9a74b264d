"""Family 1: tasks that move through states.

One rollup row counts the facts of a bucket that took items from `before_id` to `after_id`, seen from one side (`facet`):

    BOARD     subject 0             states; every occupancy, arrival and departure is a sum of these
    ASSIGNEE  subject = an actor    states, of the items in that actor's hands: an item comes with its assignment
    ACTOR     subject = an actor    states, by who made the change
    FURTHEST  subject = an epoch    positions: the items that reached every position above before_id up to after_id

State 0 is off the board. A movement between two projects is kept once for each of them.
"""

from enum import IntEnum

from analytics.facts.family import Column, Family, Grain


class Facet(IntEnum):
    """From which side a row looks at the facts."""

    BOARD = 0
    ASSIGNEE = 1
    ACTOR = 2
    FURTHEST = 3


CONTRIBUTIONS = """
    SELECT m.side, m.happened_at, v.facet, v.subject_id, p.project_id, v.before_id, v.after_id, 1::bigint AS facts
      FROM (SELECT g.*, lag(g.state_id, 1, 0) OVER history AS before_state,
                   lag(g.assignee_id, 1, 0) OVER history AS before_assignee
              FROM (SELECT c.*,
                           coalesce(max(c.state_set) OVER (PARTITION BY c.side, c.item, c.state_run), 0) AS state_id,
                           coalesce(max(c.assignee_set) OVER (PARTITION BY c.side, c.item, c.assignee_run), 0) AS assignee_id
                      FROM (SELECT s.*, count(s.state_set) OVER history AS state_run,
                                   count(s.assignee_set) OVER history AS assignee_run
                              FROM (SELECT f.*, CASE WHEN f.kind = 4 THEN 0 WHEN f.kind <= 5 THEN f.to_id END AS state_set,
                                           CASE WHEN f.kind = 7 THEN f.to_id END AS assignee_set
                                      FROM fact f) s
                            WINDOW history AS (PARTITION BY s.side, s.item ORDER BY s.happened_at, s.seq)) c) g
            WINDOW history AS (PARTITION BY g.side, g.item ORDER BY g.happened_at, g.seq)) m
     CROSS JOIN LATERAL (VALUES
            (0, 0, m.before_state, m.state_id),
            (2, m.actor_id, m.before_state, m.state_id),
            (1, m.assignee_id, CASE WHEN m.before_assignee = m.assignee_id THEN m.before_state ELSE 0 END, m.state_id),
            (1, m.before_assignee, m.before_state, CASE WHEN m.before_assignee = m.assignee_id THEN m.before_state ELSE 0 END)
          ) AS v (facet, subject_id, before_id, after_id)
     CROSS JOIN LATERAL (
            SELECT w.project_id FROM workflow_state w
             WHERE w.tenant_id = %(tenant)s AND w.id IN (v.before_id, v.after_id) GROUP BY w.project_id) p
     WHERE v.before_id <> v.after_id AND (v.facet <> 1 OR v.subject_id <> 0)
     UNION ALL
    SELECT r.side, r.reached_at, 3, r.epoch, r.project_id, r.low, r.high, 1::bigint
      FROM (SELECT v.side, o.epoch, o.project_id, o.position AS high, lead(o.position, 1, -2) OVER down AS low,
                   min(v.first_at) OVER (down ROWS UNBOUNDED PRECEDING) AS reached_at
              FROM (SELECT f.side, f.item, f.to_id AS state_id, min(f.happened_at) AS first_at
                      FROM fact f WHERE f.kind <= 5 AND f.kind <> 4 GROUP BY f.side, f.item, f.to_id) v
              JOIN unnest(%(epochs)s::int[], %(order_projects)s::int[], %(states)s::int[], %(positions)s::int[])
                   AS o (epoch, project_id, state_id, position) ON o.state_id = v.state_id
            WINDOW down AS (PARTITION BY v.side, v.item, o.project_id, o.epoch ORDER BY o.position DESC)) r
     WHERE r.low < r.high
"""

TRANSITIONS = Family(
    name="transitions",
    ledger="task_ledger",
    tail="task_tail",
    rollup="task_rollup",
    item="task_id",
    only="l.kind <= 5 OR l.kind = 7",
    reads=("kind", "to_id", "actor_id"),
    contributions=CONTRIBUTIONS,
    dimensions=(
        Column(name="facet", type="smallint"),
        Column(name="subject_id"),
        Column(name="project_id"),
        Column(name="before_id"),
        Column(name="after_id"),
    ),
    measures=(Column(name="facts", type="bigint"),),
    grains=(Grain.MINUTE, Grain.HOUR, Grain.DAY, Grain.MONTH),
)
