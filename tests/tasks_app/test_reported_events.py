"""The second door: reports in any order come to one history, and the live row is its end."""

import uuid
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.db import DatabaseError, connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks_app.imports.event_list import EventIn, RecordedEvents, record_events
from tasks_app.imports.known import new_task_ids
from tasks_app.models import ActorKind, DefinitionLedger, Kind, Project, Task, TaskLedger, WorkflowState
from tasks_app.operations.reporting import Report, actor_named, report
from tasks_app.refusals import Refused
from tasks_app.tenancy import entered
from tests.cast import Cast
from tests.tasks_app.recording import mark, strays

pytestmark = pytest.mark.django_db

START = datetime(2024, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("todo", "doing", "waiting", "done")


def at(hour: int) -> datetime:
    """An hour of the test's calendar."""
    return START + timedelta(hours=hour)


def case(people: Cast, *, hour: int, state: str) -> Task:
    """A new task that was reported at this hour."""
    board = people.acme.board
    source = actor_named(tenant_id=board.project.tenant_id, kind=ActorKind.IMPORT, name="desk")
    [task_id] = new_task_ids(count=1)
    tell(people, task_id=task_id, hour=hour, state=state, kind=Kind.CREATED, source=source)
    return Task.objects.get(id=task_id)


def tell(
    people: Cast, *, task_id: int, hour: int, state: str, kind: Kind = Kind.MOVED, source: int | None = None
) -> int:
    """Reports one event and answers how many were recorded."""
    board = people.acme.board
    tenant_id = board.project.tenant_id
    one = Report(
        task_id=task_id,
        project_id=board.project.id,
        to_id=0 if kind == Kind.DISCARDED else board.states[state].id,
        actor_id=people.alice.actor.id,
        kind=kind,
        happened_at=at(hour),
        identity=uuid.uuid4(),
        case_id=f"case {task_id}" if kind == Kind.CREATED else "",
        title="A case" if kind == Kind.CREATED else "",
    )
    return report(tenant_id=tenant_id, source_id=source or people.alice.actor.id, reports=[one])


def history(task: Task) -> list[tuple[datetime, int]]:
    """Instant and state of each change, in order; what repeats the state is none."""
    facts = TaskLedger.objects.filter(task_id=task.id, kind__lte=5).order_by("happened_at", "seq")
    found = [(fact.happened_at, fact.to_id) for fact in facts]
    return [fact for before, fact in zip([(None, None), *found], found, strict=False) if before[1] != fact[1]]


def expected(people: Cast, events: dict[int, str]) -> list[tuple[datetime, int]]:
    """The history that events by hour come to."""
    states = people.acme.board.states
    ordered = [(at(hour), states[events[hour]].id) for hour in sorted(events)]
    return [fact for before, fact in zip([(None, None), *ordered], ordered, strict=False) if before[1] != fact[1]]


@pytest.mark.parametrize(
    "states",
    [
        ("todo", "doing", "waiting", "done"),
        ("todo", "todo", "doing", "todo"),
        ("todo", "doing", "doing", "doing"),
        ("doing", "done", "doing", "done"),
        ("done", "done", "done", "done"),
    ],
)
def test_every_order_of_four_events_gives_one_history(people: Cast, states: tuple[str, ...]) -> None:
    """A late fact lands in the middle: the state before it is the one that the order gives."""
    events = dict(enumerate(states))
    for order in permutations(range(4)):
        task = case(people, hour=order[0], state=events[order[0]])
        for hour in order[1:]:
            assert tell(people, task_id=task.id, hour=hour, state=events[hour]) == 1
        task.refresh_from_db()
        assert history(task) == expected(people, events)
        assert (task.state_id, task.created_at) == (people.acme.board.states[states[3]].id, at(0))
    assert strays() == []


@settings(max_examples=60)
@given(
    states=st.lists(st.sampled_from(STATES), min_size=4, max_size=4),
    order=st.permutations(range(4)),
    live=st.dictionaries(st.integers(0, 3), st.sampled_from(STATES), max_size=2),
)
def test_live_moves_in_between_change_no_past(
    people: Cast, states: list[str], order: list[int], live: dict[int, str]
) -> None:
    """Moves made now come after every report, whatever is reported after them."""
    board = people.acme.board
    task = case(people, hour=order[0], state=states[order[0]])
    for number, hour in enumerate(order[1:], start=1):
        if number in live:
            Task.objects.filter(id=task.id).update(state_id=board.states[live[number]].id)
        tell(people, task_id=task.id, hour=hour, state=states[hour])
    past = [fact for fact in history(task) if fact[0] <= at(3)]
    assert past == expected(people, dict(enumerate(states)))
    last = TaskLedger.objects.filter(task_id=task.id, kind__lte=5).order_by("-happened_at", "-seq")[0]
    task.refresh_from_db()
    assert task.state_id == last.to_id
    assert strays() == []


def test_a_repetition_becomes_a_change_when_a_late_fact_comes_between(people: Cast) -> None:
    """The unchanged report waits and gets its fact under the seq that it was given."""
    task = case(people, hour=1, state="doing")
    tell(people, task_id=task.id, hour=3, state="doing")
    assert TaskLedger.objects.filter(task_id=task.id).count() == 1
    before = mark()
    tell(people, task_id=task.id, hour=2, state="waiting")
    facts = TaskLedger.objects.filter(task_id=task.id).order_by("happened_at")
    assert [fact.happened_at for fact in facts] == [at(1), at(2), at(3)]
    assert facts[2].seq > before
    assert facts[2].seq < facts[1].seq


def test_a_discard_in_the_past_takes_the_task_off_until_it_comes_back(people: Cast) -> None:
    """DISCARDED and RESTORED are reports, too; the live row is the last one's."""
    task = case(people, hour=1, state="doing")
    tell(people, task_id=task.id, hour=3, state="", kind=Kind.DISCARDED)
    task.refresh_from_db()
    assert task.discarded_at == at(3)
    tell(people, task_id=task.id, hour=4, state="waiting", kind=Kind.RESTORED)
    back = Task.objects.get(id=task.id)
    assert (back.discarded_at, back.state.slug) == (None, "waiting")
    assert strays() == []


def test_reports_of_a_task_that_is_not_there_are_refused(people: Cast) -> None:
    """Only a CREATED report makes a task."""
    with pytest.raises(DatabaseError, match="names a task that is not there"):
        tell(people, task_id=2_000_000, hour=1, state="todo")


def test_one_statement_has_one_tenant_and_no_future(people: Cast) -> None:
    """The trigger looks at the rows itself, whoever wrote them."""
    task = case(people, hour=1, state="todo")
    with pytest.raises(DatabaseError, match="cannot have happened in the future"):
        tell(people, task_id=task.id, hour=24 * 365 * 20, state="doing")


def told(*events: tuple[str, str, str, int], project: str = "WEB") -> list[EventIn]:
    """Events of id, case, state, hour."""
    return [
        EventIn(external_id=event_id, project=project, task=task, state=state, happened_at=at(hour))
        for event_id, task, state, hour in events
    ]


def send(people: Cast, events: list[EventIn]) -> RecordedEvents:
    """As a key of Acme's would."""
    tenant = people.acme.tenant
    with entered(tenant_id=tenant.id, actor_id=people.alice.actor.id):
        return record_events(tenant_id=tenant.id, source="pager", events=events, now=NOW)


def test_events_are_recorded_once(people: Cast) -> None:
    """Changes, repetitions and duplicates are counted apart; a state is a slug or a name."""
    events = told(("1", "P-1", "To do", 1), ("2", "P-1", "doing", 2), ("3", "P-1", "Doing", 3), ("4", "P-2", "done", 3))
    assert send(people, events) == RecordedEvents(recorded=3, unchanged=1, duplicates=0)
    assert send(people, events) == RecordedEvents(recorded=0, unchanged=0, duplicates=4)
    more = told(("4", "P-2", "done", 3), ("5", "P-1", "done", 4), ("6", "P-1", "waiting", 0))
    assert send(people, more) == RecordedEvents(recorded=2, unchanged=0, duplicates=1)
    task = Task.objects.get(external_id="P-1")
    assert (task.key, task.state.slug, task.created_at) == ("WEB-1", "done", at(0))
    assert strays() == []


def test_events_of_several_projects_go_together(people: Cast) -> None:
    """All or none, over all of them."""
    events = [*told(("1", "P-1", "todo", 1)), *told(("1", "P-1", "todo", 1), project="OPS")]
    assert send(people, events) == RecordedEvents(recorded=2, unchanged=0, duplicates=0)
    bad = [*told(("2", "P-1", "doing", 2)), *told(("2", "P-1", "nowhere", 2), project="OPS")]
    before = mark()
    with pytest.raises(Refused, match="Event 2: the project OPS has no state 'nowhere'") as refusal:
        send(people, bad)
    assert refusal.value.path == ("input", "events", "1", "state")
    assert mark() == before


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (EventIn(external_id="", project="WEB", task="P-1", state="todo", happened_at=START), "externalId"),
        (EventIn(external_id="1", project="NONE", task="P-1", state="todo", happened_at=START), "project"),
        (EventIn(external_id="1", project="WEB", task=" ", state="todo", happened_at=START), "task"),
        (EventIn(external_id="1", project="WEB", task="P\x00", state="todo", happened_at=START), "task"),
        (EventIn(external_id="1", project="WEB", task="P-1", state="gone", happened_at=START), "state"),
        (
            EventIn(external_id="1", project="WEB", task="P-1", state="todo", happened_at=NOW + timedelta(1)),
            "happenedAt",
        ),
        (
            EventIn(
                external_id="1", project="WEB", task="P-1", state="todo", happened_at=datetime(16, 1, 1, tzinfo=UTC)
            ),
            "happenedAt",
        ),
        (EventIn(external_id="0", project="WEB", task="P-2", state="todo", happened_at=START), "externalId"),
        (EventIn(external_id="1", project="WEB", task="P-0", state="todo", happened_at=at(6)), "happenedAt"),
    ],
)
def test_a_bad_event_is_refused_with_its_path(people: Cast, event: EventIn, path: str) -> None:
    """The id of another event, a task that was discarded then, what does not exist: each names its field."""
    send(people, told(("0", "P-0", "todo", 1)))
    tell(people, task_id=Task.objects.get(external_id="P-0").id, hour=5, state="", kind=Kind.DISCARDED)
    before = mark()
    with pytest.raises(Refused) as refusal:
        send(people, [*told(("7", "P-7", "todo", 1)), event])
    assert refusal.value.path == ("input", "events", "1", path)
    assert mark() == before


