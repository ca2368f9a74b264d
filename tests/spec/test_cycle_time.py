"""From start to finish, by four policies and between named states."""

from datetime import timedelta

import pytest

from analytics.flow.figures.start_and_finish import PairError
from tests.oracle.durations import Durations, Policy
from tests.spec.runner import FullEngine, OracleEngine, days, loaded

BOARD = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress  Done:done  Shipped:done  Dropped:cancelled
facts
"""
STATES = {"A": "Doing", "T": "Todo", "D": "Done"}
MARCH = days("2026-03-01", 10)
FIRST, LAST, EPISODES, ERASE = Policy

Golden = tuple[tuple[int, int], int, tuple[str, ...]] | None


def told(history: str) -> str:
    """A history such as `A1 T2 D3`: states and days."""
    lines = [
        f"2026-03-0{step[1]} 09:00  -  WEB-1  {'moved' if number else 'created'} {STATES[step[0]]}"
        for number, step in enumerate(history.split())
    ]
    return BOARD + "\n".join(lines)


def golden(found: Durations) -> Golden:
    """First day, last day, number of days, flags; None for an item without a cycle time."""
    for point in found.points:
        assert point.duration >= timedelta(0)
        return (point.started_at.day, point.finished_at.day), point.days, point.flags
    return None


RETURNED = ("RETURNED_TO_TODO",)


@pytest.mark.parametrize(
    ("history", "policy", "expected"),
    [
        ("A1 D2 A3 D4", FIRST, ((1, 4), 4, ())),
        ("A1 D2 A3 D4", LAST, ((1, 4), 4, ())),
        ("A1 D2 A3 D4", EPISODES, ((1, 4), 4, ())),
        ("A1 D2 A3 D4", ERASE, ((1, 4), 4, ())),
        ("A1 T2 A3 D4", FIRST, ((1, 4), 4, RETURNED)),
        ("A1 T2 A3 D4", LAST, ((3, 4), 2, ())),
        ("A1 T2 A3 D4", EPISODES, ((1, 4), 4, ())),
        ("A1 T2 A3 D4", ERASE, ((3, 4), 2, ())),
        ("A1 T2 D3", FIRST, ((1, 3), 3, RETURNED)),
        ("A1 T2 D3", LAST, ((3, 3), 1, ())),
        ("A1 T2 D3", EPISODES, ((1, 3), 3, ())),
        ("A1 T2 D3", ERASE, ((3, 3), 1, ())),
        ("T1 D2", FIRST, None),
        ("T1 D2", LAST, None),
        ("T1 D2", EPISODES, None),
        ("T1 D2", ERASE, ((2, 2), 1, ())),
        ("D1 A2 D3", FIRST, ((2, 3), 2, ())),
        ("D1 A2 D3", LAST, ((2, 3), 2, ())),
        ("D1 A2 D3", EPISODES, ((2, 3), 2, ())),
        ("D1 A2 D3", ERASE, ((2, 3), 2, ())),
    ],
)
def test_histories_by_four_policies(full_engine: FullEngine, history: str, policy: Policy, expected: Golden) -> None:
    """P17, P21, P22, P23: the golden table, and what was first seen done; what was never started is counted apart."""
    engine = loaded(full_engine, told(history))
    found = engine.cycle_time(question=MARCH, policy=policy)
    assert golden(found) == expected
    assert (found.never_started, found.inferred) == (int(expected is None), 0)
    assert sum(count or 0 for count in engine.throughput(question=MARCH).finished) == 1


def test_episodes_add_up(full_engine: FullEngine) -> None:
    """P19, P20: the time between episodes is in none of them; a start that was skipped has no length."""
    reopened = loaded(full_engine, told("A1 D3 A6 D7")).cycle_time(question=MARCH, policy=EPISODES)
    assert [(p.duration, p.days, p.episodes) for p in reopened.points] == [(timedelta(days=3), 5, 2)]
    skipped = loaded(full_engine, told("A1 T2 D5")).cycle_time(question=MARCH, policy=EPISODES)
    assert [(p.duration, p.days, p.episodes) for p in skipped.points] == [(timedelta(days=1), 3, 2)]


def test_created_in_done_is_inferred(full_engine: FullEngine) -> None:
    """P25: nothing is known of its work: no cycle time, a lead time of nothing."""
    engine = loaded(full_engine, told("D2"))
    for policy in Policy:
        found = engine.cycle_time(question=MARCH, policy=policy)
        assert (found.points, found.never_started, found.inferred) == ((), 0, 1)
    assert [p.duration for p in engine.lead_time(question=MARCH).points] == [timedelta(0)]


def test_only_what_is_done_at_the_windows_end(full_engine: FullEngine) -> None:
    """P18, P24: reopened within the window it is not finished; done again, it is, by its last finish."""
    engine = loaded(full_engine, told("A1 D2 A3 D4"))
    assert engine.cycle_time(question=days("2026-03-01", 3), policy=FIRST).points == ()
    assert engine.lead_time(question=days("2026-03-01", 3)).points == ()
    assert engine.cycle_time(question=days("2026-03-05", 3), policy=FIRST).points == ()
    assert [p.finished_at.day for p in engine.cycle_time(question=days("2026-03-04", 1), policy=FIRST).points] == [4]


BACK_AND_FORTH = f"""
{BOARD}
2026-03-01 09:00  -  WEB-1  created Review
2026-03-02 09:00  -  WEB-1  moved Doing
2026-03-03 09:00  -  WEB-1  discarded
2026-03-04 09:00  -  WEB-1  restored Review
2026-03-05 09:00  -  WEB-1  moved Done
2026-03-06 09:00  -  WEB-1  moved Shipped
"""


def test_erasing_goes_by_place_within_a_category(full_engine: FullEngine) -> None:
    """Going back from review to doing erases the review; leaving the board erases nothing, and is told."""
    engine = loaded(full_engine, BACK_AND_FORTH)
    starts = {p: [x.started_at.day for x in engine.cycle_time(question=MARCH, policy=p).points] for p in Policy}
    assert starts == {FIRST: [1], LAST: [4], EPISODES: [1], ERASE: [2]}
    assert engine.cycle_time(question=MARCH, policy=FIRST).points[0].flags == ("LEFT_THE_BOARD",)
    assert engine.cycle_time(question=MARCH, policy=EPISODES).points[0].duration == timedelta(days=3)


@pytest.mark.parametrize(
    ("start", "finish", "expected"),
    [
        ("review", None, [(1, 5)]),
        ("todo", "review", [(2, 4)]),
        (None, "shipped", [(1, 6)]),
        ("done", "shipped", [(5, 6)]),
    ],
)
def test_named_pairs(
    full_engine: FullEngine, start: str | None, finish: str | None, expected: list[tuple[int, int]]
) -> None:
    """P30, P31: any two states, each pair by itself."""
    engine = loaded(full_engine, BACK_AND_FORTH)
    found = engine.cycle_time(question=MARCH, policy=FIRST, start=start, finish=finish)
    assert [(p.started_at.day, p.finished_at.day) for p in found.points] == expected


@pytest.mark.parametrize(
    ("start", "finish", "sentence"),
    [
        ("nowhere", None, "there is no state 'nowhere' on this board; name one of todo, doing, review, done, shipped."),
        (None, "dropped", "there is no state 'dropped' on this board; name one of todo, doing, review, done, shipped."),
        ("review", "doing", "'doing' does not come after 'review' in the order of the states; name a later one."),
        ("doing", "doing", "'doing' does not come after 'doing' in the order of the states; name a later one."),
        ("shipped", None, "'shipped' is done already; name an earlier state, or a finish after it."),
        (None, "doing", "no state in progress stands before 'doing'; name a later one, or a start before it."),
    ],
)
def test_pairs_that_cannot_be(full_engine: FullEngine, start: str | None, finish: str | None, sentence: str) -> None:
    """P30: each is refused with the argument at fault, never answered with nothing."""
    if isinstance(full_engine, OracleEngine):
        pytest.skip("the oracle is asked for what can be")
    engine = loaded(full_engine, BACK_AND_FORTH)
    with pytest.raises(PairError) as refused:
        engine.cycle_time(question=MARCH, policy=FIRST, start=start, finish=finish)
    assert str(refused.value) == sentence


TRANSFERRED = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
project OPS
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 09:00  -  WEB-1  moved Doing
2026-03-04 09:00  -  WEB-1  transferred OPS:Doing
2026-03-07 09:00  -  WEB-1  moved OPS:Done
"""


