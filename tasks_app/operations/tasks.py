"""Task operations: every write to tasks. Run inside `tenancy.entered`: the triggers take the actor from there.

Without `happened_at` a change happens now: the row is changed and its trigger records it. With an instant in the past it
is reported, and the ledger puts it in its place in the task's history.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from tasks_app.models import Actor, FactNote, Kind, Project, Task, TaskLedger, WorkflowState
from tasks_app.operations.past import Place, check_past, place_at, report_change
from tasks_app.operations.projects import project_named, state_named
from tasks_app.refusals import Refused, not_found

MAX_TITLE = 1000
MAX_MOVES = 1000

TAKE_NUMBER = """/* tasks.take_number */
UPDATE project SET next_task_number = next_task_number + 1 WHERE tenant_id = %s AND id = %s RETURNING next_task_number - 1
"""

MOVE_MANY = """/* tasks.move_many */
UPDATE task t SET state_id = s.id
  FROM workflow_state s
 WHERE t.tenant_id = %(tenant)s AND t.id = ANY (%(tasks)s)
   AND s.tenant_id = %(tenant)s AND s.project_id = t.project_id AND s.slug = %(slug)s AND NOT s.archived
   AND t.state_id <> s.id
"""


def create_task(
    *,
    tenant_id: int,
    project: str,
    title: str,
    state: str | None = None,
    assignee_id: int | None = None,
    happened_at: datetime | None = None,
    now: datetime,
) -> Task:
    """A new task, in the state or the first in order. Its key is the project's key and the next number."""
    board = project_named(tenant_id=tenant_id, key=project)
    target = state_named(project=board, slug=state)
    task = Task(
        tenant_id=tenant_id,
        project=board,
        state=target,
        title=_checked_title(title),
        assignee=_actor(tenant_id=tenant_id, actor_id=assignee_id),
    )
    if happened_at is not None:
        check_past(happened_at=happened_at, now=now)
        task.created_at = happened_at
    with connection.cursor() as cursor:
        cursor.execute(TAKE_NUMBER, [tenant_id, board.id])
        task.key = f"{board.key}-{cursor.fetchall()[0][0]}"
    task.save(force_insert=True)
    return task


def move_task(
    *, tenant_id: int, task: str, to: str, actor_id: int, happened_at: datetime | None = None, now: datetime
) -> Task:
    """The task in the state `to` of its project. A move to the state it is in records nothing."""
    item = task_named(tenant_id=tenant_id, key=task)
    if happened_at is not None:
        place = place_at(task=item, happened_at=happened_at, now=now)
        target = state_named(project=place.project, slug=to, path=("input", "to"))
        report_change(task=item, place=place, kind=Kind.MOVED, to_id=target.id, actor_id=actor_id)
        return task_named(tenant_id=tenant_id, key=task)
    _check_on_board(item)
    item.state = state_named(project=item.project, slug=to, path=("input", "to"))
    item.save(update_fields=["state"])
    return item


def move_tasks(
    *,
    tenant_id: int,
    tasks: Sequence[str],
    to: str,
    actor_id: int,
    happened_at: datetime | None = None,
    now: datetime,
) -> list[Task]:
    """All of the tasks in the state `to`, each of its own project: one statement, one correlation id; all or none."""
    if not 1 <= len(tasks) <= MAX_MOVES:
        raise Refused(f"Give 1 to {MAX_MOVES} tasks, not {len(tasks)}.", path=("input", "tasks"))
    keys = list(dict.fromkeys(tasks))
    if happened_at is not None:
        return [
            move_task(tenant_id=tenant_id, task=key, to=to, actor_id=actor_id, happened_at=happened_at, now=now)
            for key in keys
        ]
    found = {task.key: task for task in _tasks_with_project(tenant_id).filter(key__in=keys)}
    for number, key in enumerate(tasks):
        if key not in found:
            raise not_found(what="task", name=key, path=("input", "tasks", str(number)))
        _check_on_board(found[key], path=("input", "tasks", str(number)))
    for project in {task.project_id: task.project for task in found.values()}.values():
        state_named(project=project, slug=to, path=("input", "to"))
    with connection.cursor() as cursor:
        ids = sorted(task.id for task in found.values())
        cursor.execute(MOVE_MANY, {"tenant": tenant_id, "tasks": ids, "slug": to})
    moved = {task.key: task for task in _tasks_with_project(tenant_id).filter(key__in=keys)}
    return [moved[key] for key in keys]


def assign_task(
    *,
    tenant_id: int,
    task: str,
    assignee_id: int | None,
    actor_id: int,
    happened_at: datetime | None = None,
    now: datetime,
) -> Task:
    """The task in that actor's hands, or nobody's."""
    item = task_named(tenant_id=tenant_id, key=task)
    assignee = _actor(tenant_id=tenant_id, actor_id=assignee_id)
    if happened_at is not None:
        place = place_at(task=item, happened_at=happened_at, now=now)
        to_id = assignee.id if assignee else 0
        report_change(task=item, place=place, kind=Kind.ASSIGNED, to_id=to_id, actor_id=actor_id)
        return task_named(tenant_id=tenant_id, key=task)
    item.assignee = assignee
    item.save(update_fields=["assignee"])
    return item


def rename_task(*, tenant_id: int, task: str, title: str) -> Task:
    """The task with another title. The ledger records the change; the words are kept apart, where they can be erased."""
    item = task_named(tenant_id=tenant_id, key=task)
    item.title = _checked_title(title)
    item.save(update_fields=["title"])
    return item


