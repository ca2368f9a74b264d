"""How states and projects were defined, from definition_ledger."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.engine.statements import as_recorded
from analytics.flow.figures.workflow import StateDefinition, Workflows

STATE_DEFINITIONS = as_recorded("""/* replay.state_definitions */
SELECT l.state_id, l.project_id, l.slug, l.name, l.category, l.position, l.waiting, l.needs_validation, l.archived,
       l.happened_at
  FROM definition_ledger l
 WHERE l.tenant_id = %(tenant)s AND l.state_id <> 0
   AND (%(projects)s::int[] IS NULL OR l.project_id = ANY (%(projects)s))
   AND {visible}
   AND l.seq <> ALL (%(without)s::bigint[])
 ORDER BY l.happened_at, l.seq
""")

BOARDS = as_recorded("""/* replay.boards */
SELECT id, key, name, timezone,
       CASE WHEN %(known_at)s::timestamptz IS NULL AND %(snapshot)s::text IS NULL THEN recorded_since ELSE (
           SELECT min(l.happened_at) FROM definition_ledger l
            WHERE l.tenant_id = %(tenant)s AND l.project_id = project.id
              AND {visible}) END
  FROM project
 WHERE tenant_id = %(tenant)s AND (%(key)s::text IS NULL OR key = %(key)s)
 ORDER BY id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFacts:
    """A project, as far as charts need it. `recorded_since` None: nothing of it was known yet."""

    id: int
    key: str
    name: str
    timezone: str
    recorded_since: datetime | None


def boards(
    *, tenant_id: int, key: str | None, known_at: datetime | None = None, snapshot: str | None = None
) -> list[BoardFacts]:
    """The tenant's project of that key (none when it is not there), or all its projects.

    A late fact moves `recorded_since` back, so it is answered as it was known at `known_at` (None: now), or as `snapshot`
    showed it.
    """
    values = {"tenant": tenant_id, "key": key, "known_at": known_at, "snapshot": snapshot}
    with connection.cursor() as cursor:
        cursor.execute(BOARDS, values)
        rows = cursor.fetchall()
    return [
        BoardFacts(id=project, key=name_key, name=name, timezone=zone, recorded_since=since)
        for project, name_key, name, zone, since in rows
    ]


def workflows(
    *,
    tenant_id: int,
    project_ids: Sequence[int] | None,
    known_at: datetime | None = None,
    snapshot: str | None = None,
    frozen: bool = False,
    without: Collection[int] = (),
) -> Workflows:
    """The states of the projects (None: all of the tenant's) through time, as known at `known_at` (None: now).

    With `snapshot` only the definitions that were visible in it count; the ledger rows `without` never do.
    """
    values = {
        "tenant": tenant_id,
        "projects": None if project_ids is None else list(project_ids),
        "known_at": known_at,
        "snapshot": snapshot,
        "without": list(without),
    }
    with connection.cursor() as cursor:
        cursor.execute(STATE_DEFINITIONS, values)
        rows = cursor.fetchall()
    return Workflows((_definition(row) for row in rows), frozen=frozen)


def _definition(row: tuple[int, int, str, str, str, int, bool, bool, bool, datetime]) -> StateDefinition:
    return StateDefinition(
        state_id=row[0],
        project_id=row[1],
        slug=row[2],
        name=row[3],
        category=row[4],
        position=row[5],
        waiting=row[6],
        needs_validation=row[7],
        archived=row[8],
        since=row[9],
    )
