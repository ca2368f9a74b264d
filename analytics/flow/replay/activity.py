"""Activity feed: ledger rows as people read them, newest recording first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.engine.statements import counted, page_bound
from analytics.flow.replay.kinds import with_kinds
from tasks_app.models import Kind

DEFINED = int(Kind.DEFINED)

# Each branch is read backwards along (tenant_id, seq) and stops at the limit, so a page costs the same anywhere.
FEED = with_kinds("""/* replay.feed */
SELECT f.seq, f.kind, f.task_id, f.project_id, f.state_id, f.from_id, f.to_id, f.actor_id, f.correlation,
       f.happened_at, f.recorded_at
  FROM ((SELECT l.seq, l.kind, l.task_id, l.project_id, 0 AS state_id, l.from_id, l.to_id, l.actor_id, l.correlation,
                l.happened_at, l.recorded_at
           FROM task_ledger l
          WHERE l.tenant_id = %(tenant)s AND {task_conditions} AND {page} ORDER BY l.seq {direction} LIMIT %(limit)s)
        UNION ALL
        (SELECT l.seq, {DEFINED}, 0, l.project_id, l.state_id, 0, 0, l.actor_id, l.correlation, l.happened_at, l.recorded_at
           FROM definition_ledger l
          WHERE l.tenant_id = %(tenant)s AND {definition_conditions} AND {page}
          ORDER BY l.seq {direction} LIMIT %(limit)s)
       ) f
 ORDER BY f.seq {direction} LIMIT %(limit)s
""")

COUNT = """/* replay.count_feed */
SELECT (SELECT count(*) FROM task_ledger l WHERE l.tenant_id = %(tenant)s AND {task_conditions})
     + (SELECT count(*) FROM definition_ledger l WHERE l.tenant_id = %(tenant)s AND {definition_conditions})
"""

CONDITIONS = {
    "seqs": "l.seq = ANY (%(seqs)s)",
    "project_id": "l.project_id = %(project_id)s",
    "task_id": "l.task_id = %(task_id)s",
    "actor_id": "l.actor_id = %(actor_id)s",
    "kinds": "l.kind = ANY (%(kinds)s)",
    "from_at": "l.happened_at >= %(from_at)s",
    "to_at": "l.happened_at < %(to_at)s",
    "correlation": "l.correlation = %(correlation)s",
    # What was recorded in (known_from, known_to] of some tasks, as far as it can bear upon a figure.
    "explaining": "l.task_id = ANY (%(explaining)s::int[]) AND l.recorded_at > %(known_from)s"
    " AND l.recorded_at <= %(known_to)s AND l.kind = ANY (%(bearing_kinds)s::smallint[]) AND l.happened_at < %(bearing_until)s",
}
# What a definition cannot match is asked of it as false.
OF_DEFINITIONS = {
    **CONDITIONS,
    "task_id": "FALSE",
    "kinds": with_kinds("{DEFINED} = ANY (%(kinds)s)"),
    "explaining": "l.seq = ANY (%(definitions)s::bigint[])",
}

# The fact before each, in the order of its task and of its own sort: states, assignees, titles are each a chain.
# (SELECT ...) hides the tenant's number: of a tenant that is not in the statistics yet the planner expects one row, and
# would then read the whole tenant for each task. The same holds for every look-up by task.
BEFORE = with_kinds("""/* replay.facts_before */
SELECT x.seq, p.to_id, p.happened_at
  FROM unnest(%(seqs)s::bigint[], %(tasks)s::int[], %(kinds)s::smallint[], %(instants)s::timestamptz[])
       AS x (seq, task_id, kind, happened_at)
 CROSS JOIN LATERAL (
       SELECT CASE WHEN l.kind = {DISCARDED} THEN 0 ELSE l.to_id END AS to_id, l.happened_at FROM task_ledger l
        WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.task_id = x.task_id
          AND CASE WHEN l.kind <= {LAST_STATE_KIND} THEN 0 ELSE l.kind END
            = CASE WHEN x.kind <= {LAST_STATE_KIND} THEN 0 ELSE x.kind END
          AND (l.happened_at, l.seq) < (x.happened_at, x.seq)
        ORDER BY l.happened_at DESC, l.seq DESC LIMIT 1) p
