"""A month in the past: tasks of the board WEB with what happened to them in March 2026."""

from datetime import UTC, datetime

from tasks_app.operations import tasks as operations
from tasks_app.tenancy import entered
from tests.cast import Person

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)


def at(day: int, hour: int = 9) -> datetime:
    """An hour of March 2026, UTC."""
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def made(person: Person, *, title: str, created: datetime, moves: dict[datetime, str] | None = None) -> str:
    """A task of WEB with a past; its key."""
    tenant_id, actor_id = person.membership.tenant_id, person.actor.id
    with entered(tenant_id=tenant_id, actor_id=actor_id):
        task = operations.create_task(tenant_id=tenant_id, project="WEB", title=title, happened_at=created, now=NOW)
        for happened_at, to in (moves or {}).items():
            operations.move_task(
                tenant_id=tenant_id, task=task.key, to=to, actor_id=actor_id, happened_at=happened_at, now=NOW
            )
    return task.key
