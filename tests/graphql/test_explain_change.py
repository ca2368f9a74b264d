"""explainChange: who recorded what between two instants that made a number another one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tasks_app.models import Project
from tasks_app.operations import tasks as operations
from tasks_app.operations.projects import StateSpec, change_states, create_project
from tests.cast import WORKFLOW, Cast, cast
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import board_of_march, clock, late_import, late_move, working

pytestmark = pytest.mark.django_db(transaction=True)

QUERY = """query ($metric: FlowMetric!, $bucket: DateTime!, $from: DateTime!, $to: DateTime!, $project: String! = "WEB",
        $size: Bucket! = DAY, $state: String, $fromState: String,
        $check: String, $timezone: String, $first: Int = 100, $after: String) {
    explainChange(project: $project, metric: $metric, bucket: $bucket, knownFrom: $from, knownTo: $to, size: $size,
        state: $state, fromState: $fromState, check: $check, timezone: $timezone, first: $first, after: $after) {
      edges { cursor node { taskKey kind actor { name } happenedAt recordedAt sentence } }
      pageInfo { hasNextPage endCursor } totalCount
      change { before after items(first: 100) { edges { node { taskKey before after } } totalCount } } } }"""
KNOWN = """query ($knownAt: DateTime, $from: DateTime!, $to: DateTime!) {
    analytics(project: "WEB", knownAt: $knownAt, bucket: DAY, window: {between: {from: $from, to: $to}}) {
      workInProgress throughput { finished } } }"""
SPECS = [
    StateSpec(name=name, category=category, slug=slug, waiting=waiting, needs_validation=validated)
    for slug, (name, category, waiting, validated) in WORKFLOW.items()
]
FAR = datetime(2150, 1, 1, tzinfo=UTC)
MIDNIGHT = {number: at(number, 0) for number in range(1, 12)}


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def explained(
    people: Cast, metric: str, bucket: datetime, *, since: datetime, until: datetime | None = None, **asked: Any
) -> Any:
    """The connection, or the Refusal."""
    now = clock()
    given = {"bucket": bucket.isoformat(), "from": since.isoformat(), "to": (until or now).isoformat(), **asked}
    answer = ask(people.alice, QUERY, now=now, metric=metric, **given)
    return answer if isinstance(answer, Refusal) else answer["explainChange"]


def told(found: Any) -> list[tuple[str, str, str]]:
    """The rows: who, what, of which task."""
    rows = [edge["node"] for edge in found["edges"]]
    return [(row["actor"]["name"], row["kind"], row["taskKey"]) for row in rows]


def numbers(found: Any) -> tuple[Any, ...]:
    """Before, after, and by item."""
    items = [edge["node"] for edge in found["change"]["items"]["edges"]]
    return (
        found["change"]["before"],
        found["change"]["after"],
        {each["taskKey"]: (each["before"], each["after"]) for each in items},
    )


def test_a_late_import_is_why_there_was_more_work(people: Cast) -> None:
    """P11, P15: its rows up to the day's end, by whom they were told; not those of others that changed nothing."""
    one, *_ = board_of_march(people)
    before = clock()
    late_move(people, one, to="review")
    late_import(people)
    found = explained(people, "WORK_IN_PROGRESS", MIDNIGHT[4], since=before)
    (case,) = {row[2] for row in told(found)}
    assert told(found) == [("elsewhere", "MOVED", case), ("elsewhere", "CREATED", case)]
    assert numbers(found) == (2, 3, {case: (0, 1)})
    assert found["totalCount"] == 2
    happened = [edge["node"]["happenedAt"] for edge in found["edges"]]
    assert happened == ["2026-03-02T03:00:00Z", "2026-03-01T03:00:00Z"]


def test_before_and_after_are_what_answers_say(people: Cast) -> None:
    """P15: of each day, known at either instant."""
    one, *_ = board_of_march(people)
    before = clock()
    late_move(people, one, to="todo")
    late_import(people)
    now = clock()
    for day in range(1, 10):
        window = {"from": MIDNIGHT[day].isoformat(), "to": (MIDNIGHT[day] + timedelta(days=1)).isoformat()}
        then, since = (
            ask(people.alice, KNOWN, now=now, knownAt=known.isoformat(), **window)["analytics"]
            for known in (before, now)
        )
        for metric, values in (
            ("WORK_IN_PROGRESS", (then["workInProgress"], since["workInProgress"])),
            ("FINISHED", (then["throughput"]["finished"], since["throughput"]["finished"])),
        ):
            found = explained(people, metric, MIDNIGHT[day], since=before, until=now)
            was, becomes, items = numbers(found)
            assert ([was], [becomes]) == values
            assert sum(b - a for a, b in items.values()) == (becomes or 0) - (was or 0)
            assert {row[2] for row in told(found)} == set(items)


