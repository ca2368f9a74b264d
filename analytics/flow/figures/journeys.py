"""Journeys of finished items from state to state, and the times that each cycle time policy takes of them.

Many items at once, in columns: one by one they take longer than to read them. Steps stand item by item, each item's in
their order; an item is its number in `tasks`. Instants are microseconds since 1970. No clock, no database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analytics.flow.figures.durations import NOWHERE, Eras, Level, Policy
from analytics.pure.spans import Marks, Numbers, Spans, begins

MILLION = 1_000_000


class StateEntries(NamedTuple):
    """Which task entered which state when, and whether that is counted; those of a task come together and in order."""

    task: Numbers
    state: Numbers
    at: Numbers
    counted: Marks


class Crossings(NamedTuple):
    """When items came from not started to started; `skips`: they went straight on to finished."""

    item: Numbers
    at: Numbers
    skips: Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Journeys:
    """Finished items and, of each, the steps before its finish, with what the states were then.

    `item` is whose step it is, `until` when the next one came. `known` is false for a state of another board. `entry` and
    `finish_entry` are the numbers of the entries that the steps and the finishes are; what ends a step is the next entry.
    """

    tasks: Numbers
    finish: Numbers
    finish_entry: Numbers
    item: Numbers
    entry: Numbers
    at: Numbers
    until: Numbers
    level: Numbers
    project: Numbers
    place: Numbers
    active: Marks
    known: Marks

    def first(self, steps: Marks) -> Numbers:
        """The number of each item's first step of these; -1 where it has none."""
        return self._named(np.flatnonzero(steps)[::-1])

    def last(self, steps: Marks) -> Numbers:
        """As `first`, the last one."""
        return self._named(np.flatnonzero(steps))

    def _named(self, steps: Numbers) -> Numbers:
        found = np.full(len(self.tasks), -1)
        # Where an item is named several times, the last one stays.
        found[self.item[steps]] = steps
        return found

    @property
    def first_start(self) -> Numbers:
        """The step with which each item was first in progress; -1 where it never was."""
        return self.first(self.level == Level.STARTED)

    @property
    def inferred(self) -> Marks:
        """The items that were only ever seen finished."""
        return self.first((self.level == Level.TODO) | (self.level == Level.STARTED)) < 0

    @property
    def lifetimes(self) -> Spans:
        """From each item's first arrival on the board to its finish."""
        first = self.first(self.known)
        return Spans(np.arange(len(self.tasks)), _chosen(first, self.at, otherwise=self.finish), self.finish)

    @property
    def left_the_board(self) -> Marks:
        """The items that were off the board after their first start."""
        return self._after_start(Level.OFF)

    @property
    def returned(self) -> Marks:
        """The items that went back to a state to do after their first start."""
        return self._after_start(Level.TODO)

    def _after_start(self, level: Level) -> Marks:
        start = self.first_start
        return (start >= 0) & (self.last(self.level == level) > start)


def journeys(*, entries: StateEntries, done: frozenset[int], eras: Eras, begin: int) -> Journeys:
    """The items that are in one of the `done` states at last, in a stay that began at `begin` or later and is counted."""
    task, state, at, counted = entries
    number, starts = np.arange(len(task)), begins(task)
    first, item = np.flatnonzero(starts), np.cumsum(starts) - 1
    is_done = np.isin(state, list(done))
    before = np.maximum.reduceat(np.where(is_done, -1, number), first) if len(task) else number
    finish = np.maximum(before + 1, first)
    finishes = finish < np.append(first[1:], len(task))
    reached = np.where(finishes, finish, first)
    finishes &= (at[reached] >= begin) & counted[reached]
    kept = np.flatnonzero(finishes[item] & (number < finish[item]))
    level, project, place, active, known = _meant(eras, state[kept], at[kept])
    return Journeys(
        tasks=task[first[finishes]],
        finish=at[finish[finishes]],
        finish_entry=finish[finishes],
        item=(np.cumsum(finishes) - 1)[item[kept]],
        entry=kept,
        at=at[kept],
        until=at[kept + 1] if len(kept) else at[kept],
        level=level,
        project=project,
        place=place,
        active=active.astype(bool),
        known=known.astype(bool),
    )


def _meant(eras: Eras, state: Numbers, at: Numbers) -> Numbers:
    """Level, project, place, activity and knowledge of each step's state at that instant, as five columns."""
    states = sorted({each for meanings in eras.meanings for each in meanings})
    table = np.array(
        [
            [(*(its := meanings.get(each, NOWHERE)), its != NOWHERE) for each in states] + [(*NOWHERE, False)]
            for meanings in eras.meanings
        ],
        dtype=np.int64,
    )
    column = np.where(np.isin(state, states), np.searchsorted(states, state), len(states))
    era = np.maximum(np.searchsorted(eras.begins, at, side="right") - 1, 0)
    return table[era, column].T


