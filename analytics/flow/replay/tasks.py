"""Task lists: as the rows are now, or as they were at an instant, as known at another."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.engine.statements import as_recorded, counted, page_bound
from analytics.flow.replay.kinds import with_kinds

# The rows as they are. Pages rely on the primary key (tenant_id, id).
NOW = """
SELECT t.id AS task_id, t.key, t.title, t.external_id, t.project_id, t.state_id, t.assignee_id, t.created_at
  FROM task t WHERE t.tenant_id = %(tenant)s AND t.discarded_at IS NULL
"""

# The last state-setting fact of each task before the instant; discarded ones are in state 0. Names are today's: the ledger
# has ids only.
EVERY = with_kinds(
    as_recorded("""
SELECT p.task_id, coalesce(t.key, d.key) AS key, coalesce(t.title, d.title) AS title,
       coalesce(t.external_id, d.external_id) AS external_id, p.project_id,
       CASE WHEN p.kind = {DISCARDED} THEN 0 ELSE p.to_id END AS state_id,
       (SELECT nullif(l.to_id, 0) FROM task_ledger l
         WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.task_id = p.task_id AND l.kind = {ASSIGNED}
           AND l.happened_at < %(at)s AND {visible}
         ORDER BY l.happened_at DESC, l.seq DESC LIMIT 1) AS assignee_id,
       coalesce(t.created_at, d.created_at) AS created_at
  FROM (SELECT DISTINCT ON (l.task_id) l.task_id, l.project_id, l.to_id, l.kind
          FROM task_ledger l
         WHERE l.tenant_id = %(tenant)s AND l.kind <= {LAST_STATE_KIND} AND l.happened_at < %(at)s
           AND {visible}
         ORDER BY l.task_id, l.happened_at DESC, l.seq DESC) p
  LEFT JOIN task t ON t.tenant_id = %(tenant)s AND t.id = p.task_id
  LEFT JOIN deleted_task d ON d.tenant_id = %(tenant)s AND d.task_id = p.task_id
""")
)
THEN = with_kinds(f"{EVERY} WHERE p.kind <> {{DISCARDED}}\n")

# The facts of the listed task, as far as they had happened and were known. A look-up by task: see replay.activity.
FACTS = with_kinds(
    as_recorded("""
SELECT l.seq, l.happened_at, l.kind, l.actor_id, CASE WHEN l.kind = {DISCARDED} THEN 0 ELSE l.to_id END AS to_id
  FROM task_ledger l
 WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.task_id = x.task_id AND l.happened_at < %(at)s
   AND {visible}
""")
)

# What a filter adds to a list. A list reads as `x`, `{facts}` are those of its task.
CONDITIONS = {
    "project_ids": "x.project_id = ANY (%(project_ids)s)",
    "state_ids": "x.state_id = ANY (%(state_ids)s)",
    "assignee_id": "x.assignee_id = %(assignee_id)s",
    "search": "(x.key ILIKE %(search)s OR x.title ILIKE %(search)s OR x.external_id ILIKE %(search)s)",
    "changed_by": "EXISTS (SELECT FROM ({facts}) c WHERE c.actor_id = %(changed_by)s)",
    # It was in one of the states at some moment of [from, to): it came before `to`, and had not gone before `from`.
    "was_ever_ids": "EXISTS (SELECT FROM (SELECT e.to_id, e.happened_at,"
    " lead(e.happened_at) OVER (ORDER BY e.happened_at, e.seq) AS left_at FROM ({facts}) e WHERE e.kind <= {LAST_STATE_KIND}) v"
    " WHERE v.to_id = ANY (%(was_ever_ids)s)"
    " AND (%(was_ever_to)s::timestamptz IS NULL OR v.happened_at < %(was_ever_to)s)"
    " AND (%(was_ever_from)s::timestamptz IS NULL OR v.left_at IS NULL OR v.left_at > %(was_ever_from)s))",
    # It came to the state it is in before `since`, and nothing took it elsewhere after: the order decides, not what a row
    # showed when a fact was recorded.
    "held_ids": "(x.state_id = ANY (%(held_ids)s)"
    " AND x.state_id = (SELECT h.to_id FROM ({facts}) h WHERE h.kind <= {LAST_STATE_KIND} AND h.happened_at <= %(held_since)s"
    " ORDER BY h.happened_at DESC, h.seq DESC LIMIT 1)"
    " AND NOT EXISTS (SELECT FROM ({facts}) m WHERE m.kind <= {LAST_STATE_KIND} AND m.happened_at > %(held_since)s"
    " AND m.to_id <> x.state_id))",
}

READ_TASKS = "/* replay.tasks */ SELECT x.* FROM ({source}) x WHERE {conditions} ORDER BY {order} LIMIT %(limit)s"
COUNT_TASKS = "/* replay.count_tasks */ SELECT count(*) FROM ({source}) x WHERE {conditions}"
COUNT_BY_STATE = (
    "/* replay.count_by_state */ SELECT x.state_id, count(*) FROM ({source}) x WHERE {conditions} GROUP BY x.state_id"
)

# Tasks by id, discarded ones too. Of one whose row was deleted: where it was last.
BY_ID = with_kinds("""/* replay.tasks_by_id */
SELECT t.id, t.key, t.title, t.external_id, t.project_id, t.state_id, t.assignee_id, t.created_at
  FROM task t WHERE t.tenant_id = %(tenant)s AND t.id = ANY (%(tasks)s::int[])
 UNION ALL
