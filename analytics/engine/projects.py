"""Projects of a tenant: their keys, names and zones, and since when anything is recorded of them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.engine.statements import as_recorded

PROJECTS = as_recorded("""/* engine.projects */
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
class ProjectFacts:
    """A project, as far as charts need it. `recorded_since` None: nothing of it was known yet."""

    id: int
    key: str
    name: str
    timezone: str
    recorded_since: datetime | None


def project_facts(
    *, tenant_id: int, key: str | None, known_at: datetime | None = None, snapshot: str | None = None
) -> list[ProjectFacts]:
    """The tenant's project of that key (none when it is not there), or all its projects, by id.

    A late fact moves `recorded_since` back, so it is answered as it was known at `known_at` (None: now), or as `snapshot`
    showed it.
    """
    values = {"tenant": tenant_id, "key": key, "known_at": known_at, "snapshot": snapshot}
    with connection.cursor() as cursor:
        cursor.execute(PROJECTS, values)
        rows = cursor.fetchall()
    return [
        ProjectFacts(id=project, key=name_key, name=name, timezone=zone, recorded_since=since)
        for project, name_key, name, zone, since in rows
    ]