def test_a_projects_clocks_start_at_the_arrival(full_engine: FullEngine) -> None:
    """The tenant sees the whole way, the board that finishes it only its own part."""
    engine = loaded(full_engine, TRANSFERRED)
    ops, everything = (days("2026-03-01", 10, project=project) for project in ("OPS", None))
    for question, begin, arrival in ((ops, 4, 4), (everything, 2, 1)):
        assert [p.started_at.day for p in engine.cycle_time(question=question, policy=FIRST).points] == [begin]
        assert [p.started_at.day for p in engine.lead_time(question=question).points] == [arrival]
    assert engine.lead_time(question=MARCH).points == ()


@pytest.mark.parametrize(
    ("zone_days", "history", "elapsed", "working"),
    [
        ("Sunday to Monday", "A1 D2", (24, 2), (9, 1)),
        ("over a weekend", "A6 D9", (72, 4), (24, 2)),
        ("on a Saturday and Sunday", "A7 D8", (24, 2), (0, 0)),
        ("Monday to Friday", "A2 D6", (96, 5), (96, 5)),
    ],
)
def test_weekends_are_left_out_of_the_working_calendar(
    full_engine: FullEngine, zone_days: str, history: str, elapsed: tuple[float, int], working: tuple[float, int]
) -> None:
    """P34: elapsed time unless it is asked for; 1 March 2026 is a Sunday. Hours, and local dates."""
    engine = loaded(full_engine, told(history))
    for is_working, wanted in ((False, elapsed), (True, working)):
        found = engine.cycle_time(question=MARCH, policy=FIRST, working=is_working).points[0]
        assert (found.duration / timedelta(hours=1), found.days) == wanted, zone_days
        assert engine.lead_time(question=MARCH, working=is_working).points[0].duration == found.duration
