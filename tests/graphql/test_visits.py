"""The stays of tasks over the API: with their ledger rows, as of an instant, read once for a page."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tasks_app.operations import tasks as operations
from tests.cast import Cast, cast
from tests.graphql.in_process import ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import board_of_march, clock, late_move, working

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86400.0
VISITS = "key createdAt startedAt finishedAt visits { state { slug } enteredAt leftAt seconds ledgerIds }"


@pytest.fixture
def people(db: Any) -> Cast:
    """The board of March: WEB-1 was done on the 5th and is open again, WEB-2 is done, WEB-3 waits."""
    people = cast()
    board_of_march(people)
    return people


def stays(task: Any) -> list[tuple[str, float]]:
    """The state and the days of each visit."""
    return [(visit["state"]["slug"], visit["seconds"] / DAY) for visit in task["visits"]]


def listed(people: Cast, arguments: str = "", *, now: datetime = NOW) -> dict[str, Any]:
    """The tasks by key, with their visits."""
    text = f"{{ tasks(first: 50{arguments}) {{ edges {{ node {{ {VISITS} }} }} }} }}"
    return {edge["node"]["key"]: edge["node"] for edge in ask(people.alice, text, now=now)["tasks"]["edges"]}


def test_every_stay_is_told_with_its_rows(people: Cast) -> None:
    """P32: each stay begins where the one before ended; its rows are those that began it."""
    task = listed(people)["WEB-1"]
    assert stays(task) == [("todo", 1), ("doing", 2), ("done", 2), ("doing", 5.125)]
    assert [visit["leftAt"] for visit in task["visits"]] == [
        *(visit["enteredAt"] for visit in task["visits"][1:]),
        None,
    ]
    text = "query ($id: ID!) { node(id: $id) { ... on Activity { taskKey happenedAt toState { slug } } } }"
    for visit in task["visits"]:
        (row,) = (ask(people.alice, text, now=NOW, id=each)["node"] for each in visit["ledgerIds"])
        assert row == {"taskKey": "WEB-1", "happenedAt": visit["enteredAt"], "toState": visit["state"]}


def test_a_row_that_confirms_the_state_is_one_of_the_stay(people: Cast) -> None:
    """P15, P32: by a late fact the task had come to Doing a day before; the row that was first then only repeats it."""
    before = listed(people)["WEB-2"]["visits"]
    with working(people.alice) as (tenant_id, me):
        operations.move_task(tenant_id=tenant_id, task="WEB-2", to="doing", actor_id=me, happened_at=at(3, 21), now=NOW)
    after = listed(people)["WEB-2"]
    assert stays(after) == [("todo", 0.5), ("doing", 4.5), ("done", 4.125)]
    late, repeated = after["visits"][1]["ledgerIds"]
    assert [repeated] == before[1]["ledgerIds"]
    assert late not in {each for visit in before for each in visit["ledgerIds"]}


@pytest.mark.parametrize("day", [3, 4, 6, 8])
def test_stays_are_as_of_the_instant_of_the_list(people: Cast, day: int) -> None:
    """P13, P20: what had not happened yet is in no visit, and what lasted had lasted until then."""
    tasks = listed(people, f', at: "2026-03-0{day}T12:34:56.789012Z"')
    whole = listed(people)
    for key, task in tasks.items():
        known = [visit for visit in whole[key]["visits"] if visit["enteredAt"] < f"2026-03-0{day}T12"]
        assert [visit["enteredAt"] for visit in task["visits"]] == [visit["enteredAt"] for visit in known]
        assert task["visits"][-1]["leftAt"] is None
        assert task["finishedAt"] in (None, task["visits"][-1]["enteredAt"])
        lifetime = sum(round(visit["seconds"] * 1_000_000) for visit in task["visits"])
        first_day = int(task["createdAt"][8:10])
        assert lifetime == (day - first_day) * 86_400_000_000 + (3 * 3600 + 34 * 60 + 56) * 1_000_000 + 789_012


def test_stays_are_as_known_at_the_instant_of_the_list(people: Cast) -> None:
    """P15: a late fact is in none of what was known before it was recorded."""
    known_at = clock()
    late_move(people, "WEB-2", to="review")
    before = listed(people, f', knownAt: "{known_at.isoformat()}"', now=clock())["WEB-2"]
    assert [state for state, _ in stays(before)] == ["todo", "doing", "done"]
    assert [state for state, _ in stays(listed(people)["WEB-2"])] == ["todo", "review", "doing", "done"]


def test_seconds_over_states_are_the_lifetime(people: Cast) -> None:
    """P20: to the microsecond, returns and odd instants included; what was off the board is in no visit."""
    odd = at(5).replace(microsecond=123457)
    made(people.alice, title="Four", created=odd, moves={odd.replace(minute=7, microsecond=1): "doing", at(6): "todo"})
    with working(people.alice) as (tenant_id, me):
        operations.discard_task(tenant_id=tenant_id, task="WEB-3", actor_id=me, happened_at=at(6), now=NOW)
        operations.restore_task(tenant_id=tenant_id, task="WEB-3", actor_id=me, happened_at=at(8), now=NOW)
    tasks = listed(people)
    lived = {key: sum(round(visit["seconds"] * 1_000_000) for visit in task["visits"]) for key, task in tasks.items()}
    assert lived["WEB-4"] == (NOW - odd).total_seconds() * 1_000_000
    assert lived["WEB-3"] == ((at(6) - at(4)) + (NOW - at(8))).total_seconds() * 1_000_000
    for task in tasks.values():
        assert all(earlier["enteredAt"] <= later["enteredAt"] for earlier, later in pairwise(task["visits"]))


def test_a_page_of_stays_is_one_statement(people: Cast) -> None:
    """P74: however many tasks there are, and whoever lists them."""
    drill = "drillDown(metric: TRANSITIONS, first: %d) { edges { node { visits { seconds } startedAt } } }"
    window = 'window: {between: {from: "2026-03-01T00:00:00Z", to: "2026-03-10T00:00:00Z"}}'
    texts = [
        "{ tasks(first: %d) { edges { node { visits { seconds } startedAt finishedAt } } } }",
        f'{{ analytics(project: "WEB", {window}) {{ {drill} }} }}',
    ]
    for text in texts:
        for first in (1, 8):
            with CaptureQueriesContext(connection) as captured:
                assert ask(people.alice, text % first, now=NOW)
            assert sum("replay.histories" in each["sql"] for each in captured.captured_queries) == 1
