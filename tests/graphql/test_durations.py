"""Durations over the schema: arguments and their defaults, pages, refusals, one digest wherever they are read from."""

from typing import Any

import pytest

from analytics.pure import histogram
from tests.cast import Cast, cast
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import folded

ASK = """query ($from: ReadFrom! = MERGED) { analytics(project: "WEB", readFrom: $from, bucket: DAY,
    window: {between: {from: "2026-03-02T00:00:00Z", to: "2026-03-10T00:00:00Z"}}) { %s } }"""
SUMMARY = """policy items neverStarted inferred meanSeconds p50Seconds p85Days
    points(first: 10) { edges { node { taskKey startedAt seconds days episodes flags } } }"""
ALL = f"""timeInState {{ state {{ slug }} visits totalSeconds meanSeconds p50Seconds maxSeconds ongoingVisits ongoingSeconds }}
    full: timeInState(clip: FULL) {{ visits }} bottlenecks {{ state {{ slug }} }}
    cycleTime {{ {SUMMARY} }} leadTime {{ {SUMMARY} }} sum: cycleTime(policy: SUM_OF_EPISODES, start: "doing") {{ {SUMMARY} }}
    flowEfficiency {{ status value numerator denominator }} receipt {{ digest readFrom rawRows }}"""
DAY = 86400.0


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


@pytest.fixture
def keys(people: Cast) -> list[str]:
    """Three tasks: returned and done, never started, in progress."""
    alice = people.alice
    returned = {at(3): "doing", at(4): "todo", at(5): "doing", at(6): "done"}
    return [
        made(alice, title="One", created=at(2), moves=returned),
        made(alice, title="Two", created=at(2), moves={at(6): "done"}),
        made(alice, title="Three", created=at(1), moves={at(4): "doing"}),
    ]


def asked(people: Cast, selection: str, **variables: Any) -> Any:
    """The answer to Alice, or the refusal."""
    found = ask(people.alice, ASK % selection, now=NOW, **variables)
    return found if isinstance(found, Refusal) else found["analytics"]


def test_every_figure(people: Cast, keys: list[str]) -> None:
    """P17, P19, P22, P33: with the numbers that the points give."""
    found = asked(people, ALL)
    states = {each["state"]["slug"]: each for each in found["timeInState"]}
    assert (states["todo"]["visits"], states["todo"]["totalSeconds"], states["todo"]["p50Seconds"]) == (
        4,
        (1 + 1 + 4 + 2 + 9 / 24) * DAY,
        DAY,
    )
    assert (states["doing"]["visits"], states["doing"]["ongoingVisits"], states["done"]["visits"]) == (2, 1, 0)
    assert states["done"]["meanSeconds"] is None
    assert [each["state"]["slug"] for each in found["bottlenecks"]][:2] == ["todo", "doing"]
    cycle = found["cycleTime"]
    assert (cycle["policy"], cycle["items"], cycle["neverStarted"], cycle["inferred"]) == (
        "FIRST_START_LAST_FINISH",
        1,
        1,
        0,
    )
    assert (cycle["meanSeconds"], cycle["p50Seconds"], cycle["p85Days"]) == (3 * DAY, 3 * DAY, 4)
    point = {"taskKey": keys[0], "startedAt": "2026-03-03T09:00:00Z", "seconds": 3 * DAY, "days": 4, "episodes": 2}
    assert [edge["node"] for edge in cycle["points"]["edges"]] == [{**point, "flags": ["RETURNED_TO_TODO"]}]
    assert (found["sum"]["policy"], found["sum"]["meanSeconds"]) == ("SUM_OF_EPISODES", 2 * DAY)
    assert (found["leadTime"]["policy"], found["leadTime"]["items"]) == (None, 2)