def test_a_known_event_stays_a_duplicate_after_the_task_was_discarded(people: Cast) -> None:
    """Idempotent for good: what is recorded is never refused when it comes again."""
    events = told(("0", "P-0", "todo", 1), ("1", "P-0", "doing", 6))
    send(people, events)
    tell(people, task_id=Task.objects.get(external_id="P-0").id, hour=5, state="", kind=Kind.DISCARDED)
    assert send(people, events) == RecordedEvents(recorded=0, unchanged=0, duplicates=2)


def test_too_many_events_are_refused(people: Cast) -> None:
    """A thousand at once, and at least one."""
    for events in ([], told(*[(str(number), "P-1", "todo", 1) for number in range(1_001)])):
        with pytest.raises(Refused, match="One call records 1 to 1,000 events"):
            send(people, events)


@pytest.mark.django_db(transaction=True)
def test_a_state_used_before_it_was_defined_was_there_from_the_start(people: Cast) -> None:
    """P1: otherwise a late fact would lie in a state that did not exist; the definition is copied, never edited."""
    board = people.acme.board
    send(people, told(("0", "P-0", "todo", 1)))
    late = WorkflowState.objects.create(
        tenant=board.project.tenant, project=board.project, slug="late", name="Late", category="DONE", position=6
    )
    send(people, told(("1", "P-0", "late", 3)))
    since = Project.objects.get(id=board.project.id).recorded_since
    definitions = DefinitionLedger.objects.filter(state_id=late.id).order_by("happened_at")
    assert since == at(1)
    assert [each.happened_at > since for each in definitions] == [False, True]
    assert definitions[0].happened_at == since


def test_the_web_login_reports_in_its_tenant_alone(people: Cast, as_web_login: None) -> None:
    """P63: the tenant of the transaction is the only one there is."""
    assert send(people, told(("0", "P-0", "todo", 1))).recorded == 1
    globex = people.globex.tenant
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        entered(tenant_id=globex.id, actor_id=people.carol.actor.id),
    ):
        tell(people, task_id=1, hour=1, state="todo")
    assert connection.connection is not None
