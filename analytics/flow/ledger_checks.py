"""Ledger checks of tasks: live rows against their last facts, beginnings, and the order of the two clocks."""

from analytics.engine.family import LedgerCheck

# Rows and last facts in one heap, brought together by GROUP BY: a join would be planned for a tenant of one row. A task
# without a row must be off the board; of one that was discarded the row may name any state.
LIVE_ROW = """
SELECT task_id, max(told) FILTER (WHERE is_row) AS is_now, max(told) FILTER (WHERE NOT is_row) AS must_be
  FROM (SELECT t.id AS task_id, true AS is_row,
               CASE WHEN t.discarded_at IS NULL THEN format('in state %%s of project %%s', t.state_id, t.project_id)
                    ELSE 'discarded' END || format(', with actor %%s', coalesce(t.assignee_id, 0)) AS told
          FROM task t WHERE t.tenant_id = %(tenant)s
         UNION ALL
        SELECT f.task_id, false, CASE WHEN f.place[3] = 4 THEN 'discarded'
                                      ELSE format('in state %%s of project %%s', f.place[5], f.place[4]) END
                                 || format(', with actor %%s', coalesce(f.holder[3], 0))
          FROM (SELECT l.task_id,
                       max(ARRAY[extract(epoch FROM l.happened_at), l.seq, l.kind, l.project_id, l.to_id])
                           FILTER (WHERE l.kind <= 5) AS place,
                       max(ARRAY[extract(epoch FROM l.happened_at), l.seq, l.to_id]) FILTER (WHERE l.kind = 7) AS holder
                  FROM task_ledger l WHERE l.tenant_id = %(tenant)s GROUP BY l.task_id) f
         WHERE f.place IS NOT NULL) both_of_them
 GROUP BY task_id
HAVING (max(told) FILTER (WHERE is_row) IS DISTINCT FROM max(told) FILTER (WHERE NOT is_row))
   AND bool_or(NOT is_row) AND (bool_or(is_row) OR NOT bool_or(told LIKE 'discarded%%'))
"""
BASELINE = """
SELECT task_id FROM (
    SELECT t.id AS task_id, false AS is_state FROM task t WHERE t.tenant_id = %(tenant)s
     UNION ALL
    SELECT l.task_id, l.kind <= 5 FROM task_ledger l WHERE l.tenant_id = %(tenant)s) known
 GROUP BY task_id HAVING NOT bool_or(is_state)
"""
ORDER = """
SELECT l.seq, l.happened_at, l.recorded_at FROM task_ledger l
 WHERE l.tenant_id = %(tenant)s AND l.recorded_at < l.happened_at
"""

CHECKS = (
    LedgerCheck(code="LIVE_ROW", found=LIVE_ROW, sentence="Task {1} of {0} is {2}, and by its facts it must be {3}."),
    LedgerCheck(code="BASELINE", found=BASELINE, sentence="Task {1} of {0} has no fact that says where it began."),
    LedgerCheck(code="ORDER", found=ORDER, sentence="Fact {1} of {0} was recorded at {3}, before it happened at {2}."),
)
