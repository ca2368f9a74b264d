"""Definitions of states through time, from definition_ledger."""

from collections.abc import Collection, Sequence
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
