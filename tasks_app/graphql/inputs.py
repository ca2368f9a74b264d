"""What mutations of the record take, and how it is made clean before it reaches an operation."""

from dataclasses import fields
from datetime import datetime
from typing import Any

import strawberry

from tasks_app.http.node import decode_pk
from tasks_app.imports.event_list import EventIn
from tasks_app.models import StateCategory
from tasks_app.operations.projects import StateSpec
from tasks_app.refusals import Refused

StateCategoryName = strawberry.enum(
    StateCategory, name="StateCategory", description="What a state means for flow. CANCELLED states are off the board."
)
LONGEST_WORDS = 10_000


class LeftOutIsNull:
    """For inputs: what is left out reads like null. UNSET as default keeps `= null` out of the schema."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            if getattr(self, each.name) is strawberry.UNSET:
                setattr(self, each.name, None)


def _optional(description: str) -> Any:
    return strawberry.field(description=description, default=strawberry.UNSET)


def _client_mutation_id() -> Any:
    return _optional(
        "Your own name for this mutation: sent again within 24 hours it answers the same and does nothing."
    )


def _happened_at() -> Any:
    return _optional("When it happened; default now. It may lie in the past, never in the future.")


@strawberry.input(description="A state of a workflow, in the place where it stands in the list.")
class StateInput(LeftOutIsNull):
    name: str = strawberry.field(description="What people call it.")
    slug: str | None = _optional("Names an existing state, which may then be renamed; left out, the state is new.")
    category: StateCategoryName = strawberry.field(description="What it means for flow.")  # type: ignore[valid-type]
    waiting: bool = strawberry.field(description="Whether it is a queue or buffer, for flow efficiency.", default=False)
    needs_validation: bool = strawberry.field(
        description="Whether items here wait for a manager's validation.", default=False
    )


@strawberry.input(description="A new project.")
class CreateProjectInput(LeftOutIsNull):
    key: str = strawberry.field(
        description="A letter, then at most 31 letters, digits and underscores; task keys begin with it."
    )
    name: str = strawberry.field(description="What people call it.")
    timezone: str | None = _optional("The IANA zone of its days; default: the tenant's.")
    states: list[StateInput] = strawberry.field(description="The workflow, in order; 1 to 200 states.")
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A new task.")
class CreateTaskInput(LeftOutIsNull):
    project: str = strawberry.field(description="The project's key.")
    title: str = strawberry.field(description="1 to 1,000 characters.")
    state: str | None = _optional("The slug of the state to begin in; default: the first in order.")
    assignee: strawberry.ID | None = _optional("The id of an Actor; default: nobody.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A task's move to another state of its project.")
class MoveTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    to: str = strawberry.field(description="The state's slug.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A move of many tasks to one state, each of its own project.")
class MoveTasksInput(LeftOutIsNull):
    tasks: list[str] = strawberry.field(description="The tasks' keys, 1 to 1,000.")
    to: str = strawberry.field(description="The state's slug, which every task's project must have.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="Who is to do a task.")
class AssignTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    assignee: strawberry.ID | None = _optional("The id of an Actor; null or left out: nobody.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A task's new title.")
class RenameTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    title: str = strawberry.field(description="1 to 1,000 characters.")
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A task's move to another project of the tenant. It keeps its key.")
class TransferTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    project: str = strawberry.field(description="The key of the project that it goes to.")
    state: str | None = _optional("The slug of the state that it arrives in; default: the first in order.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A discarded task's way back to the board.")
class RestoreTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A project's whole workflow, as it is to be from now on.")
class ChangeStatesInput(LeftOutIsNull):
    project: str = strawberry.field(description="The project's key.")
    states: list[StateInput] = strawberry.field(
        description="The whole order. A state that is missing is archived; refused while it holds items."
    )
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A task that leaves the board; every earlier day still shows it.")
class DiscardTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    reason: str | None = _optional("Why, in your words.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="A manager's validation of the state that a task is in.")
class ValidateTaskInput(LeftOutIsNull):
    task: str = strawberry.field(description="The task's key.")
    note: str | None = _optional("A note, in your words.")
    happened_at: datetime | None = _happened_at()
    client_mutation_id: str | None = _client_mutation_id()


@strawberry.input(description="One event of a task that lives elsewhere.")
class EventInput(LeftOutIsNull):
    external_id: str = strawberry.field(description="The event's own id; a source's event is recorded once.")
    project: str = strawberry.field(description="The project's key.")
    task: str = strawberry.field(description="The source's own case id, as in an import.")
    state: str = strawberry.field(description="The slug or name of the state that the task came to.")
    happened_at: datetime = strawberry.field(description="When; never in the future.")
    actor: str | None = _optional("Who did it, as the source names them.")
    title: str | None = _optional("The task's title; read with its first event.")


@strawberry.input(description="Events of a source, in its order: 1 to 1,000.")
class RecordEventsInput(LeftOutIsNull):
    source: str = strawberry.field(description="The source's name, 1 to 200 characters.")
    events: list[EventInput] = strawberry.field(description="The events. All are recorded, or none.")
    client_mutation_id: str | None = _client_mutation_id()


def actor_pk(node_id: str | None) -> int | None:
    """The actor that an assignee's id stands for; None for nobody. Any other text is refused like an unknown actor."""
    if node_id is None:
        return None
    pk = decode_pk(node_id, type_name="Actor")
    if pk is None:
        raise Refused("There is no such actor to assign to.", code="NOT_FOUND", path=("input", "assignee"))
    return pk


def checked_length(text: str | None, *, name: str, longest: int = LONGEST_WORDS) -> str | None:
    """The text, refused when it is longer than can be kept."""
    if text is not None and len(text) > longest:
        raise Refused(f"{name}: {len(text):,} characters are too many; {longest:,} are kept.", path=("input", name))
    return text


def state_spec(given: StateInput) -> StateSpec:
    """The state as the operations take it."""
    return StateSpec(
        name=given.name,
        slug=given.slug,
        category=StateCategory(given.category).value,
        waiting=given.waiting,
        needs_validation=given.needs_validation,
    )


def event_in(given: EventInput) -> EventIn:
    """The event as the operations take it."""
    return EventIn(
        external_id=given.external_id,
        project=given.project,
        task=given.task,
        state=given.state,
        happened_at=given.happened_at,
        actor=given.actor,
        title=given.title,
    )
