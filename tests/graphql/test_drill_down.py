"""From a number of a chart to its tasks over the API: edges, pages, errors, and who may ask."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql import GraphQLInt, GraphQLObjectType, get_named_type

from analytics.flow.catalogue import EXPLAINED
from analytics.flow.drills import DRILLS, FlowMetric
from config.schema import schema
from tasks_app.models import Scope
from tasks_app.operations import tasks as operations
from tests.cast import Cast, cast
from tests.graphql.client import new_key, with_key
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import ASK, actor_id, asked, board_of_march, folded, working
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86400.0
DAYS = ("p50Days", "p85Days", "p95Days")
EDGE = "cursor ledgerId happenedAt seconds intervals { from to seconds fromLedgerId toLedgerId } node { key state { slug } }"
PAGE = f"edges {{ {EDGE} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} totalCount"


@pytest.fixture
def people(db: Any) -> Cast:
    """The board of March: WEB-1 was done on the 5th and is open again, WEB-2 is done, WEB-3 waits."""
    people = cast()
    board_of_march(people)
    return people


def drilled(people: Cast, arguments: str, *, page: str = "first: 50", **scope: Any) -> Any:
    """The drill-down of the first nine days of March."""
    text = f"drillDown({arguments}, {page}) {{ {PAGE} }}"
    return asked(people.alice, selection=text, **{"project": "WEB", **scope})["drillDown"]


def told(found: Any) -> list[tuple[str, str, float | None]]:
    """Of each edge the task, the day it happened on, and the days that are counted of it."""
    return [
        (
            edge["node"]["key"],
            edge["happenedAt"][5:10],
            None if edge["seconds"] is None else edge["seconds"] / DAY,
        )
        for edge in found["edges"]
    ]


EVENTS = {
    "metric: ARRIVALS": [("WEB-1", "03-02", None), ("WEB-2", "03-03", None), ("WEB-3", "03-04", None)],
    'metric: ARRIVALS, bucket: "2026-03-03T00:00:00Z"': [("WEB-2", "03-03", None)],
    "metric: FINISH_EVENTS": [("WEB-1", "03-05", 2), ("WEB-2", "03-08", 4)],
    "metric: FINISHED": [("WEB-2", "03-08", None)],
    "metric: REOPENED, reopenWithinDays: 3": [("WEB-1", "03-05", 2)],
    "metric: BACKFLOW": [("WEB-1", "03-07", 2)],
    'metric: TRANSITIONS, state: "doing"': [("WEB-1", "03-03", 1), ("WEB-2", "03-04", 1), ("WEB-1", "03-07", 2)],
    'metric: TRANSITIONS, fromState: "todo", state: "doing"': [("WEB-1", "03-03", 1), ("WEB-2", "03-04", 1)],
    "metric: TRANSITIONS, fromState: null": [
        ("WEB-1", "03-02", None),
        ("WEB-2", "03-03", None),
        ("WEB-3", "03-04", None),
    ],
    'metric: VISITS, state: "doing"': [("WEB-1", "03-05", 2), ("WEB-2", "03-08", 4)],
    'metric: QUALITY, check: "BACKWARD_MOVE"': [("WEB-1", "03-07", None)],
    "metric: CORRECTION_WINDOWS": [("WEB-1", "03-07", 2.625)],
}
ITEMS = {
    "metric: WORK_IN_PROGRESS": [("WEB-1", "03-07", 2.625)],
    'metric: WORK_IN_PROGRESS, bucket: "2026-03-04T00:00:00Z"': [("WEB-1", "03-03", 1.625), ("WEB-2", "03-04", 0.625)],
    'metric: OCCUPANCY, state: "todo", bucket: "2026-03-03T00:00:00Z"': [("WEB-2", "03-03", 0.625)],
    'metric: CUMULATIVE, state: "done"': [("WEB-1", "03-05", None), ("WEB-2", "03-08", None)],
    'metric: ONGOING_VISITS, state: "doing"': [("WEB-1", "03-07", 2.625)],
    "metric: AGING": [("WEB-1", "03-03", 6.625)],
    "metric: CYCLE_TIME": [("WEB-2", "03-08", 4)],
    "metric: LEAD_TIME": [("WEB-2", "03-08", 5)],
    "metric: LEAD_TIME, calendar: WORKING": [("WEB-2", "03-08", 3.625)],
    "metric: FLOW_EFFICIENCY": [("WEB-2", "03-08", 4)],
    "metric: STARTED_ITEMS": [("WEB-1", "03-03", None), ("WEB-2", "03-04", None)],
    "metric: FINISHED_STRAIGHT": [("WEB-2", "03-08", None)],
}


@pytest.mark.parametrize("read_from", ["RAW", "MERGED", "ROLLUP"])
@pytest.mark.parametrize("arguments", [*EVENTS, *ITEMS])
def test_edges_are_what_the_number_counts(people: Cast, arguments: str, read_from: str) -> None:
    """P32: an edge for each event, or for each item; the days are to the second."""
    if read_from == "ROLLUP":
        folded(people)
    found = drilled(people, arguments, **{"from": read_from})
    assert told(found) == {**EVENTS, **ITEMS}[arguments]
    assert found["totalCount"] == len(found["edges"])


def test_an_edge_leads_to_its_ledger_row(people: Cast) -> None:
    """P32: the row says who did it, and the stay that it ended was begun by another one."""
    (edge,) = drilled(people, "metric: BACKFLOW")["edges"]
    (interval,) = edge["intervals"]
    text = "query ($id: ID!) { node(id: $id) { ... on Activity { taskKey happenedAt fromState { slug } toState { slug } } } }"
    rows = [ask(people.alice, text, now=NOW, id=each)["node"] for each in (interval["fromLedgerId"], edge["ledgerId"])]
    assert [(row["taskKey"], row["fromState"]["slug"], row["toState"]["slug"]) for row in rows] == [
        ("WEB-1", "doing", "done"),
        ("WEB-1", "done", "doing"),
    ]
    assert [row["happenedAt"] for row in rows] == [interval["from"], interval["to"]]
    assert interval["toLedgerId"] == edge["ledgerId"]


def test_a_task_comes_once_for_each_event(people: Cast) -> None:
    """Each edge has a cursor of its own, and pages of one go through all of them, from both ends."""
    every = drilled(people, "metric: TRANSITIONS")
    cursors = [edge["cursor"] for edge in every["edges"]]
    assert len(set(cursors)) == len(cursors) == every["totalCount"] == 8
    forwards, after = [], "null"
    while after:
        page = drilled(people, "metric: TRANSITIONS", page=f"first: 3, after: {after}")
        forwards += [edge["cursor"] for edge in page["edges"]]
        assert page["totalCount"] == 8
        after = f'"{page["pageInfo"]["endCursor"]}"' if page["pageInfo"]["hasNextPage"] else ""
    last = drilled(people, "metric: TRANSITIONS", page=f'last: 3, before: "{cursors[5]}"')
    assert forwards == cursors
    assert [edge["cursor"] for edge in last["edges"]] == cursors[2:5]
    assert last["pageInfo"]["hasPreviousPage"]


def test_pages_of_items_that_are_read_whole(people: Cast) -> None:
    """Durations are counted item by item; their pages are as those that the database cuts."""
    made(people.alice, title="Four", created=at(2), moves={at(6): "doing", at(9): "done"})
    first = drilled(people, "metric: CYCLE_TIME", page="first: 1")
    second = drilled(people, "metric: CYCLE_TIME", page=f'first: 1, after: "{first["edges"][0]["cursor"]}"')
    assert [told(page)[0][0] for page in (first, second)] == ["WEB-2", "WEB-4"]
    assert drilled(people, "metric: CYCLE_TIME", page="last: 1")["edges"] == second["edges"]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (2, False)


def test_episodes_come_with_their_rows(people: Cast) -> None:
    """P32: the times that are added up, each between the rows that began and ended it."""
    with working(people.alice) as (tenant_id, me):
        operations.move_task(tenant_id=tenant_id, task="WEB-1", to="done", actor_id=me, happened_at=at(9), now=NOW)
    edges = drilled(people, "metric: CYCLE_TIME, policy: SUM_OF_EPISODES")["edges"]
    (one,) = [edge for edge in edges if edge["node"]["key"] == "WEB-1"]
    assert [(each["from"][5:10], each["to"][5:10], each["seconds"]) for each in one["intervals"]] == [
        ("03-03", "03-05", 2 * DAY),
        ("03-07", "03-09", 2 * DAY),
    ]
    assert one["seconds"] == 4 * DAY
    assert one["intervals"][1]["toLedgerId"] == one["ledgerId"]
    assert len({each[name] for each in one["intervals"] for name in ("fromLedgerId", "toLedgerId")}) == 4


def test_items_that_are_gone_are_still_counted_and_shown(people: Cast) -> None:
    """P24: discarded, on another board, deleted by SQL: the number of the day stands, and so do its tasks."""
    with working(people.alice) as (tenant_id, me):
        operations.discard_task(tenant_id=tenant_id, task="WEB-3", actor_id=me, happened_at=at(9), now=NOW)
        operations.transfer_task(
            tenant_id=tenant_id, task="WEB-2", project="OPS", actor_id=me, happened_at=at(9, 10), now=NOW
        )
    sql("DELETE FROM task WHERE key = 'WEB-1'")
    arrivals = drilled(people, "metric: ARRIVALS")
    assert [(edge["node"]["key"], edge["node"]["state"]["slug"]) for edge in arrivals["edges"]] == [
        ("WEB-1", "doing"),
        ("WEB-2", "todo"),
        ("WEB-3", "todo"),
    ]
    left = drilled(people, "metric: LEFT")
    assert told(left)[:2] == [("WEB-3", "03-09", 5), ("WEB-2", "03-09", 1.0416666666666667)]
    assert told(drilled(people, "metric: DISCARDED")) == [("WEB-3", "03-09", 5)]
    assert told(drilled(people, 'metric: OCCUPANCY, state: "todo", bucket: "2026-03-04T00:00:00Z"')) == [
        ("WEB-3", "03-04", 0.625)
    ]


def test_scopes_and_filters_are_those_of_the_answer(people: Cast) -> None:
    """P24: Bob holds WEB-1 since the 3rd; Alice moved two of them; the whole tenant has all."""
    assert told(drilled(people, "metric: ARRIVALS", assignee=actor_id(people.bob))) == [("WEB-1", "03-03", None)]
    assert drilled(people, "metric: FINISH_EVENTS", actor=actor_id(people.alice))["totalCount"] == 2
    assert drilled(people, "metric: FINISH_EVENTS", actor=actor_id(people.bob))["totalCount"] == 0
    assert drilled(people, "metric: ARRIVALS", project=None)["totalCount"] == 3
    text = """{ analytics(project: "WEB", bucket: DAY, filter: {states: ["done"]},
        window: {between: {from: "2026-03-01T00:00:00Z", to: "2026-03-10T00:00:00Z"}}) {
        drillDown(metric: ARRIVALS, first: 9) { totalCount edges { node { key } } } } }"""
    assert ask(people.alice, text, now=NOW)["analytics"]["drillDown"] == {
        "totalCount": 1,
        "edges": [{"node": {"key": "WEB-2"}}],
    }


REFUSED = {
    'metric: ARRIVALS, bucket: "2026-03-10T00:00:00Z"': "bucket: 2026-03-10T00:00:00+00:00 lies outside the window;"
    " pass one of window.starts.",
    'metric: ARRIVALS, bucket: "2026-03-02T09:00:00Z"': "bucket: 2026-03-02T09:00:00+00:00 is not where a bucket starts;"
    " pass one of window.starts.",
    'metric: AGING, bucket: "2026-03-04T00:00:00Z"': "bucket: AGING is told at the window's end alone; leave it out.",
    'metric: OCCUPANCY, state: "nowhere"': "state: there is no state 'nowhere' in this window; name one of"
    " todo, doing, waiting, review, done, cancelled.",
    "metric: OCCUPANCY": "state: OCCUPANCY is of one state; name one of todo, doing, waiting, review, done, cancelled.",
    'metric: OCCUPANCY, state: "cancelled"': "state: 'cancelled' is a state of cancelled items there, and these have no band.",
    'metric: CUMULATIVE, state: "cancelled"': "state: 'cancelled' is archived or of cancelled items there, and so it has no"
    " line.",
    'metric: VISITS, state: "cancelled"': "state: 'cancelled' is a state of cancelled items, and their time is not counted.",
    'metric: ARRIVALS, state: "todo"': "state: ARRIVALS is not of one state; leave it out.",
    'metric: VISITS, state: "todo", fromState: "done"': "fromState: VISITS does not go from one state to"
    " another; leave it out.",
    'metric: TRANSITIONS, fromState: "x"': "fromState: there is no state 'x' in this window; name one of"
    " todo, doing, waiting, review, done, cancelled.",
    "metric: QUALITY": "check: QUALITY is of one check; name one of FINISH_WITHOUT_START, CHANGE_AFTER_DONE, BACKWARD_MOVE,"
    " SKIPPED_STATE, CREATED_BEYOND_FIRST, IMPOSSIBLE_ORDER, EQUAL_TIMESTAMPS, MISSING_BASELINE, CHAIN_BREAK, REPLAY_DIFFERS,"
    " FUTURE_TIMESTAMP.",
    'metric: CYCLE_TIME, start: "x"': "start: there is no state 'x' on this board; name one of todo, doing, done.",
    "metric: REOPENED, reopenWithinDays: 0": "reopenWithinDays: 0 is out of range; pass a number of days from 1 to 366.",
    'metric: VALIDATED, state: "review", validator: "x"': "validator: there is no such actor.",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_a_number_that_is_not_there_is_refused_by_name(people: Cast, arguments: str) -> None:
    """P61: never a zero."""
    text = f"drillDown({arguments}, first: 5) {{ totalCount }}"
    refusal = ask(people.alice, ASK % text, now=NOW, project="WEB")
    assert isinstance(refusal, Refusal)
    assert refusal.message == REFUSED[arguments]


def test_what_nothing_is_known_of_is_refused(people: Cast) -> None:
    """P52, P61: of days before the record, and of days that have not come."""
    text = """{ analytics(project: "WEB", bucket: DAY, window: {between: {from: "%s", to: "%s"}}) {
        drillDown(metric: ARRIVALS%s, first: 5) { totalCount } } }"""
    asked_of = [
        ("2025-01-01T00:00:00Z", "2025-01-03T00:00:00Z", ""),
        ("2026-03-01T00:00:00Z", "2026-03-20T00:00:00Z", ', bucket: "2026-03-15T00:00:00Z"'),
    ]
    refusals = [ask(people.alice, text % each, now=NOW) for each in asked_of]
    assert [each.message for each in refusals] == [
        "window: nothing is known of this window, and so there is no number to explain.",
        "bucket: of 2026-03-15T00:00:00+00:00 nothing is known: its number is null, not 0.",
    ]


def test_what_is_told_of_a_window_to_come_is_explained(people: Cast) -> None:
    """P32: its buckets are null, but items have an age as of now, and the drill-down has the same."""
    text = """{ analytics(project: "WEB", bucket: DAY,
        window: {between: {from: "2026-03-20T00:00:00Z", to: "2026-03-25T00:00:00Z"}}) {
        aging(first: 5) { totalCount } workInProgress drillDown(metric: AGING, first: 5) { totalCount } } }"""
    found = ask(people.alice, text, now=NOW)["analytics"]
    assert found["workInProgress"] == [None] * 5
    assert found["drillDown"] == found["aging"] == {"totalCount": 1}


@pytest.mark.parametrize(
    "metric",
    [
        FlowMetric.WORK_IN_PROGRESS,
        FlowMetric.OCCUPANCY,
        FlowMetric.CUMULATIVE,
        FlowMetric.AGING,
        FlowMetric.ONGOING_VISITS,
        FlowMetric.CORRECTION_WINDOWS,
        FlowMetric.WAITING_FOR_VALIDATION,
    ],
)
def test_changes_hold_no_items(people: Cast, metric: FlowMetric) -> None:
    """P61: what an actor changed is nowhere."""
    text = f"drillDown(metric: {metric}, first: 5) {{ totalCount }}"
    refusal = ask(people.alice, ASK % text, now=NOW, project="WEB", actor=actor_id(people.bob))
    assert isinstance(refusal, Refusal)
    assert refusal.message == f"metric: {metric} is of items where they are, and an actor's changes hold no items."


def test_titles_need_their_own_scope(people: Cast) -> None:
    """P77: a key for figures alone reads no tasks."""
    text = "{ analytics(window: {rolling: {count: 3, unit: DAY}}) { %s } }"
    key = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=[Scope.ANALYTICS_READ]))
    assert key.data(text % "workInProgress")
    assert key.error(text % "drillDown(metric: ARRIVALS, first: 5) { totalCount }") == (
        "FORBIDDEN",
        "drillDown: this needs the scope TASKS_READ, which this API key does not have.",
    )


def test_one_persons_validations_are_for_those_who_may_know(people: Cast) -> None:
    """As the rows of `validation` are."""
    text = f'drillDown(metric: VALIDATED, state: "review", validator: "{actor_id(people.alice)}", first: 5) {{ totalCount }}'
    refusal = ask(people.bob, ASK % text, now=NOW, project="WEB")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "FORBIDDEN"
    assert asked(people.alice, project="WEB", selection=text)["drillDown"]["totalCount"] == 0


def test_no_more_is_read_than_the_page_shows(people: Cast) -> None:
    """P74: one statement for the edges and one for their tasks, however many there are; the count only when asked for."""
    text = ASK % "drillDown(metric: TRANSITIONS, first: %d) { edges { node { key title } } }"

    def statements(first: int) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            ask(people.alice, text % first, now=NOW, project="WEB", **{"from": "RAW"})
        return [
            each["sql"] for each in captured.captured_queries if "replay.drill" in each["sql"] or "by_id" in each["sql"]
        ]

    assert len(statements(1)) == len(statements(8)) == 2
    assert not any("count(*) FROM point" in each for each in statements(8))


# Whole numbers that count neither items nor events: what they are made of instead.
MADE_OF_OTHERS = {
    "cumulativeFlow.difference": "two lines of CUMULATIVE, less WORK_IN_PROGRESS",
    **{f"{summary}.{name}": "the edges' instants" for summary in ("cycleTime", "leadTime") for name in DAYS},
    "leadTime.neverStarted": "always 0",
    "leadTime.inferred": "always 0",
    **{f"forecast.{name}": "draws of FINISHED" for name in ("seed", "trials", "historyDays", "percentiles.items")},
}


def whole_numbers(kind: GraphQLObjectType, path: str = "") -> Iterator[str]:
    """The paths of all Int fields below a type; lists in pages are figures as a whole."""
    for name, field in kind.fields.items():
        place, below = f"{path}{name}", get_named_type(field.type)
        if below == GraphQLInt or below.name.endswith("Connection"):
            yield place
        elif isinstance(below, GraphQLObjectType) and below.name not in ("Receipt", "Window", "WorkflowState"):
            yield from whole_numbers(below, f"{place}.")


def test_every_number_of_every_chart_has_a_metric() -> None:
    """P32: a new number gets one, or says what it is made of; no metric explains what is not there."""
    analytics = schema._schema.type_map["Analytics"]
    assert isinstance(analytics, GraphQLObjectType)
    explained = {path for paths in EXPLAINED.values() for path in paths}
    numbers = set(whole_numbers(analytics)) - {"drillDown"}
    assert numbers - explained == set(MADE_OF_OTHERS)
    for path in explained:
        kind: Any = analytics
        for name in path.split("."):
            assert name in kind.fields, path
            kind = get_named_type(kind.fields[name].type)
    assert set(DRILLS) == set(FlowMetric)
