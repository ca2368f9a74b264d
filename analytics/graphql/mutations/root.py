"""The type Mutation: each field's resolver, its scope, and what people read about it."""

from collections.abc import Callable, Sequence
from typing import Any

import strawberry

from analytics.flow.graphql.mutations import events, projects, tasks
from analytics.graphql.mutations import jobs, stages
from tasks_app.access.matrix import VALIDATION, Group
from tasks_app.graphql.fields import scoped
from tasks_app.models import Scope


def _writes(
    resolver: Callable[..., Any], description: str, *, narrowed: Sequence[Group] = (), scope: Scope = Scope.TASKS_WRITE
) -> Any:
    needed = scoped(scope, narrowed=narrowed)
    return strawberry.mutation(resolver=resolver, description=description, extensions=[needed])


@strawberry.type
class Mutation:
    create_project = _writes(projects.create_project, "Makes a project with its workflow.")
    create_task = _writes(tasks.create_task, "Makes a task.")
    move_task = _writes(tasks.move_task, "Moves a task to a state; one that it is in already changes nothing.")
    move_tasks = _writes(tasks.move_tasks, "Moves many tasks to one state in one statement, under one correlation id.")
    assign_task = _writes(tasks.assign_task, "Gives a task to somebody, or to nobody.")
    rename_task = _writes(tasks.rename_task, "Gives a task another title.")
    transfer_task = _writes(tasks.transfer_task, "Moves a task to another project of the tenant; it keeps its key.")
    discard_task = _writes(tasks.discard_task, "Takes a task off the board; every earlier day still shows it.")
    restore_task = _writes(tasks.restore_task, "Puts a discarded task back, in the state that it was in.")
    change_states = _writes(
        projects.change_states, "Renames, reorders, recategorises, adds and archives states; each change is recorded."
    )
    validate_task = _writes(tasks.validate_task, "Validates the state that a task is in.", narrowed=[VALIDATION])
    record_events = _writes(
        events.record_events, "Records up to 1,000 events of another system, each once by its source and externalId."
    )
    submit_analytics_job = _writes(
        jobs.submit_analytics_job,
        "Has a query answered by a job. The same query at the same position of the record is one job.",
        scope=Scope.ANALYTICS_READ,
    )
    cancel_analytics_job = _writes(
        jobs.cancel_analytics_job,
        "Cancels a job of yours. One that has ended stays as it is.",
        scope=Scope.ANALYTICS_READ,
    )
    set_stage = _writes(
        stages.set_stage,
        "Switches a capability to another stage. A step towards ours takes what the gate asks for, or an override.",
        scope=Scope.ADMIN,
    )
