"""One random transaction of a load: moves, transfers, discards, assignments, new tasks and late reports, by SQL."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

from tasks_app.operations.projects import StateSpec, change_states, create_project
from tasks_app.tenancy import entered

MOST_LATE_SECONDS = 40 * 86_400
MOST_STATES = 9
MOST_PROJECTS = 4

STATES = """/* audits.states */
SELECT project_id, array_agg(id) FROM workflow_state WHERE tenant_id = %(tenant)s AND NOT archived GROUP BY project_id
"""
TASKS = """/* audits.tasks */
SELECT id, project_id FROM task WHERE tenant_id = %(tenant)s ORDER BY random() LIMIT 8
"""
ACTORS = "/* audits.actors */ SELECT id FROM actor WHERE tenant_id = %(tenant)s AND user_id IS NOT NULL ORDER BY id"
WORKFLOW = """/* audits.workflow */
SELECT p.key, s.slug, s.name, s.category, s.waiting, s.needs_validation
  FROM workflow_state s JOIN project p ON p.tenant_id = s.tenant_id AND p.id = s.project_id
 WHERE s.tenant_id = %(tenant)s AND NOT s.archived ORDER BY p.id, s.position
"""

MOVE = """/* audits.move */
UPDATE task SET state_id = %(state)s
 WHERE tenant_id = %(tenant)s AND id = %(task)s AND project_id = %(project)s AND discarded_at IS NULL
"""
MOVE_SEVERAL = """/* audits.move_several */
UPDATE task SET state_id = %(state)s
 WHERE tenant_id = %(tenant)s AND id = ANY (%(tasks)s) AND project_id = %(project)s AND discarded_at IS NULL
"""
TRANSFER = """/* audits.transfer */
UPDATE task SET project_id = %(other_project)s, state_id = %(other_state)s
 WHERE tenant_id = %(tenant)s AND id = %(task)s AND discarded_at IS NULL
"""
DISCARD = """/* audits.discard */
UPDATE task SET discarded_at = clock_timestamp() WHERE tenant_id = %(tenant)s AND id = %(task)s AND discarded_at IS NULL
"""
RESTORE = """/* audits.restore */
UPDATE task SET discarded_at = NULL WHERE tenant_id = %(tenant)s AND discarded_at IS NOT NULL
"""
ASSIGN = """/* audits.assign */
UPDATE task SET assignee_id = %(assignee)s WHERE tenant_id = %(tenant)s AND id = %(task)s
"""
CREATE = """/* audits.create */
INSERT INTO task (tenant_id, project_id, origin_id, state_id, key, title)
SELECT %(tenant)s, %(project)s, %(project)s, %(state)s, 'NEW-' || nextval('task_id_seq'), 'A new one'
"""
CREATE_LATE = """/* audits.create_late */
INSERT INTO task (tenant_id, project_id, origin_id, state_id, key, title, created_at)
SELECT %(tenant)s, %(project)s, %(project)s, %(state)s, 'NEW-' || nextval('task_id_seq'), 'An older one',
       clock_timestamp() - %(late)s * interval '1 second'
"""
REPORT = """/* audits.report */
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)
VALUES (%(tenant)s, %(actor)s, %(task)s, {project}, {to}, %(actor)s, {kind},
        clock_timestamp() - %(late)s * interval '1 second', gen_random_uuid())
"""
REPORT_MOVE = REPORT.format(project="%(project)s", to="%(state)s", kind=2)
REPORT_TRANSFER = REPORT.format(project="%(other_project)s", to="%(other_state)s", kind=3)
REPORT_DISCARD = REPORT.format(project="%(project)s", to=0, kind=4)
REPORT_ASSIGNMENT = REPORT.format(project="%(project)s", to="coalesce(%(assignee)s, 0)", kind=7)

WEIGHTS = {
    MOVE: 8,
    MOVE_SEVERAL: 1,
    TRANSFER: 2,
    DISCARD: 1,
    RESTORE: 1,
    ASSIGN: 4,
    CREATE: 1,
    CREATE_LATE: 1,
    REPORT_MOVE: 5,
    REPORT_TRANSFER: 1,
    REPORT_DISCARD: 1,
    REPORT_ASSIGNMENT: 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a change may name: states by project, some tasks with their projects, people."""

    states: Mapping[int, Sequence[int]]
    tasks: Sequence[tuple[int, int]]
    actors: Sequence[int]