def test_one_digest_wherever_it_is_read_from(people: Cast, keys: list[str]) -> None:
    """P60: from the ledger, from rollups, and again from what was kept."""
    raw = asked(people, ALL, **{"from": "RAW"})
    merged = asked(people, ALL)
    folded(people)
    first, kept = (asked(people, ALL, **{"from": "ROLLUP"}) for _ in range(2))
    assert (first["receipt"]["readFrom"], first["receipt"]["rawRows"]) == ("ROLLUP", 0)
    for other in (merged, first, kept):
        assert {**other, "receipt": other["receipt"]["digest"]} == {**raw, "receipt": raw["receipt"]["digest"]}


def test_points_come_in_pages(people: Cast, keys: list[str]) -> None:
    """Those of one instant by key, forwards and backwards."""
    page = "leadTime { points(%s) { totalCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { taskKey } } } }"
    first = asked(people, page % "first: 1")["leadTime"]["points"]
    assert ([e["node"]["taskKey"] for e in first["edges"]], first["totalCount"]) == (keys[:1], 2)
    assert first["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
    after = asked(people, page % f'first: 5, after: "{first["edges"][0]["cursor"]}"')["leadTime"]["points"]
    assert [e["node"]["taskKey"] for e in after["edges"]] == keys[1:2]
    last = asked(people, page % "last: 1")["leadTime"]["points"]
    assert [e["node"]["taskKey"] for e in last["edges"]] == keys[1:2]
    before = asked(people, page % f'last: 5, before: "{last["edges"][0]["cursor"]}"')["leadTime"]["points"]
    assert [e["node"]["taskKey"] for e in before["edges"]] == keys[:1]


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        ('cycleTime(start: "nowhere") { items }', "start: there is no state 'nowhere' on this board; name one of "),
        (
            'cycleTime(start: "done", finish: "doing") { items }',
            "finish: 'doing' does not come after 'done' in the order of the states; name a later one.",
        ),
        ("bottlenecks(first: 0) { visits }", "first: 0 is out of range; pass a number from 1 to 500."),
        ("leadTime { points { totalCount } }", "first, last: one of them is required; pass a number from 1 to 500."),
    ],
)
def test_bad_input_is_named(people: Cast, keys: list[str], selection: str, sentence: str) -> None:
    """P30: the argument and what to do; never a zero."""
    refused = asked(people, selection)
    assert isinstance(refused, Refusal)
    assert refused.code == "BAD_USER_INPUT"
    assert refused.message.startswith(sentence)


def test_nothing_finished_is_null(people: Cast) -> None:
    """P61: percentiles of nothing are null, not 0."""
    found = asked(people, "cycleTime { items meanSeconds p50Seconds p85Days } flowEfficiency { status value }")
    assert found["cycleTime"] == {"items": 0, "meanSeconds": None, "p50Seconds": None, "p85Days": None}
    assert found["flowEfficiency"] == {"status": "NO_DATA", "value": None}


def test_percentiles_of_many_come_from_bins(people: Cast, keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more times than are looked at one by one; the answer says so, and is within 1 % of the exact one."""
    selection = """timeInState { state { slug } visits method p50Seconds p85Seconds p95Seconds maxSeconds }
        leadTime { method p50Seconds p85Seconds p95Seconds p50Days } receipt { digest }"""
    exact = asked(people, selection)
    assert {each["method"] for each in exact["timeInState"]} | {exact["leadTime"]["method"]} == {"EXACT"}
    monkeypatch.setattr(histogram, "MOST_EXACT", 1)
    binned, raw = (asked(people, selection, **{"from": where}) for where in ("MERGED", "RAW"))
    assert binned == raw
    assert binned["receipt"] != exact["receipt"]
    for found, wanted in zip(
        [*binned["timeInState"], binned["leadTime"]], [*exact["timeInState"], exact["leadTime"]], strict=True
    ):
        if found.get("visits", 2) <= 1:
            assert found == wanted
            continue
        assert found["method"] == "HISTOGRAM"
        for percent in ("p50Seconds", "p85Seconds", "p95Seconds"):
            assert found[percent] == pytest.approx(wanted[percent], rel=0.01)
    assert binned["leadTime"]["p50Days"] == exact["leadTime"]["p50Days"]