""")

DEFINITIONS = """/* replay.definitions_in_feed */
SELECT d.seq, d.slug, d.name, d.category, d.position, d.waiting, d.needs_validation, d.archived, d.timezone,
       p.slug, p.name, p.category, p.position, p.waiting, p.needs_validation, p.archived, p.timezone
  FROM definition_ledger d
  LEFT JOIN LATERAL (
       SELECT * FROM definition_ledger e
        WHERE e.tenant_id = %(tenant)s AND e.project_id = d.project_id AND e.state_id = d.state_id AND e.seq < d.seq
        ORDER BY e.seq DESC LIMIT 1) p ON true
 WHERE d.tenant_id = %(tenant)s AND d.seq = ANY (%(seqs)s)
"""
DEFINITION_FIELDS = ("slug", "name", "category", "position", "waiting", "needsValidation", "archived", "timezone")

WORDS = """/* replay.words */
SELECT 'words', id, words FROM task_words WHERE tenant_id = %(tenant)s AND id = ANY (%(words)s)
 UNION ALL
SELECT 'note', seq, words FROM fact_note WHERE tenant_id = %(tenant)s AND seq = ANY (%(seqs)s)
 UNION ALL
SELECT 'actor', id, name FROM actor WHERE tenant_id = %(tenant)s AND id = ANY (%(actors)s)
"""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One ledger row, of a task (kinds 1 to 8) or of a definition (9; state_id 0 is the project itself)."""

    seq: int
    kind: int
    task_id: int
    project_id: int
    state_id: int
    from_id: int
    to_id: int
    actor_id: int
    correlation: int
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Which ledger rows of a tenant: `filters` are values of CONDITIONS, by name."""

    tenant_id: int
    filters: dict[str, Any] = field(default_factory=dict)

    def read(self, *, where: str, params: Sequence[Any], direction: str, limit: int) -> list[FeedRow]:
        """One page: `where` is a keyset's text over l.seq, with its parameters; `direction` is DESC or ASC."""
        page, named = page_bound(where=where, params=params)
        statement = FEED.format(**self._conditions(), page=page, direction=direction)
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self._values, **named, "limit": limit})
            return [FeedRow(*row) for row in cursor.fetchall()]

    def count(self) -> int:
        """How many rows there are."""
        return counted(COUNT.format(**self._conditions()), values=self._values)

    def _conditions(self) -> dict[str, str]:
        return {
            "task_conditions": _joined(CONDITIONS, self.filters),
            "definition_conditions": _joined(OF_DEFINITIONS, self.filters),
        }

    @property
    def _values(self) -> dict[str, Any]:
        return {"tenant": self.tenant_id, **self.filters}


def _joined(conditions: dict[str, str], filters: dict[str, Any]) -> str:
    return " AND ".join(text for name, text in conditions.items() if name in filters) or "TRUE"


def facts_before(*, tenant_id: int, rows: Sequence[FeedRow]) -> dict[int, tuple[int, datetime]]:
    """By seq: what the task's fact before it set, and when; missing for the first of its sort."""
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "seqs": [row.seq for row in rows],
        "tasks": [row.task_id for row in rows],
        "kinds": [row.kind for row in rows],
        "instants": [row.happened_at for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, values)
        return {seq: (to_id, at) for seq, to_id, at in cursor.fetchall()}


def definition_changes(*, tenant_id: int, seqs: Sequence[int]) -> dict[int, list[tuple[str, str | None, str]]]:
    """By seq: (field, old, new) of what a definition changed; old is null where it is the first."""
    with connection.cursor() as cursor:
        cursor.execute(DEFINITIONS, {"tenant": tenant_id, "seqs": list(seqs)})
        rows = cursor.fetchall()
    return {row[0]: _differences(new=row[1:9], old=row[9:17]) for row in rows}


def _differences(*, new: Sequence[Any], old: Sequence[Any]) -> list[tuple[str, str | None, str]]:
    return [
        (name, None if before is None else _text(before), _text(after))
        for name, before, after in zip(DEFINITION_FIELDS, old, new, strict=True)
        if before != after and after != ""
    ]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def words_of(
    *, tenant_id: int, words: Sequence[int], seqs: Sequence[int], actors: Sequence[int]
) -> dict[tuple[str, int], str]:
    """People's words by ("words" | "note" | "actor", id); erased ones are missing."""
    with connection.cursor() as cursor:
        cursor.execute(WORDS, {"tenant": tenant_id, "words": list(words), "seqs": list(seqs), "actors": list(actors)})
        return {(sort, number): text for sort, number, text in cursor.fetchall()}