def spans(found: Journeys, *, policy: Policy) -> Spans:
    """The times from start to finish; none of an item that was not started."""
    return SPANS[policy](found)


def _from_first_start(found: Journeys) -> Spans:
    items = np.flatnonzero((start := found.first_start) >= 0)
    return Spans(items, found.at[start[items]], found.finish[items])


def _from_last_start(found: Journeys) -> Spans:
    items, begin, end = _from_first_start(found)
    crossings = crossings_of(found)
    last = np.full(len(found.tasks), -1)
    last[crossings.item] = np.arange(len(crossings.item))
    # What was first seen finished never came from not started.
    return Spans(items, _chosen(last[items], crossings.at, otherwise=begin), end)


def episodes(found: Journeys) -> Spans:
    """Each unbroken time in work; where an item went past it, a time of no length. None if it never was in work."""
    works = found.level == Level.STARTED
    goes_on = np.append(works[:-1] & works[1:] & (found.item[:-1] == found.item[1:]), False)[: len(works)]
    first, last = works & ~np.append(False, goes_on[:-1])[: len(works)], works & ~goes_on
    crossings = crossings_of(found)
    skipped = crossings.skips & (found.first_start[crossings.item] >= 0)
    item = np.concatenate([found.item[first], crossings.item[skipped]])
    begin = np.concatenate([found.at[first], crossings.at[skipped]])
    end = np.concatenate([found.until[last], crossings.at[skipped]])
    order = np.lexsort((end, begin, item))
    return Spans(item[order], begin[order], end[order])


def crossings_of(found: Journeys) -> Crossings:
    """By item and in their order. What comes back to the board in work starts; what comes back finished does not."""
    items = np.arange(len(found.tasks))
    item, at = np.concatenate([found.item, items]), np.concatenate([found.at, found.finish])
    level = np.concatenate([found.level, np.full(len(items), int(Level.FINISHED))])
    order = np.argsort(item, kind="stable")
    item, at, level = item[order], at[order], level[order]
    starts = begins(item)
    before = np.where(starts, Level.OFF, np.roll(level, 1))
    on_board = _level_on_board(level, starts)
    skips = (level == Level.FINISHED) & (on_board == Level.TODO)
    crosses = skips | ((level == Level.STARTED) & (before < Level.STARTED))
    return Crossings(item[crosses], at[crosses], skips[crosses])


def _level_on_board(level: Numbers, starts: Marks) -> Numbers:
    """Of the last step before that was on the board; OFF where there was none."""
    number = np.arange(len(level))
    last = np.append(-1, np.maximum.accumulate(np.where(level == Level.OFF, -1, number))[:-1])[: len(level)]
    begun = np.maximum.accumulate(np.where(starts, number, 0))
    return np.where(last >= begun, level[last], Level.OFF)


def _after_erasing(found: Journeys) -> Spans:
    """What is left of the work after the last visit to a state to do, and went to no lower place of its project later."""
    items = np.arange(len(found.tasks))
    to_do = found.last(found.level == Level.TODO)
    number = np.arange(len(found.item))
    works = np.flatnonzero((found.level == Level.STARTED) & (number > to_do[found.item]))
    start = found.first(_marked(works[_never_lower(found, works)], len(number)))
    timed = (start >= 0) | (to_do >= 0)
    return Spans(items[timed], _chosen(start, found.at, otherwise=found.finish)[timed], found.finish[timed])


def _never_lower(found: Journeys, steps: Numbers) -> Numbers:
    """Those of the steps, as numbers of `steps`, after which the item has no other of them at a lower place of its project."""
    order = np.lexsort((steps, found.project[steps], found.item[steps]))
    ordered = steps[order]
    group = np.cumsum(begins(found.item[ordered]) | begins(found.project[ordered]))
    # Later groups are higher, and so the lowest from the end on is that of one's own group.
    height = found.place[ordered] + group * (2 + 2 * int(np.abs(found.place).max(initial=0)))
    lowest = np.minimum.accumulate(height[::-1])[::-1]
    return order[height <= lowest]


SPANS: Mapping[Policy, Callable[[Journeys], Spans]] = {
    Policy.FIRST_START_LAST_FINISH: _from_first_start,
    Policy.LAST_START_LAST_FINISH: _from_last_start,
    Policy.SUM_OF_EPISODES: episodes,
    Policy.ERASE_BACKFLOW: _after_erasing,
}


def added_up(lengths: Numbers) -> int:
    """The sum, exactly: a million times of some years are more than a column's numbers can hold."""
    return int((lengths // MILLION).sum()) * MILLION + int((lengths % MILLION).sum())


def _chosen(steps: Numbers, column: Numbers, *, otherwise: Numbers) -> Numbers:
    """The column's values at these numbers, or for -1 the other ones."""
    return np.where(steps >= 0, column[steps] if len(column) else otherwise, otherwise)


def _marked(numbers: Numbers, size: int) -> Marks:
    found = np.zeros(size, dtype=bool)
    found[numbers] = True
    return found