def test_of_one_state_and_of_a_move_that_came_between(people: Cast) -> None:
    """A late move takes an item from one band to another: one row for both, of whoever reported it."""
    one, *_ = board_of_march(people)
    before = clock()
    late_move(people, one, to="review")
    for state, was, becomes in (("doing", 2, 1), ("review", 0, 1)):
        found = explained(people, "OCCUPANCY", MIDNIGHT[4], since=before, state=state)
        assert told(found) == [("Bob", "MOVED", one)]
        assert numbers(found) == (was, becomes, {one: (was - 1, becomes - 1) if state == "doing" else (0, 1)})
    assert told(explained(people, "WORK_IN_PROGRESS", MIDNIGHT[4], since=before)) == []
    assert told(explained(people, "OCCUPANCY", MIDNIGHT[3], since=before, state="doing")) == []


def test_of_one_edge_of_the_graph(people: Cast) -> None:
    """What went from one state to another on a day; a state that is left out is any."""
    one, *_ = board_of_march(people)
    before = clock()
    late_move(people, one, to="review")
    asked: dict[str, Any] = {"fromState": "doing", "state": "review"}
    found = explained(people, "TRANSITIONS", MIDNIGHT[4], since=before, **asked)
    assert (told(found), numbers(found)[:2]) == ([("Bob", "MOVED", one)], (0, 1))
    assert told(explained(people, "TRANSITIONS", MIDNIGHT[4], since=before, fromState="todo")) == []


def test_a_discard_and_a_hand_over(people: Cast) -> None:
    """What cannot bear upon the number is not told: names, hands, and what happened after the day."""
    one, two, _ = board_of_march(people)
    before = clock()
    with working(people.bob) as (tenant_id, me):
        given: dict[str, Any] = {"tenant_id": tenant_id, "actor_id": me, "now": NOW}
        operations.rename_task(tenant_id=tenant_id, task=two, title="Other")
        operations.assign_task(task=two, assignee_id=me, happened_at=at(4), **given)
        operations.discard_task(task=two, happened_at=at(6), **given)
        operations.move_task(task=one, to="done", happened_at=at(9), **given)
    found = explained(people, "WORK_IN_PROGRESS", MIDNIGHT[6], since=before)
    assert told(found) == [("Bob", "DISCARDED", two)]
    assert numbers(found) == (1, 0, {two: (1, 0)})


def test_without_a_change_there_is_nothing(people: Cast) -> None:
    board_of_march(people)
    before = clock()
    made(people.bob, title="Other day", created=at(9))
    found = explained(people, "ARRIVALS", MIDNIGHT[2], since=before)
    assert (told(found), numbers(found), found["totalCount"]) == ([], (1, 1, {}), 0)
    now = clock()
    assert numbers(explained(people, "ARRIVALS", MIDNIGHT[9], since=now, until=now)) == (1, 1, {})


def test_what_was_not_known_is_null_before(people: Cast) -> None:
    """P61: a day before the board's beginning has no number; a late import gives it one."""
    board_of_march(people)
    before = clock()
    late_import(people)
    assert numbers(explained(people, "ARRIVALS", MIDNIGHT[1], since=before))[:2] == (None, 1)
    long_ago = at(1) - timedelta(days=99, hours=9)
    assert numbers(explained(people, "ARRIVALS", long_ago, since=before)) == (None, None, {})


def redefined(people: Cast, states: Sequence[StateSpec]) -> None:
    """Alice makes them the workflow."""
    with working(people.alice) as (tenant_id, _):
        change_states(tenant_id=tenant_id, project_key="WEB", states=states)


def test_definitions_are_told_where_they_changed_the_number(people: Cast) -> None:
    """P2, P28: what was called in progress is to do since; a rename in between is not among the rows, nor is any item's."""
    board_of_march(people)
    before = clock()
    today = before.replace(hour=0, minute=0, second=0, microsecond=0)
    renamed = [replace(spec, name=f"{spec.name}!") for spec in SPECS]
    redefined(people, renamed)
    assert told(explained(people, "WORK_IN_PROGRESS", today, since=before)) == []
    redefined(people, [replace(spec, category="TODO") if spec.slug == "doing" else spec for spec in renamed])
    found = explained(people, "WORK_IN_PROGRESS", today, since=before)
    assert [(edge["node"]["kind"], edge["node"]["actor"]["name"]) for edge in found["edges"]] == [("DEFINED", "Alice")]
    assert found["edges"][0]["node"]["sentence"].count("Doing!") == 1
    assert numbers(found)[:2] == (1, 0)


def test_a_board_that_is_new_and_a_state_that_is_new(people: Cast) -> None:
    """P61: of which there was no number before; what made them is told with what was moved to them."""
    before = clock()
    today = before.replace(hour=0, minute=0, second=0, microsecond=0)
    with working(people.alice) as (tenant_id, me):
        create_project(tenant_id=tenant_id, key="NEW", name="New", timezone="UTC", states=SPECS[:2])
        task = operations.create_task(tenant_id=tenant_id, project="NEW", title="First", state="doing", now=clock())
    found = explained(people, "WORK_IN_PROGRESS", today, since=before, project="NEW")
    assert numbers(found) == (None, 1, {task.key: (0, 1)})
    assert ("Alice", "CREATED", task.key) in told(found)
    since = clock()
    with working(people.bob) as (tenant_id, me):
        more = [*SPECS[:2], StateSpec(name="Testing", category="IN_PROGRESS")]
        change_states(tenant_id=tenant_id, project_key="NEW", states=more)
        operations.move_task(tenant_id=tenant_id, task=task.key, to="testing", actor_id=me, now=clock())
    found = explained(people, "OCCUPANCY", today, since=since, project="NEW", state="testing")
    assert numbers(found) == (None, 1, {task.key: (0, 1)})
    assert told(found) == [("Bob", "MOVED", task.key), ("Bob", "DEFINED", None)]


