"""Event mutations of integrations: what happened elsewhere."""

from datetime import datetime

import strawberry

from tasks_app.graphql.asking import Info
from tasks_app.graphql.attempts import Payload, tried
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import LeftOutIsNull, client_mutation_id, optional
from tasks_app.graphql.mutation_fields import mutation
from tasks_app.imports import event_list as events
from tasks_app.imports.event_list import EventIn
from tasks_app.models import Scope


@strawberry.input(description="One event of a task that lives elsewhere.")
class EventInput(LeftOutIsNull):
    external_id: str = strawberry.field(description="The event's own id; a source's event is recorded once.")
    project: str = strawberry.field(description="The project's key.")
    task: str = strawberry.field(description="The source's own case id, as in an import.")
    state: str = strawberry.field(description="The slug or name of the state that the task came to.")
    happened_at: datetime = strawberry.field(description="When; never in the future.")
    actor: str | None = optional("Who did it, as the source names them.")
    title: str | None = optional("The task's title; read with its first event.")


@strawberry.input(description="Events of a source, in its order: 1 to 1,000.")
class RecordEventsInput(LeftOutIsNull):
    source: str = strawberry.field(description="The source's name, 1 to 200 characters.")
    events: list[EventInput] = strawberry.field(description="The events. All are recorded, or none.")
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="What became of a source's events: each is one of the three.")
class RecordEventsPayload(Payload):
    recorded: int = strawberry.field(description="Events that changed something, first events of new tasks included.")
    unchanged: int = strawberry.field(description="Events that repeat the state that the task was in already.")
    duplicates: int = strawberry.field(description="Events that were recorded before, by their externalId.")


@mutation(
    "Records up to 1,000 events of another system, each once by its source and externalId.", scope=Scope.TASKS_WRITE
)
def record_events(info: Info, input: RecordEventsInput) -> RecordEventsPayload:  # noqa: A002 - the API's word
    """How many of the events were new, repetitions, or known."""

    def do() -> Outcome:
        done = events.record_events(
            tenant_id=info.context.tenant.id,
            source=input.source,
            events=[_event_in(event) for event in input.events],
            now=info.context.now,
        )
        return {"recorded": done.recorded, "unchanged": done.unchanged, "duplicates": done.duplicates}

    done = tried(info, input, do)
    counts = done.outcome or {"recorded": 0, "unchanged": 0, "duplicates": 0}
    return RecordEventsPayload(**counts, **done.shared)


def _event_in(given: EventInput) -> EventIn:
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


MUTATIONS = (record_events,)
