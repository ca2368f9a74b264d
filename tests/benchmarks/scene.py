"""A tenant with a board, and tables filled with the same wide tasks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from django.db import connections, transaction

from tests.benchmarks.scratch import owner_cursor

STATES = ("Queued", "Doing", "Review", "Done")
CATEGORIES = ("TODO", "IN_PROGRESS", "IN_PROGRESS", "DONE")

MAKE_TENANT = (
    "/* benchmarks.make_tenant */ INSERT INTO tenant (slug, name, timezone, fiscal_year_start_month, created_at)"
    " VALUES (%s, %s, 'UTC', 1, now()) RETURNING id"
)
MAKE_PROJECT = (
    "/* benchmarks.make_project */ INSERT INTO project (tenant_id, key, name, timezone)"
    " VALUES (%s, 'P', 'Project', 'UTC') RETURNING id"
)
MAKE_STATE = (
    "/* benchmarks.make_state */ INSERT INTO workflow_state (tenant_id, project_id, slug, name, category, position)"
    " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id"
)
MAKE_ACTOR = (
    "/* benchmarks.make_actor */ INSERT INTO actor (tenant_id, kind, name) VALUES (%s, 'JOB', 'benchmark') RETURNING id"
)
# About 450 bytes a row: a title of 380.
MAKE_TASKS = (
    "/* benchmarks.make_tasks */ INSERT INTO {table} (tenant_id, project_id, state_id, key, title)"
    " SELECT %s, %s, %s, 'P-' || n, rpad('A task as wide as people make them, number ' || n || ' ', 380, 'x')"
    " FROM generate_series(1, %s) n RETURNING id"
)

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One tenant, one project, its states in order, one actor: by id."""

    tenant: int
    project: int
    states: list[int]
    actor: int

    def state_after(self, number: int) -> int:
        """States in turn: each call with the next number is a change."""
        return self.states[number % len(self.states)]


def make_scene() -> Scene:
    """A new tenant with an empty board of four states."""
    slug = f"bench-{next(_numbers)}"
    with transaction.atomic(using="owner"):
        tenant = _made(MAKE_TENANT, slug, slug)
        with within(tenant):
            project = _made(MAKE_PROJECT, tenant)
            states = [
                _made(MAKE_STATE, tenant, project, name.lower(), name, category, position)
                for position, (name, category) in enumerate(zip(STATES, CATEGORIES, strict=True))
            ]
            actor = _made(MAKE_ACTOR, tenant)
    return Scene(tenant=tenant, project=project, states=states, actor=actor)


def fill(scene: Scene, *, tables: Iterable[str], tasks: int) -> dict[str, list[int]]:
    """Puts the same tasks into each table, all in the first state; their ids by table."""
    return {table: _filled(scene, table=table, tasks=tasks) for table in tables}


@contextmanager
def within(tenant: int) -> Iterator[None]:
    """A transaction of the owner's session that works for the tenant: policies bind an owner who is no superuser."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(f"SET LOCAL app.tenant_id = '{int(tenant)}'")
        yield


def _filled(scene: Scene, *, table: str, tasks: int) -> list[int]:
    with within(scene.tenant), owner_cursor() as cursor:
        cursor.execute(MAKE_TASKS.format(table=table), [scene.tenant, scene.project, scene.states[0], tasks])
        return [row[0] for row in cursor.fetchall()]


def _made(statement: str, *values: int | str) -> int:
    with owner_cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])