def transfer_task(
    *,
    tenant_id: int,
    task: str,
    project: str,
    state: str | None = None,
    actor_id: int,
    happened_at: datetime | None = None,
    now: datetime,
) -> Task:
    """The task on another board of the tenant. It keeps its key: links to it go on working."""
    item = task_named(tenant_id=tenant_id, key=task)
    board = project_named(tenant_id=tenant_id, key=project)
    target = state_named(project=board, slug=state)
    if happened_at is not None:
        place = place_at(task=item, happened_at=happened_at, now=now)
        _check_elsewhere(place.project, board)
        arrival = Place(project=board, state_id=target.id, happened_at=happened_at)
        report_change(task=item, place=arrival, kind=Kind.TRANSFERRED, to_id=target.id, actor_id=actor_id)
        return task_named(tenant_id=tenant_id, key=task)
    _check_on_board(item)
    _check_elsewhere(item.project, board)
    item.project, item.state = board, target
    item.save(update_fields=["project", "state"])
    return item


def discard_task(
    *,
    tenant_id: int,
    task: str,
    reason: str | None = None,
    actor_id: int,
    happened_at: datetime | None = None,
    now: datetime,
) -> str:
    """Takes the task off the board from that instant on; every earlier day still shows it. Answers its key."""
    item = task_named(tenant_id=tenant_id, key=task)
    if happened_at is not None:
        place = place_at(task=item, happened_at=happened_at, now=now)
        report_change(task=item, place=place, kind=Kind.DISCARDED, to_id=0, actor_id=actor_id)
    else:
        _check_on_board(item)
        item.discarded_at = now
        item.save(update_fields=["discarded_at"])
    _note(task=item, kind=Kind.DISCARDED, words=reason)
    return item.key


def restore_task(
    *, tenant_id: int, task: str, actor_id: int, happened_at: datetime | None = None, now: datetime
) -> Task:
    """A discarded task back on the board, in the state that it was in."""
    item = task_named(tenant_id=tenant_id, key=task)
    if item.discarded_at is None:
        raise Refused(f"The task {item.key} is on the board already.", path=("input", "task"))
    if happened_at is not None:
        check_past(happened_at=happened_at, now=now)
        if happened_at < item.discarded_at:
            raise Refused(
                f"The task {item.key} was discarded at {item.discarded_at.isoformat()}, after happenedAt.",
                path=("input", "happenedAt"),
            )
        place = Place(project=item.project, state_id=item.state_id, happened_at=happened_at)
        report_change(task=item, place=place, kind=Kind.RESTORED, to_id=item.state_id, actor_id=actor_id)
        return task_named(tenant_id=tenant_id, key=task)
    item.discarded_at = None
    item.save(update_fields=["discarded_at"])
    return item


def validate_task(
    *,
    tenant_id: int,
    task: str,
    note: str | None = None,
    actor_id: int,
    happened_at: datetime | None = None,
    now: datetime,
) -> Task:
    """Records a validation of the state that the task is in. The caller's role is checked at the door."""
    item = task_named(tenant_id=tenant_id, key=task)
    if happened_at is None:
        _check_on_board(item)
        place = Place(project=item.project, state_id=item.state_id, happened_at=None)
    else:
        place = place_at(task=item, happened_at=happened_at, now=now)
    state = WorkflowState.objects.get(tenant_id=tenant_id, id=place.state_id)
    if not state.needs_validation:
        raise Refused(f"The state {state.slug!r} of {item.key} asks for no validation.", path=("input", "task"))
    report_change(task=item, place=place, kind=Kind.VALIDATED, to_id=state.id, actor_id=actor_id)
    _note(task=item, kind=Kind.VALIDATED, words=note)
    return item


def task_named(*, tenant_id: int, key: str, path: Sequence[str] = ("input", "task")) -> Task:
    """The task of that key in the tenant, discarded or not; NOT_FOUND otherwise."""
    task = _tasks_with_project(tenant_id).filter(key=key).first()
    if task is None:
        raise not_found(what="task", name=key, path=path)
    return task


def _tasks_with_project(tenant_id: int) -> QuerySet[Task]:
    return Task.objects.filter(tenant_id=tenant_id).select_related("project", "state", "assignee")


def _actor(*, tenant_id: int, actor_id: int | None) -> Actor | None:
    if actor_id is None:
        return None
    actor = Actor.objects.filter(tenant_id=tenant_id, id=actor_id).first()
    if actor is None:
        raise Refused("There is no such actor to assign to.", code="NOT_FOUND", path=("input", "assignee"))
    return actor


def _check_on_board(task: Task, path: Sequence[str] = ("input", "task")) -> None:
    if task.discarded_at is not None:
        raise Refused(f"The task {task.key} is discarded: restore it first.", path=path)


def _check_elsewhere(here: Project, there: Project) -> None:
    if here.id == there.id:
        raise Refused(f"The task is on the board {there.key!r} already: move it instead.", path=("input", "project"))


def _checked_title(title: str) -> str:
    if not title.strip() or len(title) > MAX_TITLE:
        raise Refused(f"A task needs a title of 1 to {MAX_TITLE} characters.", path=("input", "title"))
    return title


def _note(*, task: Task, kind: Kind, words: str | None) -> None:
    """Keeps a person's words beside the fact that was just recorded."""
    if not words:
        return
    facts = TaskLedger.objects.filter(tenant_id=task.tenant_id, task_id=task.id, kind=kind)
    FactNote.objects.create(tenant_id=task.tenant_id, seq=facts.latest("seq").seq, words=words)