SELECT d.task_id, d.key, d.title, d.external_id, p.project_id, p.to_id, NULL, d.created_at
  FROM deleted_task d
 CROSS JOIN LATERAL (SELECT l.project_id, l.to_id FROM task_ledger l
                      WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.task_id = d.task_id
                        AND l.kind IN ({CREATED}, {MOVED}, {TRANSFERRED}, {RESTORED})
                      ORDER BY l.happened_at DESC, l.seq DESC LIMIT 1) p
 WHERE d.tenant_id = %(tenant)s AND d.task_id = ANY (%(tasks)s::int[])
""")

READ_IDS = "/* replay.task_ids */ SELECT x.task_id FROM ({source}) x WHERE {conditions}"
EVER_ON_BOARD = with_kinds(""" INTERSECT
SELECT m.task_id FROM task_ledger m WHERE m.tenant_id = %(tenant)s AND m.project_id = %(board)s AND m.kind <= {LAST_STATE_KIND}
""")

COUNT_FACTS = with_kinds(
    as_recorded("""/* replay.count_facts */
SELECT count(*) FROM task_ledger l
 WHERE l.tenant_id = %(tenant)s AND l.kind <= {LAST_STATE_KIND} AND l.happened_at < %(at)s
   AND {visible}
""")
)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in a list; project, state and assignee are those of the instant asked for."""

    task_id: int
    key: str
    title: str
    external_id: str
    project_id: int
    state_id: int
    assignee_id: int | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class TaskList:
    """Which tasks. `at`, `known_at` and `snapshot` None: the rows as they are. `filters` are values of CONDITIONS, by name.

    With `snapshot` only the facts that were visible in it count.
    """

    tenant_id: int
    now: datetime
    at: datetime | None = None
    known_at: datetime | None = None
    snapshot: str | None = None
    filters: dict[str, Any] = field(default_factory=dict)

    def narrowed(self, **filters: Any) -> "TaskList":
        """The same list with more filters."""
        return replace(self, filters={**self.filters, **filters})

    @property
    def _source(self) -> str:
        if self.at is None and self.known_at is None and self.snapshot is None:
            return NOW
        return THEN

    @property
    def _conditions(self) -> str:
        texts = (with_kinds(text).format(facts=FACTS) for name, text in CONDITIONS.items() if name in self.filters)
        return " AND ".join(texts) or "TRUE"

    @property
    def _values(self) -> dict[str, Any]:
        # Nothing has happened later than now, so now is no bound at all; but "before now" would lose this very instant.
        at = self.at or datetime.max.replace(tzinfo=self.now.tzinfo)
        return {
            "tenant": self.tenant_id,
            "at": at,
            "known_at": self.known_at,
            "snapshot": self.snapshot,
            **self.filters,
        }

    def read(self, *, where: str, params: Sequence[Any], order: str, limit: int) -> list[TaskRow]:
        """One page: `where` and `order` are a keyset's text over x.task_id, with its parameters."""
        bound, named = page_bound(where=where, params=params)
        statement = READ_TASKS.format(source=self._source, conditions=f"{self._conditions} AND {bound}", order=order)
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self._values, **named, "limit": limit})
            return [TaskRow(*row) for row in cursor.fetchall()]

    def count(self) -> int:
        """How many there are."""
        statement = COUNT_TASKS.format(source=self._source, conditions=self._conditions)
        return counted(statement, values=self._values)

    def count_by_state(self) -> dict[int, int]:
        """How many in each state."""
        statement = COUNT_BY_STATE.format(source=self._source, conditions=self._conditions)
        with connection.cursor() as cursor:
            cursor.execute(statement, self._values)
            return dict(cursor.fetchall())

    def ids_with_discarded(self, *, board: int | None) -> tuple[int, ...]:
        """The tasks that meet the filters, discarded ones, too, which are in no state.

        With `board` those that were ever on the board of that project, wherever they are.
        """
        statement = READ_IDS.format(source=EVERY, conditions=self._conditions)
        statement += "" if board is None else EVER_ON_BOARD
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self._values, "board": board})
            return tuple(task for (task,) in cursor.fetchall())

    def facts_read(self) -> int:
        """The ledger rows that the list is made of; none where it is the rows as they are."""
        return 0 if self._source == NOW else counted(COUNT_FACTS, values=self._values)


def tasks_by_id(*, tenant_id: int, task_ids: Sequence[int]) -> list[TaskRow]:
    """The tasks as they are, discarded and deleted ones as they were last, in any order."""
    with connection.cursor() as cursor:
        cursor.execute(BY_ID, {"tenant": tenant_id, "tasks": list(task_ids)})
        return [TaskRow(*row) for row in cursor.fetchall()]


def search_pattern(text: str) -> str:
    """A text to look for anywhere, with its own wildcards taken literally."""
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, "\\" + sign)
    return f"%{text}%"