def surroundings(*, tenant_id: int) -> Surroundings:
    """As they are; to be asked inside the tenant."""
    values = {"tenant": tenant_id}
    with connection.cursor() as cursor:
        cursor.execute(STATES, values)
        states = dict(cursor.fetchall())
        cursor.execute(TASKS, values)
        tasks = cursor.fetchall()
        cursor.execute(ACTORS, values)
        actors = [row[0] for row in cursor.fetchall()]
    return Surroundings(states=states, tasks=tasks, actors=actors)


def change_something(*, tenant_id: int, chance: Random) -> str:
    """One transaction of a few changes, and how it ended: committed, rolled back, or refused by another's lock or state."""
    with entered(tenant_id=tenant_id, read_only=True):
        seen = surroundings(tenant_id=tenant_id)
    try:
        with entered(tenant_id=tenant_id, actor_id=chance.choice(seen.actors)):
            for _ in range(chance.randint(1, 3)):
                _change(tenant_id=tenant_id, seen=seen, chance=chance)
            # A commit that comes late: facts of a higher number are there, and folded, before these.
            time.sleep(chance.choice([0, 0, 0, 0.03]))
            if chance.random() < 0.1:
                transaction.set_rollback(True)
                return "rolled back"
    except (IntegrityError, OperationalError) as error:
        if isinstance(error, OperationalError) and not isinstance(error.__cause__, DeadlockDetected):
            raise
        return "refused"
    return "committed"


def _change(*, tenant_id: int, seen: Surroundings, chance: Random) -> None:
    statement = chance.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, _values(tenant_id=tenant_id, seen=seen, chance=chance))
        if chance.random() < 0.1:
            transaction.set_rollback(True)


def _values(*, tenant_id: int, seen: Surroundings, chance: Random) -> dict[str, Any]:
    task, project = chance.choice(seen.tasks)
    other = chance.choice(list(seen.states))
    return {
        "tenant": tenant_id,
        "task": task,
        "tasks": [each for each, _ in seen.tasks],
        "project": project,
        "state": chance.choice(seen.states[project]),
        "other_project": other,
        "other_state": chance.choice(seen.states[other]),
        "actor": chance.choice(seen.actors),
        "assignee": chance.choice([None, *seen.actors]),
        "late": MOST_LATE_SECONDS ** chance.random() - 1,
    }


def redefine_something(*, tenant_id: int, chance: Random) -> str:
    """One change of definitions: a workflow's order, names and categories, a state more, or a board with its first tasks."""
    with entered(tenant_id=tenant_id, read_only=True):
        actor_id = chance.choice(surroundings(tenant_id=tenant_id).actors)
    with entered(tenant_id=tenant_id, actor_id=actor_id):
        found = _workflows(tenant_id)
        if len(found) < MOST_PROJECTS and chance.random() < 0.2:
            return _new_board(tenant_id=tenant_id, key=f"NEW{len(found)}", states=chance.choice(list(found.values())))
        key = chance.choice(list(found))
        change_states(tenant_id=tenant_id, project_key=key, states=_redefined(found[key], chance))
    return "redefined"


def _workflows(tenant_id: int) -> dict[str, list[StateSpec]]:
    found: dict[str, list[StateSpec]] = {}
    with connection.cursor() as cursor:
        cursor.execute(WORKFLOW, {"tenant": tenant_id})
        for key, slug, name, category, waiting, needs_validation in cursor.fetchall():
            spec = StateSpec(
                slug=slug, name=name, category=category, waiting=waiting, needs_validation=needs_validation
            )
            found.setdefault(key, []).append(spec)
    return found


def _redefined(states: Sequence[StateSpec], chance: Random) -> list[StateSpec]:
    first, second = chance.sample(range(len(states)), 2)
    changed = list(states)
    changed[first], changed[second] = changed[second], changed[first]
    if len(states) < MOST_STATES and chance.random() < 0.5:
        category = chance.choice(["TODO", "IN_PROGRESS", "DONE"])
        changed.insert(first, StateSpec(name=f"State {len(states)}", category=category))
    return changed


def _new_board(*, tenant_id: int, key: str, states: Sequence[StateSpec]) -> str:
    project = create_project(tenant_id=tenant_id, key=key, name=key, timezone="America/New_York", states=states)
    seen = surroundings(tenant_id=tenant_id)
    values = {"tenant": tenant_id, "project": project.id, "state": seen.states[project.id][0], "late": 3600}
    with connection.cursor() as cursor:
        for statement in (CREATE, CREATE, CREATE_LATE):
            cursor.execute(statement, values)
    return "new boards"
