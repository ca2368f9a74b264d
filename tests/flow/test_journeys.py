"""Many items at once, in columns, come to what each of them comes to alone."""

from collections import defaultdict
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.flow.figures import durations as alone
from analytics.flow.figures.durations import Eras, Journey, Level, Meaning, Policy, Span
from analytics.flow.figures.journeys import Journeys, Steps, added_up, episodes, journeys, spans
from analytics.pure.local_days import Calendar, DayColumns, LocalDays
from analytics.pure.spans import Spans
from analytics.pure.zones import from_microseconds, to_microseconds

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
# An hour or none after the step before: instants of one item may be equal.
STEPS = st.lists(st.tuples(st.sampled_from(STATES), st.integers(0, 30), st.booleans()), min_size=1, max_size=8)
Row = tuple[int, int, int, bool]


def flags(journey: Journey) -> tuple[str, ...]:
    """What the time from the first start on contains beside work, in alphabetical order."""
    levels = [meaning.level for meaning in journey.meanings]
    later = levels[levels.index(Level.STARTED) :] if Level.STARTED in levels else []
    beside = (("LEFT_THE_BOARD", Level.OFF), ("RETURNED_TO_TODO", Level.TODO))
    return tuple(name for name, level in beside if level in later)


def active_time(journey: Journey) -> int:
    """The time in states of work in which nothing waits."""
    return sum(until - at for at, until, meaning in journey.steps() if meaning.active)


def rows_of(items: list[list[tuple[int, int, bool]]]) -> list[Row]:
    """The steps of all items, as they are read."""
    found = []
    for task, steps in enumerate(items, start=1):
        at = BEGIN
        for state, hours, counted in steps:
            at += hours * HOUR
            found.append((task, state, at, counted))
    return found


def in_columns(rows: list[Row]) -> Steps:
    """The same as columns."""
    task, state, at, counted = (np.array([row[place] for row in rows], dtype=np.int64) for place in range(4))
    return Steps(task, state, at, counted.astype(bool))


def by_task(found: Journeys, its: Spans) -> dict[int, list[Span]]:
    """The spans of each task that has any."""
    pieces: dict[int, list[Span]] = defaultdict(list)
    for item, begin, end in zip(*(column.tolist() for column in its), strict=True):
        pieces[int(found.tasks[item])].append(Span(begin, end))
    return pieces


@given(
    items=st.lists(STEPS, max_size=6), eras=ERAS, done=st.frozensets(st.sampled_from(STATES)), late=st.integers(0, 60)
)
def test_columns_say_of_each_item_what_it_is_alone(
    items: list[list[tuple[int, int, bool]]], eras: Eras, done: frozenset[int], late: int
) -> None:
    """By every policy; what was inferred, when it came to the board, what it holds beside work, how long it was active."""
    rows, begin = rows_of(items), BEGIN + late * HOUR
    wanted = alone.journeys(rows=rows, done=done, eras=eras, begin=begin)
    found = journeys(steps=in_columns(rows), done=done, eras=eras, begin=begin)
    assert found.tasks.tolist() == [each.task_id for each in wanted]
    assert found.finish.tolist() == [each.finish for each in wanted]
    assert found.inferred.tolist() == [each.is_inferred for each in wanted]
    assert found.lifetimes.begin.tolist() == [each.created for each in wanted]
    flagged = {"LEFT_THE_BOARD": found.left_the_board, "RETURNED_TO_TODO": found.returned}
    for flag, marks in flagged.items():
        assert marks.tolist() == [flag in flags(each) for each in wanted]
    active = (found.until - found.at)[found.active]
    assert added_up(active) == sum(active_time(each) for each in wanted)
    for policy in Policy:
        told = {each.task_id: its for each in wanted if (its := alone.spans(each, policy=policy))}
        assert by_task(found, spans(found, policy=policy)) == told, policy
    told = {each.task_id: its for each in wanted if (its := alone.episodes(each))}
    assert by_task(found, episodes(found)) == told


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("calendar", Calendar)
@given(hours=st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4), max_size=4))
def test_days_in_columns_are_those_of_each_item(
    calendar: Calendar, zone: str, hours: list[list[tuple[int, int]]]
) -> None:
    """Across a change of the clocks, which Berlin has on 29 March."""
    items: list[list[Span]] = []
    for its in hours:
        at, pieces = BEGIN, []
        for pause, length in its:
            pieces.append(Span(at + pause * HOUR, at := at + (pause + length) * HOUR))
        items.append(pieces)
    begin, end = from_microseconds(BEGIN), from_microseconds(BEGIN + 400 * HOUR)
    numbered = [(number, *piece) for number, pieces in enumerate(items) for piece in pieces]
    columns = Spans(*(np.array([row[place] for row in numbered], dtype=np.int64) for place in range(3)))
    one, many = LocalDays(start=begin, end=end, zone=zone), DayColumns(start=begin, end=end, zone=zone)
    assert many.touched(columns, calendar=calendar).tolist() == [one.touched(i, calendar=calendar) for i in items]
    assert many.lengths(columns, calendar=calendar).tolist() == [one.length(i, calendar=calendar) for i in items]


def test_a_sum_of_years_is_exact() -> None:
    """A million items of ten years are more than 64 bits hold."""
    ten_years = 315_569_260_000_001
    assert added_up(np.full(1_000_000, ten_years)) == 1_000_000 * ten_years
