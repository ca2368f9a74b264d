"""Today's events of the demo, live through the doors that requests use: rows change and their triggers write history."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks_app.demo.story import Change, Story
from tasks_app.models import DefinitionLedger, Task
from tasks_app.operations import tasks
from tasks_app.operations.projects import change_states
from tasks_app.operations.tenants import tenant_named
from tasks_app.tenancy import entered


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """A change with what it needs of the database: its items, and the people's actors."""

    tenant_id: int
    change: Change
    items: list[Task]
    people: Mapping[str, int]
    now: datetime

    @property
    def actor_id(self) -> int:
        return self.people[self.change.by]

    @property
    def keys(self) -> list[str]:
        return [item.key for item in self.items]


def _move(scene: _Scene) -> None:
    tasks.move_tasks(
        tenant_id=scene.tenant_id, tasks=scene.keys, to=scene.change.to, actor_id=scene.actor_id, now=scene.now
    )


def _move_late(scene: _Scene) -> None:
    tasks.move_tasks(
        tenant_id=scene.tenant_id,
        tasks=scene.keys,
        to=scene.change.to,
        actor_id=scene.actor_id,
        happened_at=scene.now - timedelta(days=scene.change.days_ago),
        now=scene.now,
    )


def _validate(scene: _Scene) -> None:
    for item in scene.items:
        if item.state.needs_validation:
            tasks.validate_task(
                tenant_id=scene.tenant_id,
                task=item.key,
                note=scene.change.words,
                actor_id=scene.actor_id,
                now=scene.now,
            )


def _assign(scene: _Scene) -> None:
    for key in scene.keys:
        tasks.assign_task(
            tenant_id=scene.tenant_id,
            task=key,
            assignee_id=scene.people[scene.change.to],
            actor_id=scene.actor_id,
            now=scene.now,
        )


def _rename(scene: _Scene) -> None:
    for key in scene.keys:
        tasks.rename_task(tenant_id=scene.tenant_id, task=key, title=scene.change.to)


def _discard(scene: _Scene) -> None:
    for item in scene.items:
        if item.discarded_at is None:
            tasks.discard_task(
                tenant_id=scene.tenant_id,
                task=item.key,
                reason=scene.change.words,
                actor_id=scene.actor_id,
                now=scene.now,
            )


def _restore(scene: _Scene) -> None:
    for item in scene.items:
        if item.discarded_at is not None:
            tasks.restore_task(tenant_id=scene.tenant_id, task=item.key, actor_id=scene.actor_id, now=scene.now)


def _transfer(scene: _Scene) -> None:
    for item in scene.items:
        if item.project.key != scene.change.to:
            tasks.transfer_task(
                tenant_id=scene.tenant_id,
                task=item.key,
                project=scene.change.to,
                actor_id=scene.actor_id,
                now=scene.now,
            )


DOORS: Mapping[str, Callable[[_Scene], None]] = {
    "move": _move,
    "late move": _move_late,
    "validate": _validate,
    "assign": _assign,
    "rename": _rename,
    "discard": _discard,
    "restore": _restore,
    "transfer": _transfer,
}


def live_through(*, story: Story, people: Mapping[str, int], now: datetime) -> None:
    """The story's live changes, each in a transaction of its own and each by its own person, if they were not made yet.

    The new workflow comes last, and the ledger keeps it: once it is there, everything was done. After a kill in
    between, what was done already is not done again.
    """
    tenant_id = tenant_named(slug=story.slug).id
    with entered(tenant_id=tenant_id, read_only=True):
        names = [state.name for state in story.redefinition.states]
        if _were_all_defined(tenant_id=tenant_id, names=names):
            return
    for change in story.changes:
        with entered(tenant_id=tenant_id, actor_id=people[change.by]):
            items = _items(tenant_id=tenant_id, cases=change.cases)
            DOORS[change.what](_Scene(tenant_id=tenant_id, change=change, items=items, people=people, now=now))
    with entered(tenant_id=tenant_id, actor_id=people[story.redefinition.by]):
        change_states(tenant_id=tenant_id, project_key=story.redefinition.project, states=story.redefinition.states)


def _were_all_defined(*, tenant_id: int, names: list[str]) -> bool:
    defined = DefinitionLedger.objects.filter(tenant_id=tenant_id, name__in=names)
    return defined.values("name").distinct().count() == len(names)


def _items(*, tenant_id: int, cases: tuple[str, ...]) -> list[Task]:
    found = Task.objects.filter(tenant_id=tenant_id, external_id__in=cases).select_related("project", "state")
    return list(found.order_by("id"))
