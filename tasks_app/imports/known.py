"""Known tasks and people of a source: looked up once, made when they are new."""

from typing import Any

from django.db import connection

from tasks_app.models import ActorKind

KNOWN_CASES = """/* imports.known_cases */
SELECT t.external_id, t.id FROM task t
 WHERE t.tenant_id = %(tenant_id)s AND t.origin_id = %(project_id)s AND t.source_id = %(source_id)s
   AND t.external_id <> '' AND t.external_id = ANY (%(cases)s)
"""

NEW_TASK_IDS = """/* imports.new_task_ids */
SELECT nextval('task_id_seq') FROM generate_series(1, %(count)s)
"""

KNOWN_ACTORS = """/* imports.known_actors */
SELECT name, id FROM actor
 WHERE tenant_id = %(tenant_id)s AND kind = %(kind)s AND user_id IS NULL AND api_key_id IS NULL
   AND name = ANY (%(names)s)
"""

NEW_ACTORS = """/* imports.new_actors */
INSERT INTO actor (tenant_id, kind, name)
SELECT %(tenant_id)s, %(kind)s, n.name
  FROM unnest(%(names)s::text[]) WITH ORDINALITY AS n (name, place) ORDER BY n.place
    ON CONFLICT (tenant_id, kind, name) WHERE user_id IS NULL AND api_key_id IS NULL DO NOTHING
"""


def tasks_of_cases(*, tenant_id: int, project_id: int, source_id: int, cases: list[str]) -> dict[str, int]:
    """The ids of those cases of the source that are tasks already."""
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "project_id": project_id,
        "source_id": source_id,
        "cases": cases,
    }
    return _pairs(KNOWN_CASES, values)


def new_task_ids(*, count: int) -> list[int]:
    """Ids for tasks that are about to be made."""
    with connection.cursor() as cursor:
        cursor.execute(NEW_TASK_IDS, {"count": count})
        return [int(row[0]) for row in cursor.fetchall()]


def people_named(*, tenant_id: int, names: list[str]) -> dict[str, int]:
    """The actors that stand for people whom imports name; those that are new are made."""
    values: dict[str, Any] = {"tenant_id": tenant_id, "kind": str(ActorKind.IMPORT), "names": names}
    found = _pairs(KNOWN_ACTORS, values)
    new = [name for name in names if name not in found]
    if not new:
        return found
    with connection.cursor() as cursor:
        cursor.execute(NEW_ACTORS, values | {"names": new})
    return found | _pairs(KNOWN_ACTORS, values | {"names": new})


def _pairs(statement: str, values: dict[str, Any]) -> dict[str, int]:
    if not (values.get("names") or values.get("cases")):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {str(name): int(number) for name, number in cursor.fetchall()}
