"""Forecasts by a plain loop: one trial after the other, one day after the other, with random numbers made here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tests.oracle.boards import category_before
from tests.oracle.completion import throughput
from tests.oracle.definitions import Definitions
from tests.oracle.facts import Category, History
from tests.oracle.items import changes_seen
from tests.oracle.movements import is_asked_about
from tests.oracle.questions import Question

Day = tuple[datetime, datetime]
PERCENTS = (50, 70, 85, 95)
DAY = timedelta(days=1)
TEN_YEARS = 3650
LATE = 10**9


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """By per cent the number or the date; (held, tests) of the back-test; None: not known, or out of reach."""

    history_days: int
    first_day: date
    points: dict[int, Any]
    backtest: tuple[int, int] | None


def forecast(
    *,
    history: History,
    question: Question,
    items: int | None = None,
    until: date | None = None,
    trials: int,
    seed: int,
    days_off: tuple[date, ...] = (),
) -> Forecast:
    """From the question's days, which are whole days of UTC."""
    over = min(question.horizon, question.known_until)
    finished = throughput(history=history, question=question).finished
    known = known_days(history=history, question=question)
    past = [finished[question.buckets.index(day)] or 0 for day in known]
    is_enough = _is_enough(past)
    points: dict[int, Any] = {}
    for percent in PERCENTS if is_enough else ():
        if until is not None:
            ahead = [day for day in _dates(over.date(), until) if day not in days_off]
            points[percent] = _rank(_totals(past, len(ahead), trials, seed), 100 - percent)
        else:
            assert items is not None
            points[percent] = _date(_rank(_needed(past, items, trials, seed), percent), over.date(), days_off)
    tested = _backtest(history, question, known, trials, seed) if is_enough else None
    return Forecast(history_days=len(known), first_day=over.date(), points=points, backtest=tested)


def known_days(*, history: History, question: Question) -> list[Day]:
    """The question's days that were over when it was asked, and when it was known, and of which something is known."""
    over = min(question.horizon, question.known_until)
    finished = throughput(history=history, question=question).finished
    pairs = zip(question.buckets, finished, strict=True)
    return [day for day, count in pairs if day[1] <= over and count is not None]


def finished_as_of(*, history: History, question: Question, days: list[Day]) -> list[int]:
    """What had finished on each of these days when the last of them was over, by what is DONE at the question's end."""
    definitions = Definitions(history=history, question=question)
    found = [0] * len(days)
    for item in history.items():
        changes = changes_seen(history=history, question=question, item=item, project=question.project)
        begun = None
        for change in changes:
            if change.fact.happened_at < days[-1][1]:
                place = change.after
                is_done = place is not None and Category.DONE is category_before(
                    definitions=definitions, place=place, end=question.horizon
                )
                begun = (begun or change.fact) if is_done else None
        if begun is not None and is_asked_about(question=question, fact=begun):
            for number, (start, end) in enumerate(days):
                found[number] += start <= begun.happened_at < end
    return found


def _backtest(history: History, question: Question, days: list[Day], trials: int, seed: int) -> tuple[int, int] | None:
    """Week by week from the end: what would have been said then, of facts that had happened, and what came."""
    outcomes: list[bool] = []
    for split in range(len(days) - 7, 13, -7):
        past = finished_as_of(history=history, question=question, days=days[:split])
        after = finished_as_of(history=history, question=question, days=days[: split + 7])
        if _is_enough(past) and len(outcomes) < 52:
            said = _rank(_totals(past, 7, trials, seed), 15)
            outcomes.append(sum(after[split:]) >= said)
    return (sum(outcomes), len(outcomes)) if len(outcomes) >= 5 else None


def _is_enough(past: list[int]) -> bool:
    return len([count for count in past if count]) >= 5


def _numbers(trials: int, seed: int) -> Iterator[list[int]]:
    """For each day a number below 2^20 for each trial: the upper bits of the halves of a word, the lower half first."""
    source = _sfc64(seed)
    while True:
        words = [next(source) for _ in range((trials + 1) // 2)]
        halves = [half for word in words for half in (word % 2**32, word // 2**32)]
        yield [half // 2**12 for half in halves[:trials]]


def _sfc64(seed: int) -> Iterator[int]:
    """Doty-Humphrey's generator, as PractRand has it: three words of state and a counter, twelve numbers not used."""
    a = b = c = seed
    counter = 1
    while True:
        word = (a + b + counter) % 2**64
        a, b, c = b ^ (b >> 11), (c + (c << 3)) % 2**64, (((c << 24) | (c >> 40)) + word) % 2**64
        counter += 1
        if counter > 13:
            yield word


def _days_drawn(past: list[int], trials: int, seed: int) -> Iterator[list[int]]:
    for numbers in _numbers(trials, seed):
        yield [past[number * len(past) // 2**20] for number in numbers]


def _totals(past: list[int], days: int, trials: int, seed: int) -> list[int]:
    drawn = _days_drawn(past, trials, seed)
    futures = [next(drawn) for _ in range(days)]
    return [sum(future[trial] for future in futures) for trial in range(trials)]


def _needed(past: list[int], items: int, trials: int, seed: int) -> list[int]:
    done, found = [0] * trials, [LATE] * trials
    for number, drawn in enumerate(_days_drawn(past, trials, seed), start=1):
        for trial, count in enumerate(drawn):
            done[trial] += count
            if done[trial] >= items and found[trial] == LATE:
                found[trial] = number
        if number == TEN_YEARS or LATE not in found:
            return found
    return found


def _rank(values: list[int], percent: int) -> int:
    ordered = sorted(values)
    return next(value for place, value in enumerate(ordered, start=1) if place * 100 >= percent * len(ordered))


def _dates(first: date, last: date) -> list[date]:
    return [first + number * DAY for number in range((last - first).days + 1)]


def _date(day: int, first: date, off: tuple[date, ...]) -> date | None:
    """The date of that working day."""
    found = first - DAY
    while day and day != LATE:
        found += DAY
        day -= found not in off
    return None if day == LATE else found
