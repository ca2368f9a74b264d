"""Journeys of many items at once, in columns, come to what the oracle says of each item by itself."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.flow.figures.durations import Eras, Level, Meaning
from analytics.flow.figures.durations import Policy as ProductsPolicy
from analytics.flow.figures.journeys import Journeys, StateEntries, added_up, episodes, journeys, spans
from analytics.pure.local_days import Calendar, LocalDays
from analytics.pure.spans import Spans
from analytics.pure.zones import from_microseconds, to_microseconds
from tests.oracle.calendars import counts, time_that_counts
from tests.oracle.durations import Policy, Step, days_of, episodes_of, flags_of, spans_of

HOUR = 3_600_000_000
BEGIN = to_microseconds(datetime(2026, 3, 27, tzinfo=UTC))
STATES = range(1, 7)
MEANINGS = st.builds(
    Meaning,
    level=st.sampled_from(Level),
    project_id=st.integers(1, 2),
    place=st.integers(-1, 3),
    active=st.booleans(),
)
ERAS = st.lists(st.dictionaries(st.sampled_from(STATES), MEANINGS), min_size=1, max_size=3).map(
    lambda found: Eras(begins=[BEGIN + 40 * HOUR * number for number in range(len(found))], meanings=found)
)
# An hour or none after the entry before: instants of one item may be equal.
ENTRIES = st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 30), st.booleans()), min_size=1, max_size=8)
Entry = tuple[int, int, bool]
Pieces = dict[int, list[tuple[datetime, datetime]]]


def entered_at(item: list[Entry]) -> list[int]:
    """When each state was entered."""
    hours = [hours for _, hours, _ in item]
    return [BEGIN + sum(hours[: number + 1]) * HOUR for number in range(len(hours))]


def in_columns(items: list[list[Entry]]) -> StateEntries:
    """The entries of all items, as they are read; an item's task is its place from 1."""
    rows = [
        (task, state, at, counted)
        for task, item in enumerate(items, start=1)
        for (state, _, counted), at in zip(item, entered_at(item), strict=True)
    ]
    task, state, at, counted = (np.array([row[place] for row in rows], dtype=np.int64) for place in range(4))
    return StateEntries(task, state, at, counted.astype(bool))


def finish_of(item: list[Entry], *, done: frozenset[int], begin: int) -> int | None:
    """The number of the entry with which it was finished for good, if that is counted and from `begin` on."""
    stays = [number for number in range(len(item)) if all(state in done for state, _, _ in item[number:])]
    if not stays or not item[stays[0]][2] or entered_at(item)[stays[0]] < begin:
        return None
    return stays[0]


def meaning_of(eras: Eras, state: int, at: int) -> Meaning | None:
    """What it was then; None of a state of another board. The first meanings hold before their time, too."""
    held = [meanings for since, meanings in zip(eras.begins, eras.meanings, strict=True) if since <= at]
    return (held or [eras.meanings[0]])[-1].get(state)


def told(item: list[Entry], eras: Eras, finish: int) -> list[Step]:
    """The steps before the finish in the oracle's words."""
    instants = entered_at(item)
    steps = []
    for (state, _, _), at, until in zip(item[:finish], instants, instants[1:], strict=False):
        its = meaning_of(eras, state, at) or Meaning(Level.OFF)
        begin, end = from_microseconds(at), from_microseconds(until)
        steps.append(
            Step(
                level=int(its.level),
                at=begin,
                until=end,
                project=str(its.project_id),
                place=its.place,
                active=its.active,
            )
        )
    return steps


def by_task(found: Journeys, its: Spans) -> Pieces:
    """The spans of each task that has any."""
    pieces: Pieces = defaultdict(list)
    for item, begin, end in zip(*(column.tolist() for column in its), strict=True):
        pieces[int(found.tasks[item])].append((from_microseconds(begin), from_microseconds(end)))
    return pieces