def test_rows_come_in_pages(people: Cast) -> None:
    """The newest recording first, and every row once."""
    board_of_march(people)
    before = clock()
    keys = [made(people.bob, title="Late", created=at(3), moves={at(4): "doing"}) for _ in range(3)]
    whole = explained(people, "WORK_IN_PROGRESS", MIDNIGHT[4], since=before)
    assert [row[2] for row in told(whole)] == [key for key in reversed(keys) for _ in range(2)]
    first = explained(people, "WORK_IN_PROGRESS", MIDNIGHT[4], since=before, first=4)
    after = first["pageInfo"]["endCursor"]
    rest = explained(people, "WORK_IN_PROGRESS", MIDNIGHT[4], since=before, first=4, after=after)
    assert first["edges"] + rest["edges"] == whole["edges"]
    assert [page["pageInfo"]["hasNextPage"] for page in (first, rest)] == [True, False]


def test_buckets_are_of_a_size_and_a_zone(people: Cast) -> None:
    """P50: the project's zone unless another is given."""
    board_of_march(people)
    before = clock()
    key = made(people.bob, title="At night", created=at(2, 20))
    assert told(explained(people, "ARRIVALS", MIDNIGHT[2], since=before)) == [("Bob", "CREATED", key)]
    local = at(2, 0) + timedelta(hours=18, minutes=15)
    asked: dict[str, Any] = {"timezone": "Asia/Kathmandu"}
    assert told(explained(people, "ARRIVALS", local, since=before, **asked)) == [("Bob", "CREATED", key)]
    assert told(explained(people, "ARRIVALS", local - timedelta(days=1), since=before, **asked)) == []
    assert told(explained(people, "ARRIVALS", MIDNIGHT[2], since=before, size="WEEK")) == [("Bob", "CREATED", key)]
    assert told(explained(people, "ARRIVALS", at(2, 19), since=before, size="HOUR")) == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"project": "NONE"}, "project: there is no project 'NONE'."),
        ({"bucket": at(4)}, "bucket: No DAY of UTC begins at 2026-03-04T09:00:00+00:00; the one around it begins at"
         " 2026-03-04T00:00:00+00:00."),
        ({"size": "AUTO"}, "size: AUTO is the size of no bucket; name one, such as DAY."),
        ({"timezone": "Mars"}, "timezone: "),
        ({"metric": "OCCUPANCY"}, "state: OCCUPANCY is of one state; name one of "),
        ({"metric": "OCCUPANCY", "state": "nowhere"}, "state: there is no state 'nowhere' in this window; name one of "),
        ({"state": "doing"}, "state: WORK_IN_PROGRESS is not of one state; leave it out."),
        ({"metric": "QUALITY"}, "check: QUALITY is of one check; name one of "),
        ({"until": FAR}, "knownTo: 2150-01-01T00:00:00+00:00 is in the future;"),
        ({"since": FAR}, "knownFrom: 2150-01-01T00:00:00+00:00 is later than"),
        ({"first": 0}, "first: 0 is out of range; pass a number from 1 to 500."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(people: Cast, asked: dict[str, Any], message: str) -> None:
    board_of_march(people)
    given: dict[str, Any] = {"metric": "WORK_IN_PROGRESS", "bucket": MIDNIGHT[4], "since": NOW, **asked}
    metric, bucket = given.pop("metric"), given.pop("bucket")
    answer = explained(people, metric, bucket, **given)
    assert isinstance(answer, Refusal)
    assert answer.message.startswith(message)


def test_another_tenants_rows_are_never_told(people: Cast) -> None:
    """P63: the same key of a project, somebody else's facts."""
    before = clock()
    made(people.carol, title="Theirs", created=at(2))
    made(people.alice, title="Ours", created=at(3))
    assert numbers(explained(people, "ARRIVALS", MIDNIGHT[2], since=before))[1] in (None, 0)


def test_the_question_of_the_readme_is_answered(people: Cast) -> None:
    """As it stands there, of a board in the demo's zone."""
    section = (Path(settings.BASE_DIR) / "README.md").read_text("utf-8").split("## Why is it another number now?")[1]
    query = "\n".join(line for line in section.split("\n## ")[0].splitlines() if line.startswith("    "))
    Project.objects.filter(tenant=people.acme.tenant, key="WEB").update(timezone="Europe/Stockholm")
    answer = ask(people.alice, query, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert answer["explainChange"]["edges"] == []
