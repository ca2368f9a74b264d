"""Data quality checks of facts: which ledger rows are odd beside those before them. In columns, no database.

Facts stand item by item, each item's in their order. Instants are microseconds since 1970.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from analytics.pure.spans import Marks, Numbers, begins

# Of a state that is none, or that nobody has defined.
UNKNOWN: Final = -1
OTHER, IN_PROGRESS, DONE = 0, 1, 2
CATEGORIES: Mapping[str, int] = {"IN_PROGRESS": IN_PROGRESS, "DONE": DONE}
# Lower than any place, and not to be compared.
NO_PLACE: Final = -(2**31)


class Facts(NamedTuple):
    """Which task came to which state when; state 0 is off all boards. `told` is the state that it was said to come from.

    The marks say which facts created, discarded or restored a task.
    """

    task: Numbers
    seq: Numbers
    project: Numbers
    told: Numbers
    state: Numbers
    at: Numbers
    recorded: Numbers
    created: Marks
    discarded: Marks
    restored: Marks


class Run(NamedTuple):
    """What a state was in [begin, end). Without a place it is nowhere in the order of its board."""

    state: int
    board: int
    category: str
    place: int | None
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """What states were at instants."""

    category: Numbers
    board: Numbers
    place: Numbers


class Meanings:
    """What every state was through time."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._begins = np.array(sorted({run.begin for run in runs}), dtype=np.int64)
        self._states = np.array(sorted({run.state for run in runs}), dtype=np.int64)
        # One column more, for what is no state; one era, where there is none.
        shape = (max(len(self._begins), 1), len(self._states) + 1)
        self._table = np.empty((*shape, 3), dtype=np.int64)
        self._table[:] = (UNKNOWN, UNKNOWN, NO_PLACE)
        instants, column = self._begins.tolist(), {state: place for place, state in enumerate(self._states.tolist())}
        for run in runs:
            eras = slice(instants.index(run.begin), bisect_right(instants, run.end - 1))
            told = (CATEGORIES.get(run.category, OTHER), run.board, NO_PLACE if run.place is None else run.place)
            self._table[eras, column[run.state]] = told

    def of(self, state: Numbers, at: Numbers) -> Meaning:
        """What these states were at these instants."""
        found = np.searchsorted(self._states, state)
        is_known = np.isin(state, self._states)
        era = np.maximum(np.searchsorted(self._begins, at, side="right") - 1, 0)
        return Meaning(*self._table[era, np.where(is_known, found, len(self._states))].T)


@dataclass(frozen=True)
class Judged:
    """Facts with what came before each. `begin` is the window's; of a project its own facts alone are judged by themselves."""

    facts: Facts
    meanings: Meanings
    begin: int
    project: int | None = None

    @cached_property
    def starts(self) -> Marks:
        """Each item's first fact."""
        return begins(self.facts.task)

    @cached_property
    def first(self) -> Numbers:
        """The number of the first fact of each fact's item."""
        return np.maximum.accumulate(np.where(self.starts, np.arange(len(self.starts)), 0))

    @cached_property
    def before(self) -> Numbers:
        """The state that the item was in, by the order."""
        return np.where(self.starts, 0, np.roll(self.facts.state, 1))

    @cached_property
    def after_discarding(self) -> Marks:
        """Whether the fact before discarded the item."""
        return np.roll(self.facts.discarded, 1) & ~self.starts

    @cached_property
    def now(self) -> Meaning:
        """What the state is that it came to."""
        return self.meanings.of(self.facts.state, self.facts.at)

    @cached_property
    def was(self) -> Meaning:
        """What the state is, at that instant, that it was in."""
        return self.meanings.of(self.before, self.facts.at)

    @cached_property
    def is_in_window(self) -> Marks:
        """The facts that are looked at; the others only say what came before."""
        return self.facts.at >= self.begin

    @cached_property
    def is_own(self) -> Marks:
        """The project's facts, or all."""
        if self.project is None:
            return np.ones(len(self.facts.task), dtype=bool)
        found: Marks = self.facts.project == self.project
        return found

    @cached_property
    def stays(self) -> Marks:
        """Both states are on one board, each with a place there."""
        placed = (self.now.place != NO_PLACE) & (self.was.place != NO_PLACE)
        found: Marks = placed & (self.now.board == self.was.board) & (self.now.board != UNKNOWN)
        return found

    @cached_property
    def moved(self) -> Marks:
        """The facts that changed the state."""
        found: Marks = self.facts.state != self.before
        return found

    def last(self, marks: Marks) -> Numbers:
        """Of each fact the last of the marked ones before it of its item; -1 where there is none."""
        number = np.maximum.accumulate(np.where(marks, np.arange(len(marks)), -1))
        before = np.append(-1, number[:-1])[: len(number)]
        return np.where(before >= self.first, before, -1)