@given(
    items=st.lists(ENTRIES, max_size=6), eras=ERAS, done=st.frozensets(st.sampled_from(STATES)), late=st.integers(0, 60)
)
def test_columns_say_of_each_item_what_the_oracle_says(
    items: list[list[Entry]], eras: Eras, done: frozenset[int], late: int
) -> None:
    """P20 to P25: the times by every policy, what was inferred, what they hold beside work, how long an item was active."""
    found = journeys(entries=in_columns(items), done=done, eras=eras, begin=BEGIN + late * HOUR)
    finishes = {
        task: finish
        for task, item in enumerate(items, start=1)
        if (finish := finish_of(item, done=done, begin=BEGIN + late * HOUR)) is not None
    }
    steps = {task: told(items[task - 1], eras, finish) for task, finish in finishes.items()}
    ends = {task: from_microseconds(entered_at(items[task - 1])[finish]) for task, finish in finishes.items()}
    assert found.tasks.tolist() == list(finishes)
    assert [from_microseconds(each) for each in found.finish.tolist()] == list(ends.values())
    assert found.inferred.tolist() == [{step.level for step in its} <= {-1, 2} for its in steps.values()]
    flags = {"LEFT_THE_BOARD": found.left_the_board, "RETURNED_TO_TODO": found.returned}
    for flag, marks in flags.items():
        assert marks.tolist() == [flag in flags_of(its) for its in steps.values()]
    active = [step.until - step.at for its in steps.values() for step in its if step.active]
    assert added_up((found.until - found.at)[found.active]) == sum(active, timedelta(0)) // timedelta(microseconds=1)
    for policy in Policy:
        wanted = {task: its for task, each in steps.items() if (its := spans_of(each, ends[task], policy))}
        assert by_task(found, spans(found, policy=ProductsPolicy(policy.value))) == wanted, policy
    wanted = {task: its for task, each in steps.items() if (its := episodes_of(each, ends[task]))}
    assert by_task(found, episodes(found)) == wanted


@given(items=st.lists(ENTRIES, max_size=6), eras=ERAS, done=st.frozensets(st.sampled_from(STATES)))
def test_lifetimes_begin_on_the_board(items: list[list[Entry]], eras: Eras, done: frozenset[int]) -> None:
    """With the first entry into a state of the board, or with the finish; the entries named are those that were read."""
    entries = in_columns(items)
    found = journeys(entries=entries, done=done, eras=eras, begin=BEGIN)
    wanted = []
    for item in items:
        if (finish := finish_of(item, done=done, begin=BEGIN)) is not None:
            instants = entered_at(item)
            known = [
                at for (state, _, _), at in zip(item[:finish], instants, strict=False) if meaning_of(eras, state, at)
            ]
            wanted.append([*known, instants[finish]][0])
    assert found.lifetimes.begin.tolist() == wanted
    assert entries.at[found.entry].tolist() == found.at.tolist()
    assert entries.at[found.entry + 1].tolist() == found.until.tolist()
    assert entries.at[found.finish_entry].tolist() == found.finish.tolist()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("calendar", Calendar)
@given(hours=st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4), max_size=4))
def test_days_in_columns_are_those_of_each_item(
    calendar: Calendar, zone: str, hours: list[list[tuple[int, int]]]
) -> None:
    """P34: across a change of the clocks, which Berlin has on 29 March; as the oracle counts date by date."""
    rows = []
    for number, its in enumerate(hours):
        at = BEGIN
        for pause, length in its:
            rows.append((number, begin := at + pause * HOUR, at := begin + length * HOUR))
    columns = Spans(*(np.array([row[place] for row in rows], dtype=np.int64) for place in range(3)))
    working = calendar is Calendar.WORKING
    dates: dict[int, set[date]] = defaultdict(set)
    lengths: dict[int, timedelta] = defaultdict(timedelta)
    for number, *ends in rows:
        begin_at, end_at = map(from_microseconds, ends)
        dates[number] |= {date.fromordinal(day) for day in days_of((begin_at, end_at), zone)}
        lengths[number] += time_that_counts(begin_at, end_at, zone=zone, working=working)
    days = LocalDays(start=from_microseconds(BEGIN), end=from_microseconds(BEGIN + 400 * HOUR), zone=zone)
    touched = [sum(counts(day, working=working) for day in its) for its in dates.values()]
    assert days.touched(columns, calendar=calendar).tolist() == touched
    assert days.lengths(columns, calendar=calendar).tolist() == [
        its // timedelta(microseconds=1) for its in lengths.values()
    ]


def test_a_sum_of_years_is_exact() -> None:
    """A million items of ten years are more than 64 bits hold."""
    ten_years = 315_569_260_000_001
    assert added_up(np.full(1_000_000, ten_years)) == 1_000_000 * ten_years
