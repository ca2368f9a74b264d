"""Mutations of tasks: of each its input, its payload, and what it does."""

from datetime import datetime

import strawberry
from django.db import connection

from analytics.flow.graphql.mutations.attempt import attempt
from analytics.flow.graphql.tasks import Task
from tasks_app.access.matrix import VALIDATION
from tasks_app.graphql.asking import Info
from tasks_app.graphql.attempts import Payload
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import (
    LeftOutIsNull,
    actor_pk,
    checked_length,
    client_mutation_id,
    happened_at,
    optional,
)
from tasks_app.graphql.mutation_fields import mutation
from tasks_app.models import Scope
from tasks_app.operations import tasks
from tasks_app.refusals import Refused

# The ledger's triggers take the same number for every row of a transaction.
CORRELATION = "/* mutations.correlation */ SELECT txid_current()"


@strawberry.input(description="A new task.")
class CreateTaskInput(LeftOutIsNull):
    project: str = strawberry.field(description="The project's key.")
    title: str = strawberry.field(description="1 to 1,000 characters.")
    state: str | None = optional("The slug of the state to begin in; default: the first in order.")
    assignee: strawberry.ID | None = optional("The id of an Actor; default: nobody.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="A task that was made.")
class CreateTaskPayload(Payload):
    task: Task | None = strawberry.field(description="The task as it is now; null when there are errors.")


@mutation("Makes a task.", scope=Scope.TASKS_WRITE)
def create_task(info: Info, input: CreateTaskInput) -> CreateTaskPayload:  # noqa: A002 - the API's word
    """The new task."""

    def do() -> Outcome:
        task = tasks.create_task(
            tenant_id=info.context.tenant.id,
            project=input.project,
            title=input.title,
            state=input.state,
            assignee_id=actor_pk(input.assignee),
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"task": task.key}

    done = attempt(info, input, do)
    return CreateTaskPayload(task=done.task, **done.shared)


@strawberry.input(description="A task's move to another state of its project.")
class MoveTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    to: str = strawberry.field(description="The state's slug.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="A task that was changed.")
class MoveTaskPayload(Payload):
    task: Task | None = strawberry.field(description="The task as it is now; null when there are errors.")


@mutation("Moves a task to a state; one that it is in already changes nothing.", scope=Scope.TASKS_WRITE)
def move_task(info: Info, input: MoveTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
    """The task in its new state."""

    def do() -> Outcome:
        task = tasks.move_task(
            tenant_id=info.context.tenant.id,
            task=input.task,
            to=input.to,
            actor_id=info.context.caller.actor_id,
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"task": task.key}

    done = attempt(info, input, do)
    return MoveTaskPayload(task=done.task, **done.shared)


@strawberry.input(description="A move of many tasks to one state, each of its own project.")
class MoveTasksInput(LeftOutIsNull):
    tasks: list[str] = strawberry.field(description="The tasks' keys, 1 to 1,000.")
    to: str = strawberry.field(description="The state's slug, which every task's project must have.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="Tasks that were moved together.")
class MoveTasksPayload(Payload):
    tasks: list[Task] = strawberry.field(description="The tasks as they are now, each once, in the order given.")
    correlation_id: str | None = strawberry.field(
        description="What the ledger rows of this move have in common: `activity(filter: {correlationId})` finds them."
    )


@mutation("Moves many tasks to one state in one statement, under one correlation id.", scope=Scope.TASKS_WRITE)
def move_tasks(info: Info, input: MoveTasksInput) -> MoveTasksPayload:  # noqa: A002 - the API's word
    """The tasks in their new state, and what their ledger rows have in common."""

    def do() -> Outcome:
        moved = tasks.move_tasks(
            tenant_id=info.context.tenant.id,
            tasks=input.tasks,
            to=input.to,
            actor_id=info.context.caller.actor_id,
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"tasks": [task.key for task in moved], "correlation": _correlation()}

    done = attempt(info, input, do)
    return MoveTasksPayload(tasks=done.tasks, correlation_id=done.outcome.get("correlation"), **done.shared)


@strawberry.input(description="Who is to do a task.")
class AssignTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    assignee: strawberry.ID | None = optional("The id of an Actor; null or left out: nobody.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@mutation("Gives a task to somebody, or to nobody.", scope=Scope.TASKS_WRITE)
def assign_task(info: Info, input: AssignTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
    """The task in other hands."""

    def do() -> Outcome:
        task = tasks.assign_task(
            tenant_id=info.context.tenant.id,
            task=input.task,
            assignee_id=actor_pk(input.assignee),
            actor_id=info.context.caller.actor_id,
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"task": task.key}

    done = attempt(info, input, do)
    return MoveTaskPayload(task=done.task, **done.shared)


@strawberry.input(description="A task's new title.")
class RenameTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    title: str = strawberry.field(description="1 to 1,000 characters.")
    client_mutation_id: str | None = client_mutation_id()


@mutation("Gives a task another title.", scope=Scope.TASKS_WRITE)
def rename_task(info: Info, input: RenameTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
    """The task with its new title."""

    def do() -> Outcome:
        task = tasks.rename_task(tenant_id=info.context.tenant.id, task=input.task, title=input.title)
        return {"task": task.key}

    done = attempt(info, input, do)
    return MoveTaskPayload(task=done.task, **done.shared)


@strawberry.input(description="A task's move to another project of the tenant. It keeps its key.")
class TransferTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    project: str = strawberry.field(description="The key of the project that it goes to.")
    state: str | None = optional("The slug of the state that it arrives in; default: the first in order.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@mutation("Moves a task to another project of the tenant; it keeps its key.", scope=Scope.TASKS_WRITE)
def transfer_task(info: Info, input: TransferTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
    """The task on its new board."""

    def do() -> Outcome:
        task = tasks.transfer_task(
            tenant_id=info.context.tenant.id,
            task=input.task,
            project=input.project,
            state=input.state,
            actor_id=info.context.caller.actor_id,
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"task": task.key}

    done = attempt(info, input, do)
    return MoveTaskPayload(task=done.task, **done.shared)


@strawberry.input(description="A task that leaves the board; every earlier day still shows it.")
class DiscardTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    reason: str | None = optional("Why, in your words.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="A task that left the board.")
class DiscardTaskPayload(Payload):
    task_key: str | None = strawberry.field(description="The task's key; null when there are errors.")


@mutation("Takes a task off the board; every earlier day still shows it.", scope=Scope.TASKS_WRITE)
def discard_task(info: Info, input: DiscardTaskInput) -> DiscardTaskPayload:  # noqa: A002 - the API's word
    """The key of the task that is gone from the board."""

    def do() -> Outcome:
        key = tasks.discard_task(
            tenant_id=info.context.tenant.id,
            task=input.task,
            reason=checked_length(input.reason, name="reason"),
            actor_id=info.context.caller.actor_id,
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"taskKey": key}

    done = attempt(info, input, do)
    return DiscardTaskPayload(task_key=done.outcome.get("taskKey"), **done.shared)


@strawberry.input(description="A discarded task's way back to the board.")
class RestoreTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@mutation("Puts a discarded task back, in the state that it was in.", scope=Scope.TASKS_WRITE)
def restore_task(info: Info, input: RestoreTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
    """The task that is back on the board."""

    def do() -> Outcome:
        task = tasks.restore_task(
            tenant_id=info.context.tenant.id,
            task=input.task,
            actor_id=info.context.caller.actor_id,
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"task": task.key}

    done = attempt(info, input, do)
    return MoveTaskPayload(task=done.task, **done.shared)


@strawberry.input(description="A manager's validation of the state that a task is in.")
class ValidateTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    note: str | None = optional("A note, in your words.")
    happened_at: datetime | None = happened_at()
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="A task that was validated.")
class ValidateTaskPayload(Payload):
    task: Task | None = strawberry.field(description="The task as it is now; null when there are errors.")


@mutation("Validates the state that a task is in.", scope=Scope.TASKS_WRITE, narrowed=[VALIDATION])
def validate_task(info: Info, input: ValidateTaskInput) -> ValidateTaskPayload:  # noqa: A002 - the API's word
    """The task that was validated, by somebody who may."""

    def do() -> Outcome:
        if not VALIDATION.allows(info.context.caller):
            raise Refused(
                "Validating takes the role MANAGER, ADMIN or OWNER; a service key needs the scope ADMIN.",
                code="FORBIDDEN",
            )
        task = tasks.validate_task(
            tenant_id=info.context.tenant.id,
            task=input.task,
            note=checked_length(input.note, name="note"),
            actor_id=info.context.caller.actor_id,
            happened_at=input.happened_at,
            now=info.context.now,
        )
        return {"task": task.key}

    done = attempt(info, input, do)
    return ValidateTaskPayload(task=done.task, **done.shared)


def _correlation() -> str:
    with connection.cursor() as cursor:
        cursor.execute(CORRELATION)
        ((number,),) = cursor.fetchall()
    return str(number)


MUTATIONS = (
    create_task,
    move_task,
    move_tasks,
    assign_task,
    rename_task,
    transfer_task,
    discard_task,
    restore_task,
    validate_task,
)
