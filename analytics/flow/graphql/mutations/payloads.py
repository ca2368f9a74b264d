"""What mutations answer: what was changed, or why nothing was."""

import strawberry

from analytics.flow.graphql.projects import Project
from analytics.flow.graphql.tasks import Task
from tasks_app.graphql.attempts import Payload


@strawberry.type(description="A project that was made or changed.")
class CreateProjectPayload(Payload):
    project: Project | None = strawberry.field(description="The project as it is now; null when there are errors.")


@strawberry.type(description="A task that was made.")
class CreateTaskPayload(Payload):
    task: Task | None = strawberry.field(description="The task as it is now; null when there are errors.")


@strawberry.type(description="A task that was changed.")
class MoveTaskPayload(Payload):
    task: Task | None = strawberry.field(description="The task as it is now; null when there are errors.")


@strawberry.type(description="Tasks that were moved together.")
class MoveTasksPayload(Payload):
    tasks: list[Task] = strawberry.field(description="The tasks as they are now, each once, in the order given.")
    correlation_id: str | None = strawberry.field(
        description="What the ledger rows of this move have in common: `activity(filter: {correlationId})` finds them."
    )


@strawberry.type(description="A task that left the board.")
class DiscardTaskPayload(Payload):
    task_key: str | None = strawberry.field(description="The task's key; null when there are errors.")


@strawberry.type(description="A task that was validated.")
class ValidateTaskPayload(Payload):
    task: Task | None = strawberry.field(description="The task as it is now; null when there are errors.")


@strawberry.type(description="What became of a source's events: each is one of the three.")
class RecordEventsPayload(Payload):
    recorded: int = strawberry.field(description="Events that changed something, first events of new tasks included.")
    unchanged: int = strawberry.field(description="Events that repeat the state that the task was in already.")
    duplicates: int = strawberry.field(description="Events that were recorded before, by their externalId.")
