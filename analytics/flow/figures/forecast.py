"""Forecasts: the finishes of past days drawn again and again, day after day. No clock, no database.

The random numbers are the raw ones of a known generator (SFC64), and no release of a library can change them: an answer can
be given again to the same bytes years later. A longer forecast begins with the very days of a shorter one.
"""

import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

PERCENTS: Final = (50, 70, 85, 95)
FEWEST_DAYS_WITH_A_FINISH: Final = 5
MOST_DAYS: Final = 3_650
MOST_ITEMS: Final = 100_000
MOST_TRIALS: Final = 20_000
MOST_DAYS_OFF: Final = 1_000
LARGEST_SEED: Final = 2**31 - 1
ONE_DAY: Final = timedelta(days=1)

# A back-test asks, week by week, for the next seven days, once two weeks are known.
TESTED_PERCENT: Final = 85
TESTED_DAYS: Final = 7
FIRST_TESTED_DAY: Final = 14
FEWEST_TESTS: Final = 5
MOST_TESTS: Final = 52

Numbers = npt.NDArray[np.int64]


class ForecastError(ValueError):
    """A forecast that cannot be made: `argument` names the input, the text says why."""

    def __init__(self, argument: str, sentence: str) -> None:
        super().__init__(f"{argument}: {sentence}")
        self.argument = argument


class ForecastStatus(StrEnum):
    """Whether there was enough to draw from."""

    OK = "OK"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastQuestion:
    """How many items until the end of a date, or when a number of items are done; exactly one of the two.

    `days_off` are dates on which nothing will be finished. ForecastError names what cannot be answered.
    """

    items: int | None
    until: date | None
    trials: int
    seed: int
    days_off: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if (self.items is None) == (self.until is None):
            raise ForecastError("items", "give items, to be told a date, or until, to be told a number; not both.")
        _within("items", self.items, least=1, most=MOST_ITEMS)
        _within("trials", self.trials, least=1, most=MOST_TRIALS)
        _within("seed", self.seed, least=0, most=LARGEST_SEED)
        if len(self.days_off) > MOST_DAYS_OFF:
            raise ForecastError("daysOff", f"give at most {MOST_DAYS_OFF:,} dates, not {len(self.days_off):,}.")


@dataclass(frozen=True, slots=True)
class DoneStay:
    """How many items came to DONE in piece `begin` and left it in piece `end`; None: they are there at the window's end.

    Piece j is the j-th day, from 1; 0 is before all of them, the piece after the last one is everything later.
    """

    begin: int
    end: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPoint:
    """What holds with that many per cent: at least so many items, or done by that date. None: not within ten years."""

    percent: int
    items: int | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Of the `tests` forecasts made at past days, `held` were inside what they said with 85 per cent."""

    held: int
    tests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The answer, as seen from the beginning of `first_day`; with too little history it has no points."""

    status: ForecastStatus
    seed: int
    trials: int
    history_days: int
    first_day: date
    points: tuple[ForecastPoint, ...]
    backtest: Backtest | None


def forecast(*, question: ForecastQuestion, first_day: date, days: int, stays: Sequence[DoneStay]) -> Forecast:
    """Draws from the `days` whole days before `first_day`. ForecastError where `until` is out of reach."""
    ahead = _days_ahead(question, first_day)
    history = finished_by_day(days=days, stays=stays)
    enough = is_enough(history)
    return Forecast(
        status=ForecastStatus.OK if enough else ForecastStatus.INSUFFICIENT_DATA,
        seed=question.seed,
        trials=question.trials,
        history_days=days,
        first_day=first_day,
        points=_points(question, history, first_day=first_day, ahead=ahead) if enough else (),
        backtest=backtest(days=days, stays=stays, trials=question.trials, seed=question.seed) if enough else None,
    )


def chosen_seed(arguments: Any) -> int:
    """The seed of a forecast that was asked for without one: the same for the same question, so that it can be compared."""
    return zlib.crc32(repr(arguments).encode()) & LARGEST_SEED


def is_enough(history: Sequence[int]) -> bool:
    """Whether enough days have a finish."""
    return sum(finished > 0 for finished in history) >= FEWEST_DAYS_WITH_A_FINISH


def finished_by_day(*, days: int, stays: Iterable[DoneStay], as_of: int | None = None) -> list[int]:
    """Items by the day on which they finished: those DONE at the window's end, or as they were when day `as_of` ended.

    Seen from a past day nothing later is known: an item that was reopened afterwards had finished.
    """
    found = [0] * (days if as_of is None else as_of)
    for stay in stays:
        lasted = stay.end is None or (as_of is not None and stay.end > as_of)
        if lasted and 1 <= stay.begin <= len(found):
            found[stay.begin - 1] += stay.count
    return found


