"""Mutations of tasks."""

from django.db import connection

from analytics.flow.graphql.mutations.attempt import attempt
from analytics.flow.graphql.mutations.payloads import (
    CreateTaskPayload,
    DiscardTaskPayload,
    MoveTaskPayload,
    MoveTasksPayload,
    ValidateTaskPayload,
)
from tasks_app.access.matrix import VALIDATION
from tasks_app.graphql import inputs
from tasks_app.graphql.asking import Info
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import actor_pk, checked_length
from tasks_app.operations import tasks
from tasks_app.refusals import Refused

# The ledger's triggers take the same number for every row of a transaction.
CORRELATION = "/* mutations.correlation */ SELECT txid_current()"


def create_task(info: Info, input: inputs.CreateTaskInput) -> CreateTaskPayload:  # noqa: A002 - the API's word
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


def move_task(info: Info, input: inputs.MoveTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
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


def move_tasks(info: Info, input: inputs.MoveTasksInput) -> MoveTasksPayload:  # noqa: A002 - the API's word
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


def assign_task(info: Info, input: inputs.AssignTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
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


def rename_task(info: Info, input: inputs.RenameTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
    """The task with its new title."""

    def do() -> Outcome:
        task = tasks.rename_task(tenant_id=info.context.tenant.id, task=input.task, title=input.title)
        return {"task": task.key}

    done = attempt(info, input, do)
    return MoveTaskPayload(task=done.task, **done.shared)


def transfer_task(info: Info, input: inputs.TransferTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
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


def discard_task(info: Info, input: inputs.DiscardTaskInput) -> DiscardTaskPayload:  # noqa: A002 - the API's word
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


def restore_task(info: Info, input: inputs.RestoreTaskInput) -> MoveTaskPayload:  # noqa: A002 - the API's word
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


def validate_task(info: Info, input: inputs.ValidateTaskInput) -> ValidateTaskPayload:  # noqa: A002 - the API's word
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
