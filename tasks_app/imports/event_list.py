"""Event lists of integrations: the same door as an import's, for up to a thousand at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks_app.imports.delivery import Delivery, beginning, changes
from tasks_app.imports.events import MOST_BYTES, Bad, Events
from tasks_app.imports.timestamps import FIRST_YEAR
from tasks_app.imports.workflow import KnownStates
from tasks_app.models import ActorKind
from tasks_app.operations.projects import LONGEST_NAME, project_named
from tasks_app.operations.reporting import actor_named, microseconds
from tasks_app.refusals import Refused

MOST_EVENTS = 1_000

# What a column of an import is called among the fields of an event.
FIELDS = {
    "case_id": "task",
    "timestamp": "happenedAt",
    "state": "state",
    "actor": "actor",
    "title": "title",
    "event_id": "externalId",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventIn:
    """One event: `task` is the source's own case id, `state` a slug or a name, `external_id` the event's own id."""

    external_id: str
    project: str
    task: str
    state: str
    happened_at: datetime
    actor: str | None = None
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecordedEvents:
    """Each event is one of the three: a change, a repetition of the state, an event that is known."""

    recorded: int
    unchanged: int
    duplicates: int


def record_events(*, tenant_id: int, source: str, events: Sequence[EventIn], now: datetime) -> RecordedEvents:
    """Records the events in their order, all or none. Runs inside `entered(...)`.

    An event whose (source, external id) is recorded already, by an import too, is a duplicate and adds nothing. Refused
    with the path of the field that is wrong.
    """
    _check(source=source, events=events, now=now)
    source_id = actor_named(tenant_id=tenant_id, kind=ActorKind.IMPORT, name=source)
    before = beginning()
    deliveries = [
        _delivered(tenant_id=tenant_id, source_id=source_id, key=key, events=events, places=places)
        for key, places in sorted(_by_project(events).items())
    ]
    changed = changes(tenant_id=tenant_id, beginning=before)
    recorded = sum(delivery.recorded for delivery in deliveries)
    duplicates = sum(delivery.duplicates for delivery in deliveries)
    return RecordedEvents(recorded=changed, unchanged=recorded - changed, duplicates=duplicates)


def _by_project(events: Sequence[EventIn]) -> dict[str, list[int]]:
    """The positions of each project's events. Projects are locked in order of keys: no two calls wait in a ring."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, event in enumerate(events):
        places[event.project].append(place)
    return places


def _delivered(*, tenant_id: int, source_id: int, key: str, events: Sequence[EventIn], places: list[int]) -> Delivery:
    project = project_named(tenant_id=tenant_id, key=key, lock=True, path=_path(places[0], "project"))
    delivery = Delivery(tenant_id=tenant_id, project=project, source_id=source_id, states=KnownStates(project))
    these = [events[place] for place in places]
    columns = Events(
        places=places,
        cases=[event.task for event in these],
        instants=[microseconds(event.happened_at) for event in these],
        states=[event.state for event in these],
        actors=[event.actor or "" for event in these],
        titles=[event.title or "" for event in these],
        event_ids=[event.external_id for event in these],
    )
    delivery.deliver(events=columns, on_bad=_refuse)
    return delivery


def _refuse(bad: Bad) -> None:
    raise Refused(f"Event {bad.place + 1}: {bad.reason}.", path=_path(bad.place, FIELDS[bad.column]))


def _path(place: int, name: str) -> tuple[str, ...]:
    return ("input", "events", str(place), name)


def _check(*, source: str, events: Sequence[EventIn], now: datetime) -> None:
    if not source.strip() or len(source) > LONGEST_NAME or "\x00" in source:
        raise Refused(f"The source needs a name of 1 to {LONGEST_NAME} characters.", path=("input", "source"))
    if not 1 <= len(events) <= MOST_EVENTS:
        raise Refused(
            f"One call records 1 to {MOST_EVENTS:,} events, not {len(events):,}; send them in several.",
            path=("input", "events"),
        )
    for place, event in enumerate(events):
        _check_texts(place, event)
        _check_instant(place, event.happened_at, now)


def _check_texts(place: int, event: EventIn) -> None:
    needed = {"externalId": event.external_id, "project": event.project, "task": event.task, "state": event.state}
    for name, text in needed.items():
        if not text.strip():
            raise Refused(f"Event {place + 1}: {name} is empty; every event needs one.", path=_path(place, name))
    for name, text in (needed | {"actor": event.actor or "", "title": event.title or ""}).items():
        if len(text.encode(errors="surrogatepass")) > MOST_BYTES or "\x00" in text:
            raise Refused(
                f"Event {place + 1}: {name} must have at most {MOST_BYTES:,} bytes and no NUL.",
                path=_path(place, name),
            )


def _check_instant(place: int, instant: datetime, now: datetime) -> None:
    if instant.tzinfo is None:
        raise Refused(f"Event {place + 1}: happenedAt has no offset; add one.", path=_path(place, "happenedAt"))
    if instant.year < FIRST_YEAR:
        raise Refused(f"Event {place + 1}: happenedAt lies before {FIRST_YEAR}.", path=_path(place, "happenedAt"))
    if instant > now:
        raise Refused(f"Event {place + 1}: happenedAt lies in the future.", path=_path(place, "happenedAt"))