def backtest(*, days: int, stays: Sequence[DoneStay], trials: int, seed: int) -> Backtest | None:
    """Forecasts of seven days, each made by what had happened before them, against what came. None: too few of them."""
    held = tests = 0
    last = days - TESTED_DAYS
    for day in range(last, max(FIRST_TESTED_DAY, last - TESTED_DAYS * MOST_TESTS + 1) - 1, -TESTED_DAYS):
        history = finished_by_day(days=days, stays=stays, as_of=day)
        if not is_enough(history):
            continue
        came = sum(finished_by_day(days=days, stays=stays, as_of=day + TESTED_DAYS)[day:])
        said = nearest_rank(totals(history, days=TESTED_DAYS, trials=trials, seed=seed), percent=100 - TESTED_PERCENT)
        tests += 1
        held += came >= said
    return Backtest(held=held, tests=tests) if tests >= FEWEST_TESTS else None


def totals(history: Sequence[int], *, days: int, trials: int, seed: int) -> Numbers:
    """How many items each trial finishes in that many days."""
    found = np.zeros(trials, dtype=np.int64)
    for drawn in islice(_drawn(history, trials=trials, seed=seed), days):
        found += drawn
    return found


def days_needed(history: Sequence[int], *, items: int, trials: int, seed: int) -> Numbers:
    """On which day each trial has finished that many items, from 1; MOST_DAYS + 1 where it has not by then."""
    left = np.full(trials, items, dtype=np.int64)
    found = np.ones(trials, dtype=np.int64)
    for drawn in islice(_drawn(history, trials=trials, seed=seed), MOST_DAYS):
        left -= drawn
        waits = left > 0
        if not waits.any():
            break
        found += waits
    return found


def nearest_rank(values: Numbers, *, percent: int) -> int:
    """The smallest observed value that at least `percent` per cent of the values do not exceed."""
    rank = max(-(-percent * len(values) // 100), 1)
    return int(np.partition(values, rank - 1)[rank - 1])


def _drawn(history: Sequence[int], *, trials: int, seed: int) -> Iterator[Numbers]:
    """Day after day: the finishes of one past day for each trial.

    Twenty bits of a number choose the day: in numbers of 32 bits, which a processor takes many of at once.
    """
    values, days = np.asarray(history, dtype=np.int64), np.uint32(len(history))
    source = _source(seed)
    while True:
        bits = source.random_raw(-(-trials // 2)).astype("<u8", copy=False).view("<u4")[:trials]
        yield values.take((bits >> np.uint32(12)) * days >> np.uint32(20))


def _source(seed: int) -> np.random.SFC64:
    """Seeded as its author does it, and not in numpy's way: that is written down in few words, and can be checked."""
    source = np.random.SFC64(0)
    source.state = {
        "bit_generator": "SFC64",
        "state": {"state": np.array([seed, seed, seed, 1], dtype=np.uint64)},
        "has_uint32": 0,
        "uinteger": 0,
    }
    source.random_raw(12, output=False)
    return source


def _points(
    question: ForecastQuestion, history: Sequence[int], *, first_day: date, ahead: int
) -> tuple[ForecastPoint, ...]:
    if question.items is None:
        found = totals(history, days=ahead, trials=question.trials, seed=question.seed)
        return tuple(ForecastPoint(percent=each, items=nearest_rank(found, percent=100 - each)) for each in PERCENTS)
    needed = days_needed(history, items=question.items, trials=question.trials, seed=question.seed)
    return tuple(
        ForecastPoint(percent=each, day=_date_of(nearest_rank(needed, percent=each), first_day, question.days_off))
        for each in PERCENTS
    )


def _date_of(day: int, first_day: date, days_off: Collection[date]) -> date | None:
    """The date of the day of that number, from 1, days off not counted."""
    if day > MOST_DAYS:
        return None
    found = first_day + (day - 1) * ONE_DAY
    for off in sorted(days_off):
        found += ONE_DAY * (first_day <= off <= found)
    return found


def _days_ahead(question: ForecastQuestion, first_day: date) -> int:
    """How many days until the end of `until`, days off not counted; 0 where another question was asked."""
    if question.until is None:
        return 0
    days = (question.until - first_day).days + 1
    if days < 1:
        raise ForecastError("until", f"{question.until} is over; give a date from {first_day} on.")
    if days > MOST_DAYS:
        raise ForecastError("until", f"{question.until} is more than {MOST_DAYS:,} days ahead; give an earlier date.")
    return days - sum(first_day <= off <= question.until for off in question.days_off)


def _within(argument: str, value: int | None, *, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise ForecastError(argument, f"give a number from {least:,} to {most:,}, not {value:,}.")
