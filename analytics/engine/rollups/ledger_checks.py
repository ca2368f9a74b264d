"""verify_ledger(): whether the ledger is whole, and every live row is what its facts say."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from analytics.engine.rollups.restating import Owner
from analytics.engine.rollups.verify import Check
from tasks_app.tenancy import DatabaseRole, entered

TIMEOUT_SECONDS = 900

# Rows and last facts in one heap, brought together by GROUP BY: a join would be planned for a tenant of one row. A task
# without a row must be off the board; of one that was discarded the row may name any state.
LIVE_ROW = """/* verify.live_row */
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
BASELINE = """/* verify.baseline */
SELECT task_id FROM (
    SELECT t.id AS task_id, false AS is_state FROM task t WHERE t.tenant_id = %(tenant)s
     UNION ALL
    SELECT l.task_id, l.kind <= 5 FROM task_ledger l WHERE l.tenant_id = %(tenant)s) known
 GROUP BY task_id HAVING NOT bool_or(is_state)
"""
ORDER = """/* verify.order */
SELECT l.seq, l.happened_at, l.recorded_at FROM task_ledger l
 WHERE l.tenant_id = %(tenant)s AND l.recorded_at < l.happened_at
"""
FIRST = "SELECT count(*) OVER (), found.* FROM ({found}) found ORDER BY 2 LIMIT 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """Rows that must not be there, and what people read of the first: {0} is the tenant's slug, the columns follow."""

    code: str
    found: str
    sentence: str


QUESTIONS = (
    _Question(code="LIVE_ROW", found=LIVE_ROW, sentence="Task {1} of {0} is {2}, and by its facts it must be {3}."),
    _Question(code="BASELINE", found=BASELINE, sentence="Task {1} of {0} has no fact that says where it began."),
    _Question(code="ORDER", found=ORDER, sentence="Fact {1} of {0} was recorded at {3}, before it happened at {2}."),
)


def verify_ledger(*, owner: Owner) -> list[Check]:
    """The tenant's live rows against the last facts by order, and its facts against each other, in one snapshot."""
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True, timeout_seconds=TIMEOUT_SECONDS):
        return [_asked(owner, question) for question in QUESTIONS]


def _asked(owner: Owner, question: _Question) -> Check:
    with connection.cursor() as cursor:
        cursor.execute(FIRST.format(found=question.found), {"tenant": owner.id})
        row = cursor.fetchone()
    if row is None:
        return Check(code=question.code, failures=0, first=None)
    failures, *columns = row
    shown = [_shown(value) for value in columns]
    return Check(code=question.code, failures=failures, first=question.sentence.format(owner.slug, *shown))


def _shown(value: Any) -> str:
    if value is None:
        return "gone"
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
