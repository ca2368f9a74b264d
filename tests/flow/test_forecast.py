"""Forecasts as arithmetic: what is drawn, how it is ranked, what is refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.flow.figures.forecast import (
    MOST_DAYS,
    DoneStay,
    Forecast,
    ForecastError,
    ForecastPoint,
    ForecastQuestion,
    ForecastStatus,
    backtest,
    chosen_seed,
    days_needed,
    finished_by_day,
    forecast,
    nearest_rank,
    totals,
)
from tests.oracle import forecast as oracle

TODAY = date(2026, 3, 1)
few = settings(max_examples=30)
histories = st.lists(st.integers(0, 9), min_size=1, max_size=60)
seeds = st.integers(0, 2**31 - 1)


def asked(
    *,
    items: int | None = None,
    until: date | None = None,
    trials: int = 100,
    seed: int = 7,
    off: frozenset[date] = frozenset(),
) -> ForecastQuestion:
    """The question, where not everything is given."""
    return ForecastQuestion(items=items, until=until, trials=trials, seed=seed, days_off=off)


def stays(past: list[int]) -> list[DoneStay]:
    """Of items that are done for good."""
    return [DoneStay(day, None, count) for day, count in enumerate(past, start=1) if count]


def answer(past: list[int], question: ForecastQuestion) -> Forecast:
    """The forecast from these days."""
    return forecast(question=question, first_day=TODAY, days=len(past), stays=stays(past))


@few
@given(past=histories, days=st.integers(0, 20), trials=st.integers(1, 30), seed=seeds)
def test_totals_are_those_of_a_plain_loop(past: list[int], days: int, trials: int, seed: int) -> None:
    assert totals(past, days=days, trials=trials, seed=seed).tolist() == oracle._totals(past, days, trials, seed)


@few
@given(past=histories.filter(any), items=st.integers(1, 60), trials=st.integers(1, 20), seed=seeds)
def test_days_needed_are_those_of_a_plain_loop(past: list[int], items: int, trials: int, seed: int) -> None:
    found = days_needed(past, items=items, trials=trials, seed=seed).tolist()
    wanted = [MOST_DAYS + 1 if day == oracle.LATE else day for day in oracle._needed(past, items, trials, seed)]
    assert found == wanted


@few
@given(past=histories, trials=st.integers(1, 40), ahead=st.integers(0, 30), seed=seeds)
def test_more_certain_is_never_more(past: list[int], trials: int, ahead: int, seed: int) -> None:
    """Fewer items, later dates, the more certain they are; more items by a later date, later dates for more items."""
    until = TODAY + timedelta(days=ahead)
    by_date = answer(past, asked(until=until, trials=trials, seed=seed)).points
    later = answer(past, asked(until=until + timedelta(days=3), trials=trials, seed=seed)).points
    items = [each.items or 0 for each in by_date]
    assert items == sorted(items, reverse=True)
    assert all((a.items or 0) <= (b.items or 0) for a, b in zip(by_date, later, strict=True))
    dates = [each.day or date.max for each in answer(past, asked(items=ahead + 1, trials=trials, seed=seed)).points]
    more = [each.day or date.max for each in answer(past, asked(items=ahead + 9, trials=trials, seed=seed)).points]
    assert dates == sorted(dates)
    assert all(a <= b for a, b in zip(dates, more, strict=True))


def test_the_same_seed_gives_the_same_answer_for_ever() -> None:
    """P38: written down, so that no release of a library can change what was said."""
    past = [0, 3, 1, 0, 2, 5, 0, 1]
    assert totals(past, days=5, trials=8, seed=42).tolist() == [8, 11, 12, 11, 9, 10, 3, 12]
    assert days_needed(past, items=9, trials=8, seed=42).tolist() == [6, 4, 5, 4, 4, 4, 9, 4]


def test_steady_work_is_foreseen_to_the_day() -> None:
    """Two a day: 14 in a week whatever is drawn; the 15th on the eighth day."""
    past = [2] * 10
    in_a_week = answer(past, asked(until=TODAY + timedelta(days=6)))
    assert in_a_week.points == tuple(ForecastPoint(percent=each, items=14) for each in (50, 70, 85, 95))
    fifteen = answer(past, asked(items=15))
    assert {each.day for each in fifteen.points} == {TODAY + timedelta(days=7)}
    assert (fifteen.status, fifteen.history_days, fifteen.first_day) == (ForecastStatus.OK, 10, TODAY)


def test_days_off_are_no_days() -> None:
    """The week has five days then; a date is moved behind each day off that comes before it."""
    off = frozenset({date(2026, 2, 27), date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 9)})
    in_a_week = answer([2] * 10, asked(until=date(2026, 3, 7), off=off))
    assert {each.items for each in in_a_week.points} == {10}
    assert {each.day for each in answer([2] * 10, asked(items=2, off=off)).points} == {date(2026, 3, 1)}
    assert {each.day for each in answer([2] * 10, asked(items=3, off=off)).points} == {date(2026, 3, 4)}
    assert {each.day for each in answer([2] * 10, asked(items=13, off=off)).points} == {date(2026, 3, 10)}


def test_the_share_of_a_coin_is_fair() -> None:
    """Each past day comes as often as any other: a thousandth of 8 million draws is more than what they may be off."""
    found = totals([1, *[0] * 9], days=800, trials=10_000, seed=1)
    assert abs(int(found.sum()) / 8_000_000 - 0.1) < 0.001


@pytest.mark.parametrize("past", [[], [0] * 90, [9, 9, 9, 9, *[0] * 50]])
def test_thin_history_is_said_and_not_drawn_from(past: list[int]) -> None:
    """P39: without five days that have a finish there is no forecast; the sampler would never end."""
    for question in (asked(items=5), asked(until=TODAY)):
        found = answer(past, question)
        assert (found.status, found.points, found.backtest) == (ForecastStatus.INSUFFICIENT_DATA, (), None)
        assert (found.seed, found.trials) == (7, 100)


def test_what_is_ten_years_away_is_not_dated() -> None:
    past = [1] * 5 + [0] * 3_000
    found = answer(past, asked(items=100_000, trials=20))
    assert (found.status, {each.day for each in found.points}) == (ForecastStatus.OK, {None})


def test_the_rank_is_an_observed_value() -> None:
    values = totals([0, 1, 2, 3], days=1, trials=7, seed=3)
    for percent in (1, 15, 50, 85, 95, 100):
        assert nearest_rank(values, percent=percent) == oracle._rank(values.tolist(), percent)


def test_a_past_day_knows_nothing_of_later() -> None:
    """Done on day 2 and reopened on day 5: finished as day 4 saw it, not as day 5 and the window's end did."""
    reopened = [DoneStay(2, 5, 1), DoneStay(7, None, 1), DoneStay(0, None, 4), DoneStay(9, None, 2)]
    assert finished_by_day(days=8, stays=reopened, as_of=4) == [0, 1, 0, 0]
    assert finished_by_day(days=8, stays=reopened, as_of=5) == [0, 0, 0, 0, 0]
    assert finished_by_day(days=8, stays=reopened) == [0, 0, 0, 0, 0, 0, 1, 0]


