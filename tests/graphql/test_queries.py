"""The queries on the record and on its replay, over the product's schema and PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tasks_app.operations import tasks as operations
from tasks_app.tenancy import entered
from tests.cast import Cast, cast
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made

DAY = timedelta(days=1)
TITLE = "query ($key: String!) { task(key: $key) { title } }"
IDS = """query ($key: String!) { task(key: $key) { id } project(key: "WEB") { id } }"""


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def keys(answer: Any) -> list[str]:
    """The keys of a task connection."""
    return [edge["node"]["key"] for edge in answer["tasks"]["edges"]]


def test_a_task_tells_its_history(people: Cast) -> None:
    """P32: each figure of an item can be reconciled with its visits, and each visit with its ledger rows."""
    key = made(people.alice, title="Fix it", created=at(2), moves={at(3): "doing", at(4): "done", at(5): "doing"})
    made(people.alice, title="Other", created=at(2))
    query = """query ($key: String!) { task(key: $key) { key title startedAt finishedAt createdAt state { slug }
        visits { state { slug } enteredAt leftAt seconds ledgerIds } activity(first: 9) { edges { node { kind } } } } }"""
    task = ask(people.alice, query, now=NOW, key=key)["task"]
    assert (task["startedAt"], task["finishedAt"], task["createdAt"]) == (
        "2026-03-03T09:00:00Z",
        None,
        "2026-03-02T09:00:00Z",
    )
    assert [(visit["state"]["slug"], visit["seconds"]) for visit in task["visits"]] == [
        ("todo", 86400.0),
        ("doing", 86400.0),
        ("done", 86400.0),
        ("doing", 7.125 * 86400),
    ]
    assert sum(visit["seconds"] for visit in task["visits"]) == (NOW - at(2)).total_seconds()
    assert all(len(visit["ledgerIds"]) == 1 for visit in task["visits"])
    assert [edge["node"]["kind"] for edge in task["activity"]["edges"]] == ["MOVED", "MOVED", "MOVED", "CREATED"]


def test_a_list_of_rows_fetches_the_columns_that_it_names(people: Cast) -> None:
    with CaptureQueriesContext(connection) as caught:
        found = ask(people.alice, "{ projects(first: 1) { edges { node { key } } } }")
    assert len(found["projects"]["edges"]) == 1
    (read,) = [each["sql"] for each in caught if 'FROM "project"' in each["sql"]]
    selected = read[: read.index("FROM")]
    assert '"timezone"' in selected
    assert '"next_task_number"' not in selected


def test_a_discarded_task_is_in_no_list_but_its_key_finds_it(people: Cast) -> None:
    """P10, P46."""
    kept, gone = made(people.alice, title="Kept", created=at(2)), made(people.alice, title="Gone", created=at(2))
    tenant_id, actor_id = people.acme.tenant.id, people.alice.actor.id
    with entered(tenant_id=tenant_id, actor_id=actor_id):
        operations.discard_task(
            tenant_id=tenant_id, task=gone, actor_id=actor_id, happened_at=at(6), reason="a twin", now=NOW
        )
    assert keys(ask(people.alice, "{ tasks(first: 9) { edges { node { key } } } }")) == [kept]
    as_of = '{ tasks(first: 9, at: "%s") { totalCount edges { node { key } } } }'
    assert keys(ask(people.alice, as_of % "2026-03-05T00:00:00Z")) == [kept, gone]
    assert keys(ask(people.alice, as_of % "2026-03-07T00:00:00Z")) == [kept]
    assert ask(people.alice, TITLE, key=gone) == {"task": {"title": "Gone"}}
    feed = ask(people.alice, "{ activity(first: 1) { edges { node { sentence changes { field old new } } } } }")
    assert feed["activity"]["edges"][0]["node"] == {
        "sentence": f"Alice discarded {gone}, which was in To do",
        "changes": [{"field": "state", "old": "To do", "new": None}, {"field": "note", "old": None, "new": "a twin"}],
    }


def test_filters_of_tasks(people: Cast) -> None:
    """P14: `wasEver` among them."""
    early = made(people.alice, title="Early bird", created=at(2), moves={at(3): "doing", at(6): "done"})
    late = made(people.alice, title="Late 100% bird", created=at(4), moves={at(8): "doing"})
    idle = made(people.bob, title="Idle", created=at(5))
    tenant_id = people.acme.tenant.id
    with entered(tenant_id=tenant_id, actor_id=people.bob.actor.id):
        operations.assign_task(
            tenant_id=tenant_id, task=late, assignee_id=people.bob.actor.id, actor_id=people.bob.actor.id, now=NOW
        )
    actors = ask(people.alice, "{ activity(first: 99) { edges { node { actor { id name } } } } }")
    ids = {edge["node"]["actor"]["name"]: edge["node"]["actor"]["id"] for edge in actors["activity"]["edges"]}
    query = "query ($filter: TaskFilter) { tasks(first: 9, filter: $filter) { totalCount edges { node { key } } } }"

    def found(**conditions: object) -> list[str]:
        return keys(ask(people.alice, query, now=NOW, filter=conditions))

    assert found(states=["doing"]) == [late]
    assert found(states=["doing", "todo"]) == [late, idle]
    assert found(categories=["DONE", "TODO"]) == [early, idle]
    assert found(search="BIRD") == [early, late]
    assert found(search="100%") == [late]
    assert found(search="_") == []
    assert found(assignee=ids["Bob"]) == [late]
    assert found(changedBy=ids["Alice"]) == [early, late]
    assert found(wasEver={"state": "doing"}) == [early, late]
    march_5_to_6 = {"from": at(5).isoformat(), "to": at(6).isoformat()}
    assert found(wasEver={"state": "doing", "between": march_5_to_6}) == [early]
    assert found(heldFor={"state": "doing", "atLeastSeconds": 4 * 86400}) == [late]
    assert found(heldFor={"state": "doing", "atLeastSeconds": 5 * 86400}) == []
    assert found(project="OPS") == []
    unknown = ask(people.alice, query, filter={"states": ["doign"]})
    assert unknown == Refusal("NOT_FOUND", "filter.states: there is no state 'doign'.")


def test_filters_look_no_further_than_the_instant_asked_for(people: Cast) -> None:
    """P11, P14: what happened later, or was learned later, is in no filter of an earlier list."""
    key = made(people.alice, title="One", created=at(2), moves={at(3): "doing", at(6): "done"})
    query = """query ($filter: TaskFilter, $at: DateTime, $knownAt: DateTime) {
        tasks(first: 9, filter: $filter, at: $at, knownAt: $knownAt) { edges { node { key } } } }"""
    done = {"wasEver": {"state": "done"}}
    assert keys(ask(people.alice, query, filter=done)) == [key]
    assert keys(ask(people.alice, query, filter=done, at=at(7).isoformat())) == [key]
    assert keys(ask(people.alice, query, filter=done, at=at(5).isoformat())) == []


def test_a_late_fact_that_comes_before_a_move_makes_the_stay_longer(people: Cast) -> None:
    """heldFor goes by the order of the history, not by what the row showed when a move was recorded."""
    key = made(people.alice, title="One", created=at(2), moves={at(8): "doing", at(4): "doing"})
    query = "query ($filter: TaskFilter) { tasks(first: 9, filter: $filter) { edges { node { key } } } }"

    def held(days: float) -> list[str]:
        condition = {"state": "doing", "atLeastSeconds": int(days * 86400)}
        return keys(ask(people.alice, query, now=NOW, filter={"heldFor": condition}))

    assert held(8) == [key]
    assert held(8.5) == []


def test_pages_forwards_and_backwards(people: Cast) -> None:
    made_keys = [made(people.alice, title=f"Task {number}", created=at(2)) for number in range(5)]
    query = """query ($first: Int, $after: String, $last: Int, $before: String) {
        tasks(first: $first, after: $after, last: $last, before: $before) { totalCount edges { cursor node { key } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    first = ask(people.alice, query, first=2)
    assert keys(first) == made_keys[:2]
    assert first["tasks"]["totalCount"] == 5
    second = ask(people.alice, query, first=2, after=first["tasks"]["pageInfo"]["endCursor"])
    assert keys(second) == made_keys[2:4]
    last = ask(people.alice, query, last=2)
    assert keys(last) == made_keys[3:]
    before = ask(people.alice, query, last=2, before=last["tasks"]["pageInfo"]["startCursor"])
    assert keys(before) == made_keys[1:3]
    assert ask(people.alice, query).code == "BAD_USER_INPUT"
    assert ask(people.alice, query, first=501).code == "BAD_USER_INPUT"
    assert ask(people.alice, query, first=2, after="nonsense").code == "BAD_USER_INPUT"


BOARD = """query ($at: DateTime, $knownAt: DateTime) { board(project: "WEB", at: $at, knownAt: $knownAt) {
    taskCount columns { state { slug } count tasks(first: 9) { totalCount edges { node { key state { slug } } } } }
    receipt { readFrom digest rawRows } } }"""


def columns(answer: Any) -> dict[str, int]:
    """The columns that are not empty."""
    return {column["state"]["slug"]: column["count"] for column in answer["board"]["columns"] if column["count"]}


def test_the_board_at_any_instant(people: Cast) -> None:
    """P16, P46."""
    made(people.alice, title="One", created=at(2), moves={at(3): "doing", at(6): "done"})
    made(people.alice, title="Two", created=at(4), moves={at(8): "doing"})
    assert columns(ask(people.alice, BOARD, at=at(2).isoformat())) == {}
    assert columns(ask(people.alice, BOARD, at=at(2, 10).isoformat())) == {"todo": 1}
    assert columns(ask(people.alice, BOARD, at=at(5).isoformat())) == {"todo": 1, "doing": 1}
    assert columns(ask(people.alice, BOARD, at=at(9).isoformat())) == {"doing": 1, "done": 1}
    now = ask(people.alice, BOARD)
    assert columns(now) == {"doing": 1, "done": 1}
    assert now["board"]["taskCount"] == 2
    assert [column["state"]["slug"] for column in now["board"]["columns"]] == [
        "todo", "doing", "waiting", "review", "done", "cancelled",
    ]  # fmt: skip
    # Everything was recorded just now: before that nothing was known.
    assert columns(ask(people.alice, BOARD, at=at(9).isoformat(), knownAt=at(9).isoformat())) == {}
    assert ask(people.alice, '{ board(project: "NO") { taskCount } }') == Refusal(
        "NOT_FOUND", "project: there is no project 'NO'."
    )


FLOW = """query ($window: WindowInput!, $bucket: Bucket!, $knownAt: DateTime) {
    analytics(project: "WEB", window: $window, bucket: $bucket, knownAt: $knownAt) {
      window { starts complete timezone bucket } states { slug } workInProgress
      cumulativeFlow(mode: OCCUPANCY) { mode series { state { slug } counts } arrivals departures left discarded difference
        definitionChanges correctionWindows { taskKey from to } }
      lines: cumulativeFlow { series { state { slug } counts } correctionWindows { taskKey from to } }
      receipt { digest rawRows tailRows readFrom knownAt timezone tzdata metricVersion } } }"""


def test_the_diagram_and_its_receipt(people: Cast) -> None:
    """P6, P7, P13, P15: opening balance, two named modes, the last point is the live count, happened-at decides."""
    key = made(people.alice, title="One", created=at(2), moves={at(3): "doing", at(5): "done", at(7): "doing"})
    made(people.alice, title="Two", created=at(4))
    week = {"between": {"from": "2026-03-04T00:00:00Z", "to": "2026-03-09T00:00:00Z"}}
    answer = ask(people.alice, FLOW, now=NOW, window=week, bucket="DAY")["analytics"]
    assert answer["window"]["starts"][0] == "2026-03-04T00:00:00Z"
    assert answer["window"]["complete"] == [True] * 5
    bands = {series["state"]["slug"]: series["counts"] for series in answer["cumulativeFlow"]["series"]}
    assert bands["todo"] == [1, 1, 1, 1, 1]
    assert bands["doing"] == [1, 0, 0, 1, 1]
    assert bands["done"] == [0, 1, 1, 0, 0]
    lines = {series["state"]["slug"]: series["counts"] for series in answer["lines"]["series"]}
    assert lines["todo"] == [2, 2, 2, 2, 2]
    assert lines["doing"] == [1, 1, 1, 1, 1]
    assert lines["done"] == [0, 1, 1, 1, 1]
    assert answer["workInProgress"] == [1, 0, 0, 1, 1]
    assert answer["cumulativeFlow"]["arrivals"] == [1, 0, 0, 0, 0]
    assert answer["cumulativeFlow"]["difference"] == [0, 0, 0, -1, -1]
    assert answer["lines"]["correctionWindows"] == [{"taskKey": key, "from": "2026-03-07T09:00:00Z", "to": None}]
    receipt = answer["receipt"]
    assert (receipt["readFrom"], receipt["tailRows"], receipt["rawRows"], receipt["metricVersion"]) == (
        "MERGED", 5, 5, "flow/1",
    )  # fmt: skip
    assert receipt["knownAt"] == "2026-03-12T12:00:00Z"


def test_buckets_before_all_records_and_after_now_are_null(people: Cast) -> None:
    """P1, P61: what is not known is null, what was nothing is 0."""
    made(people.alice, title="One", created=at(4))
    window = {"between": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-15T00:00:00Z"}}
    answer = ask(people.alice, FLOW, now=NOW, window=window, bucket="DAY")["analytics"]
    assert answer["workInProgress"] == [None, None, *[0] * 9, None, None]
    assert answer["window"]["complete"] == [*[True] * 10, False, False, False]


def test_the_digest_is_of_the_figures_not_of_the_selection(people: Cast) -> None:
    """P4: one query, one digest, whatever else is selected, and from wherever it is read."""
    made(people.alice, title="One", created=at(2), moves={at(3): "doing"})
    template = (
        '{ analytics(project: "WEB", window: {between: {from: "2026-03-02T00:00:00Z", to: "2026-03-09T00:00:00Z"}},'
        " bucket: DAY%s) { %s receipt { digest } } }"
    )

    def digest(selection: str, arguments: str = "") -> str:
        return str(ask(people.alice, template % (arguments, selection))["analytics"]["receipt"]["digest"])

    whole = digest("cumulativeFlow { mode series { counts } }")
    assert digest("x: cumulativeFlow(mode: CUMULATIVE) { mode }") == whole
    assert digest("... on Analytics { cumulativeFlow { arrivals } }") == whole
    assert digest("cumulativeFlow(mode: OCCUPANCY) { mode }") != whole
    assert digest("cumulativeFlow { mode } workInProgress") != whole
    for source in ("RAW", "ROLLUP", "MERGED"):
        assert digest("cumulativeFlow { mode }", f", readFrom: {source}") == whole


def test_what_was_learned_late_was_not_known_before(people: Cast) -> None:
    """P15: happened-at and recorded-at are kept apart."""
    made(people.alice, title="One", created=at(2), moves={at(3): "doing"})
    week = {"between": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-05T00:00:00Z"}}
    assert ask(people.alice, FLOW, window=week, bucket="DAY")["analytics"]["workInProgress"] == [0, 1, 1]
    before = ask(people.alice, FLOW, window=week, bucket="DAY", knownAt=NOW.isoformat())["analytics"]
    assert before["workInProgress"] == [None, None, None], "the project itself was not known then"


def test_a_late_fact_does_not_change_what_was_known(people: Cast) -> None:
    """P15: the late fact moves recordedSince back; the days before it were not known then, and null they stay."""
    made(people.alice, title="One", created=at(4), moves={at(5): "doing"})
    week = {"between": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-07T00:00:00Z"}}
    then = ask(people.alice, FLOW, window=week, bucket="DAY")["analytics"]
    assert then["workInProgress"] == [None, None, 0, 1, 1]
    made(people.alice, title="Late", created=at(2), moves={})
    assert ask(people.alice, FLOW, window=week, bucket="DAY")["analytics"]["workInProgress"] == [0, 0, 0, 1, 1]
    again = ask(people.alice, FLOW, window=week, bucket="DAY", knownAt=then["receipt"]["knownAt"])["analytics"]
    assert again["workInProgress"] == then["workInProgress"]
    assert again["receipt"]["digest"] == then["receipt"]["digest"]


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"between": {"from": "2026-03-09T00:00:00Z", "to": "2026-03-02T00:00:00Z"}}, "window.between.to"),
        ({"rolling": {"count": 0, "unit": "DAY"}}, "window.rolling.count"),
        ({"rolling": {"count": 999999, "unit": "DAY"}}, "window.rolling.count"),
        ({"between": {"from": "2026-03-02T00:00:00", "to": "2026-03-09T00:00:00Z"}}, "zone"),
        ({"between": {"from": "0016-03-02T00:00:00Z", "to": "2026-03-09T00:00:00Z"}}, "1900"),
    ],
)
def test_windows_that_are_refused(people: Cast, window: dict[str, Any], sentence: str) -> None:
    refused = ask(people.alice, FLOW, now=NOW, window=window, bucket="DAY")
    assert isinstance(refused, Refusal)
    assert refused.code == "BAD_USER_INPUT"
    assert sentence in refused.message


def test_what_will_be_known_cannot_be_asked(people: Cast) -> None:
    """An answer must be the same when its own knownAt is asked for again."""
    tomorrow = (NOW + DAY).isoformat()
    week = {"between": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-05T00:00:00Z"}}
    for query, variables in ((BOARD, {}), (FLOW, {"window": week, "bucket": "DAY"})):
        refused = ask(people.alice, query, now=NOW, knownAt=tomorrow, **variables)
        assert refused.code == "BAD_USER_INPUT"
        assert refused.message.startswith("knownAt: 2026-03-13T12:00:00+00:00 is in the future")


def test_a_board_before_all_records_has_no_columns(people: Cast) -> None:
    """P61: nothing is known there, so there are no columns of 0."""
    made(people.alice, title="One", created=at(4))
    assert ask(people.alice, BOARD, now=NOW, at=at(3).isoformat())["board"]["columns"] == []


def test_zones_that_are_refused(people: Cast) -> None:
    query = '{ analytics(window: {rolling: {count: 3, unit: DAY}}, timezone: "Mars/Olympus") { workInProgress } }'
    refused = ask(people.alice, query, now=NOW)
    assert refused.code == "BAD_USER_INPUT"
    assert "timezone" in refused.message


def test_a_whole_tenant_merges_states_of_one_slug(people: Cast) -> None:
    """P27: and two viewers see the same series in the zone that the answer names (P53)."""
    made(people.alice, title="One", created=at(2))
    tenant_id = people.acme.tenant.id
    with entered(tenant_id=tenant_id, actor_id=people.alice.actor.id):
        operations.create_task(tenant_id=tenant_id, project="OPS", title="Two", happened_at=at(3), now=NOW)
    query = """{ analytics(window: {between: {from: "2026-03-02T00:00:00Z", to: "2026-03-05T00:00:00Z"}}, bucket: DAY)
        { window { timezone } cumulativeFlow(mode: OCCUPANCY) { series { state { slug } counts } } } }"""
    answer = ask(people.alice, query, now=NOW)
    assert answer == ask(people.bob, query, now=NOW)
    bands = {each["state"]["slug"]: each["counts"] for each in answer["analytics"]["cumulativeFlow"]["series"]}
    assert bands["todo"] == [1, 2, 2]
    assert answer["analytics"]["window"]["timezone"] == "UTC"
    # Carol's boards were made later than this window: they had no states yet.
    assert ask(people.carol, query, now=NOW)["analytics"]["cumulativeFlow"]["series"] == []


def test_other_tenants_names_are_names_of_nothing(people: Cast) -> None:
    key = made(people.alice, title="One", created=at(2))
    theirs = ask(people.alice, IDS, key=key)
    assert ask(people.carol, TITLE, key=key) == {"task": None}
    for node in (theirs["task"]["id"], theirs["project"]["id"]):
        answer = ask(people.carol, "query ($id: ID!) { node(id: $id) { id } }", id=node)
        assert answer == Refusal("NOT_FOUND", "id: there is nothing with this id.")
