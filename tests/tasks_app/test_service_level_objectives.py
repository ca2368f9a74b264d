"""What is promised of the answers: the data, which answers count, and what the counts come to."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from math import ceil

import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists, sampled_from

from tasks_app.errors import Code
from tasks_app.observing import latency_histogram as spread
from tasks_app.observing.counting import Count, Counts, Row
from tasks_app.observing.judging import RULES, Served, Verdict, verdicts
from tasks_app.observing.levels import Level, burn_rate
from tasks_app.observing.objectives import DEFAULTS, Objective, chosen

NOW = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC)
PROMISED = {each.name: each for each in DEFAULTS.objectives}
FAST, SLOW = timedelta(milliseconds=20), timedelta(seconds=3)


def test_the_defaults_are_what_is_promised() -> None:
    """Share, days, seconds, by name: the figures of the definitions."""
    found = {
        each.name: (each.share, each.window_days, each.within and each.within.total_seconds())
        for each in DEFAULTS.objectives
    }
    assert found == {
        "availability": (0.995, 30, None),
        "freshness": (0.99, 30, 5),
        "latency_summary": (0.95, 30, 0.3),
        "latency_synchronous": (0.95, 30, 2),
        "latency_asynchronous": (0.95, 30, 60),
    }
    assert {each.name: each.after for each in DEFAULTS.alarms} == {
        "tail": timedelta(minutes=5),
        "worker": timedelta(minutes=5),
    }
    assert set(RULES) == set(PROMISED)


def test_what_is_chosen_replaces_the_default_and_nothing_else() -> None:
    assert chosen(" ") is DEFAULTS
    found = chosen('{"availability": {"share": 0.999, "windowDays": 28, "minEvents": 7}, "tail": {"seconds": 90}}')
    wanted = replace(PROMISED["availability"], share=0.999, window_days=28, min_events=7)
    assert found.objective("availability") == wanted
    assert found.objectives[1:] == DEFAULTS.objectives[1:]
    assert found.alarm("tail").after == timedelta(seconds=90)
    assert chosen('{"freshness": {"seconds": 1.5}}').fresh_within == timedelta(seconds=1.5)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("{", "this is not JSON"),
        ("[]", "give an object of objects, by the names of objectives"),
        ('{"availability": 1}', "give an object of objects, by the names of objectives"),
        ('{"uptime": {}}', "there is no 'uptime'; the names are availability, "),
        ('{"availability": {"seconds": 1}}', "availability has no 'seconds'; it has share, windowDays, minEvents"),
        ('{"availability": {"share": 1}}', r"availability.share is 1: give a number above 0 and below 1"),
        ('{"availability": {"share": "x"}}', "availability.share is 'x': give a number"),
        ('{"availability": {"windowDays": 1.5}}', "availability.windowDays is 1.5: give a whole number"),
        ('{"availability": {"windowDays": 366}}', "availability.windowDays is 366: give a whole number"),
        ('{"availability": {"minEvents": true}}', "availability.minEvents is True: give a whole number"),
        ('{"freshness": {"seconds": 0}}', "freshness.seconds is 0: give a number above 0"),
        ('{"tail": {"share": 0.5}}', "tail has no 'share'; it has seconds"),
    ],
)
def test_what_cannot_be_promised_is_refused_in_one_sentence(text: str, because: str) -> None:
    with pytest.raises(ValueError, match=because):
        chosen(text)


def judged(**served: object) -> dict[str, bool]:
    """What an answer counts for and whether it is good, taking 20 ms unless told otherwise."""
    return {each.name: each.good for each in all_verdicts(**served)}


def all_verdicts(**served: object) -> list[Verdict]:
    return list(verdicts(Served(**{"took": FAST, **served}), DEFAULTS.objectives))  # type: ignore[arg-type]


def test_an_answer_in_time_is_good() -> None:
    assert judged() == {"availability": True, "latency_synchronous": True}
    assert judged(operation="summary") == {"availability": True, "latency_summary": True}
    assert judged(age=timedelta()) == {"availability": True, "freshness": True, "latency_synchronous": True}


def test_the_limit_itself_is_in_time() -> None:
    just = timedelta(seconds=2)
    assert judged(took=just)["latency_synchronous"] is True
    assert judged(took=just + timedelta(microseconds=1))["latency_synchronous"] is False
    assert judged(took=timedelta(milliseconds=301), operation="summary")["latency_summary"] is False
    assert judged(age=timedelta(seconds=5))["freshness"] is True
    assert judged(age=timedelta(seconds=5, microseconds=1))["freshness"] is False


def test_a_fault_of_ours_is_no_answer_and_tells_nothing_of_latency() -> None:
    """A failure in a millisecond must not make the answers look fast."""
    assert judged(codes=frozenset({Code.INTERNAL}), age=timedelta()) == {"availability": False}
    assert judged(codes=frozenset({Code.INTERNAL, Code.NOT_FOUND})) == {"availability": False}


def test_what_the_database_gave_up_on_is_ours_and_slow() -> None:
    """The caller reads COST_EXCEEDED, and we had let the operation run."""
    gave_up = judged(codes=frozenset({Code.COST_EXCEEDED}), timed_out=True, took=timedelta(seconds=30))
    assert gave_up == {"availability": False, "latency_synchronous": False}


@pytest.mark.parametrize("code", sorted(set(Code) - {Code.INTERNAL, Code.ASYNC_REQUIRED}))
def test_a_fault_of_the_callers_does_not_count(code: Code) -> None:
    """Neither as good, or a flood of bad requests would hide our failures, nor as bad."""
    assert judged(codes=frozenset({code}), age=timedelta(), took=SLOW) == {}


def test_what_was_handed_over_is_an_answer_and_its_latency_is_the_jobs() -> None:
    assert judged(codes=frozenset({Code.ASYNC_REQUIRED}), took=SLOW) == {"availability": True}
    assert judged(is_job=True, took=timedelta(seconds=60)) == {"latency_asynchronous": True}
    assert judged(is_job=True, took=timedelta(seconds=61)) == {"latency_asynchronous": False}
    assert judged(is_job=True, codes=frozenset({Code.INTERNAL})) == {"latency_asynchronous": False}
    assert judged(is_job=True, codes=frozenset({"WORKER_LOST"})) == {"latency_asynchronous": False}
    assert judged(is_job=True, codes=frozenset({Code.FORBIDDEN})) == {}


def test_a_verdict_has_the_time_that_it_was_given_by() -> None:
    """Of freshness the age, of latency what it took; of what was soon over because it failed there is none."""
    aged = all_verdicts(took=SLOW, age=timedelta(seconds=1))
    assert {each.name: each.seconds for each in aged} == {
        "availability": None,
        "freshness": 1.0,
        "latency_synchronous": 3.0,
    }
    assert [each.seconds for each in all_verdicts(is_job=True, took=SLOW)] == [3.0]
    assert [each.seconds for each in all_verdicts(is_job=True, codes=frozenset({Code.INTERNAL}))] == [None]


@given(lists(floats(min_value=0, max_value=400), min_size=1, max_size=40), sampled_from([0.5, 0.95, 0.99]))
def test_a_spread_tells_a_time_within_which_the_share_is(times: list[float], share: float) -> None:
    """Never too low, and not higher than the step above the exact one; in whatever order it is added up."""
    added = reduce(spread.plus, map(spread.of, times))
    assert sum(added) == len(times)
    assert added == reduce(spread.plus, map(spread.of, reversed(times)))
    exact = sorted(times)[ceil(share * len(times)) - 1]
    wanted = next((step for step in spread.STEPS if exact <= step), None)
    assert spread.within(added, share=share) == wanted


def test_a_spread_of_nothing_tells_nothing() -> None:
    assert spread.within((), share=0.95) is None
    assert spread.within(spread.of(301), share=0.95) is None


def test_one_failure_in_twelve_is_no_rate() -> None:
    """It would be sixteen times what availability allows, out of one event."""
    objective = PROMISED["availability"]
    assert burn_rate(Count(11, 12), objective=objective) is None
    assert burn_rate(Count(99, 99), objective=objective) is None
    assert burn_rate(Count(99, 100), objective=objective) == pytest.approx(2)
    assert burn_rate(Count(100, 100), objective=objective) == 0


def level(objective: Objective, *counts: Count) -> Level:
    return Level(
        objective=objective,
        by_day=tuple((date(2026, 11, day), count) for day, count in enumerate(counts, start=1)),
        recent=Count(0, 0),
    )


def test_a_window_adds_up_its_days() -> None:
    found = level(PROMISED["freshness"], Count(99, 100), Count(0, 0), Count(96, 100))
    assert (found.count, found.attained) == (Count(195, 200), 0.975)
    assert found.budget_left == pytest.approx(1 - 2.5)
    empty = level(PROMISED["freshness"], Count(0, 0))
    assert (empty.attained, empty.burn_rate, empty.budget_left) == (None, None, None)


def test_counts_are_by_tenant_objective_and_minute() -> None:
    counts = Counts()
    counts.add(tenant_id=2, verdicts=[Verdict("availability", True), Verdict("freshness", False)], now=NOW)
    counts.add(tenant_id=2, verdicts=[Verdict("availability", False)], now=NOW + timedelta(seconds=52))
    counts.add(tenant_id=2, verdicts=[Verdict("availability", True)], now=NOW + timedelta(seconds=53))
    counts.add(tenant_id=None, verdicts=[Verdict("availability", False)], now=NOW)
    minute = NOW.replace(second=0)
    found = counts.take()
    assert list(found.items()) == [
        (Row(0, "availability", minute), Count(0, 1)),
        (Row(2, "availability", minute), Count(1, 2)),
        (Row(2, "availability", minute + timedelta(minutes=1)), Count(1, 1)),
        (Row(2, "freshness", minute), Count(0, 1)),
    ]
    assert counts.take() == {}


def test_what_could_not_be_written_is_added_to_what_came_since() -> None:
    counts = Counts()
    counts.add(tenant_id=2, verdicts=[Verdict("availability", True)], now=NOW)
    taken = counts.take()
    counts.add(tenant_id=2, verdicts=[Verdict("availability", False)], now=NOW)
    counts.put(taken)
    assert list(counts.take().values()) == [Count(1, 2)]


def test_counts_that_nobody_takes_do_not_fill_the_memory() -> None:
    """Those of new rows are dropped, and how many is known; rows that are there go on counting."""
    counts = Counts(most=2)
    for tenant_id in (1, 2, 3, 3, 1):
        counts.add(tenant_id=tenant_id, verdicts=[Verdict("availability", True)], now=NOW)
    assert counts.dropped == 2
    assert [count.valid for count in counts.take().values()] == [2, 1]