def test_the_back_test_counts_what_held() -> None:
    """P38: steady work holds always; work that stops after the seventh week fails in the three that follow it."""
    assert backtest(days=70, stays=stays([1] * 70), trials=50, seed=1) is not None
    held = backtest(days=70, stays=stays([1] * 70), trials=50, seed=1)
    assert held is not None
    assert (held.held, held.tests) == (8, 8)
    stopped = backtest(days=70, stays=stays([1] * 49 + [0] * 21), trials=50, seed=1)
    assert stopped is not None
    assert (stopped.held, stopped.tests) == (5, 8)


def test_a_short_past_has_no_back_test() -> None:
    """Five weeks after the first two are the least."""
    assert backtest(days=48, stays=stays([1] * 48), trials=50, seed=1) is None
    assert backtest(days=49, stays=stays([1] * 49), trials=50, seed=1) is not None


@pytest.mark.parametrize(
    ("given", "argument", "sentence"),
    [
        ({}, "items", "items: give items, to be told a date, or until, to be told a number; not both."),
        (
            {"items": 1, "until": TODAY},
            "items",
            "items: give items, to be told a date, or until, to be told a number; not both.",
        ),
        ({"items": 0}, "items", "items: give a number from 1 to 100,000, not 0."),
        ({"items": 100_001}, "items", "items: give a number from 1 to 100,000, not 100,001."),
        ({"items": 1, "trials": 0}, "trials", "trials: give a number from 1 to 20,000, not 0."),
        ({"items": 1, "trials": 20_001}, "trials", "trials: give a number from 1 to 20,000, not 20,001."),
        ({"items": 1, "seed": -1}, "seed", "seed: give a number from 0 to 2,147,483,647, not -1."),
        ({"items": 1, "seed": 2**31}, "seed", "seed: give a number from 0 to 2,147,483,647, not 2,147,483,648."),
    ],
)
def test_what_cannot_be_forecast_is_refused(given: dict, argument: str, sentence: str) -> None:
    with pytest.raises(ForecastError) as refusal:
        asked(**given)
    assert (refusal.value.argument, str(refusal.value)) == (argument, sentence)


def test_until_is_neither_over_nor_out_of_reach() -> None:
    """Said before anything is drawn, with much history or none."""
    for past in ([], [1] * 10):
        with pytest.raises(ForecastError, match="until: 2026-02-28 is over; give a date from 2026-03-01 on"):
            answer(past, asked(until=date(2026, 2, 28)))
        with pytest.raises(
            ForecastError, match="until: 2036-02-27 is more than 3,650 days ahead; give an earlier date"
        ):
            answer(past, asked(until=date(2036, 2, 27)))


def test_a_seed_that_is_chosen_is_of_the_question() -> None:
    """Asked again, it is the same; and it fits into the answer's Int."""
    assert chosen_seed([("items", 5)]) == chosen_seed([("items", 5)]) != chosen_seed([("items", 6)])
    assert all(0 <= chosen_seed(number) < 2**31 for number in range(1000))
