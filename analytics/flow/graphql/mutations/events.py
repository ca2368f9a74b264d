"""Event mutations of integrations: what happened elsewhere."""

from analytics.flow.graphql.mutations.attempt import attempt
from analytics.flow.graphql.mutations.payloads import RecordEventsPayload
from tasks_app.graphql.asking import Info
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import RecordEventsInput, event_in
from tasks_app.imports import event_list as events


def record_events(info: Info, input: RecordEventsInput) -> RecordEventsPayload:  # noqa: A002 - the API's word
    """How many of the events were new, repetitions, or known."""

    def do() -> Outcome:
        done = events.record_events(
            tenant_id=info.context.tenant.id,
            source=input.source,
            events=[event_in(event) for event in input.events],
            now=info.context.now,
        )
        return {"recorded": done.recorded, "unchanged": done.unchanged, "duplicates": done.duplicates}

    done = attempt(info, input, do)
    counts = done.outcome or {"recorded": 0, "unchanged": 0, "duplicates": 0}
    return RecordEventsPayload(**counts, **done.shared)