def unfinished_before(of: Judged) -> Marks:
    """Came to DONE and was never in progress."""
    started = of.last(of.now.category == IN_PROGRESS) >= 0
    found: Marks = (of.was.category != DONE) & (of.now.category == DONE) & ~started
    return found


def after_done(of: Judged) -> Marks:
    """Left DONE for another state."""
    found: Marks = (of.was.category == DONE) & (of.now.category != DONE) & (of.now.category != UNKNOWN)
    return found


def backward(of: Judged) -> Marks:
    """Moved back to a lower position."""
    return of.stays & (of.now.place < of.was.place)


def skipping(of: Judged) -> Marks:
    """Moved forward past a state."""
    return of.stays & (of.now.place > of.was.place + 1)


def beyond_first(of: Judged) -> Marks:
    """Began beyond the first state."""
    return of.starts & (of.now.place > 0)


def impossible(of: Judged) -> Marks:
    """Cannot follow what happened before it."""
    facts = of.facts
    cases = [facts.created, facts.discarded, facts.restored]
    wrong = [~of.starts, of.before == 0, ~of.after_discarding]
    found: Marks = of.is_own & np.select(cases, wrong, default=of.after_discarding)
    return found


def at_one_instant(of: Judged) -> Marks:
    """Changed state twice at one instant."""
    moved = of.last(of.moved)
    # Without one before, -1 is whatever stands last: it does not count.
    found: Marks = of.is_own & of.moved & (moved >= 0) & (of.facts.at == of.facts.at[moved])
    return found


def breaking(of: Judged) -> Marks:
    """The old value is not the new one of the fact before; where others came late: of the one before when it was recorded."""
    number = np.flatnonzero(of.is_own & of.is_in_window & (of.facts.told != of.before))
    known = _known_before(of, number)
    wrong = number[of.facts.told[number] != np.where(known >= 0, of.facts.state[known], 0)]
    found = np.zeros(len(of.facts.task), dtype=bool)
    found[wrong] = True
    return found


def _known_before(of: Judged, number: Numbers) -> Numbers:
    """Of each of these facts the last one before it of its item that was recorded no later; -1 where there is none."""
    recorded, first = of.facts.recorded, of.first[number]
    known = number - 1
    later = np.flatnonzero(known >= first)
    while len(later):
        later = later[recorded[known[later]] > recorded[number[later]]]
        known[later] -= 1
        later = later[known[later] >= first[later]]
    return np.where(known >= first, known, -1)


CHECKS: Mapping[str, Callable[[Judged], Marks]] = {
    "FINISH_WITHOUT_START": unfinished_before,
    "CHANGE_AFTER_DONE": after_done,
    "BACKWARD_MOVE": backward,
    "SKIPPED_STATE": skipping,
    "CREATED_BEYOND_FIRST": beyond_first,
    "IMPOSSIBLE_ORDER": impossible,
    "EQUAL_TIMESTAMPS": at_one_instant,
    "CHAIN_BREAK": breaking,
}


class Failures(NamedTuple):
    """The ledger rows in which a check fails, by task and in their order; `seq` 0: no single row says it."""

    task: Numbers
    seq: Numbers
    at: Numbers

    def between(self, begin: int, end: int) -> "Failures":
        """Those of [begin, end)."""
        kept = (self.at >= begin) & (self.at < end)
        return Failures(*(column[kept] for column in self))

    def first_tasks(self, most: int) -> list[int]:
        """The first of the tasks, by the instant of their first failure and by task."""
        first = np.flatnonzero(begins(self.task))
        task, at = self.task[first], self.at[first]
        found: list[int] = task[np.lexsort((task, at))[:most]].tolist()
        return found


def failures(of: Judged) -> Mapping[str, Failures]:
    """What fails in the window, by the code of the check."""
    return {code: _failing(of, check(of) & of.is_in_window) for code, check in CHECKS.items()}


def _failing(of: Judged, marks: Marks) -> Failures:
    number = np.flatnonzero(marks)
    return Failures(of.facts.task[number], of.facts.seq[number], of.facts.at[number])
