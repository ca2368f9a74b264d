"""How long items took from start to finish, by policy. No clock, no database.

Instants are microseconds since 1970: there are many, and they are only compared and subtracted.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple


class Policy(StrEnum):
    """From when to when an item counts as worked on, where it went back on its way."""

    FIRST_START_LAST_FINISH = "FIRST_START_LAST_FINISH"
    LAST_START_LAST_FINISH = "LAST_START_LAST_FINISH"
    SUM_OF_EPISODES = "SUM_OF_EPISODES"
    ERASE_BACKFLOW = "ERASE_BACKFLOW"


class Level(IntEnum):
    """How far an item is while it is in a state. OFF: not on the board, cancelled, or on another board."""

    OFF = -1
    TODO = 0
    STARTED = 1
    FINISHED = 2


class Meaning(NamedTuple):
    """What a state is for durations. States of one project are ordered by `place`."""

    level: Level
    project_id: int = 0
    place: int = 0
    active: bool = False


NOWHERE = Meaning(Level.OFF)
Meanings = Mapping[int, Meaning]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eras:
    """What states mean through time: `meanings[i]` from `begins[i]` on; the first of them holds before, too."""

    begins: Sequence[int]
    meanings: Sequence[Meanings]

    def of(self, state: int, at: int) -> Meaning:
        """What the state means at that instant; NOWHERE for one of another board."""
        era = max(bisect_right(self.begins, at) - 1, 0) if len(self.begins) > 1 else 0
        return self.meanings[era].get(state, NOWHERE)


class Span(NamedTuple):
    """A piece of time; of no length where a start was skipped."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        """In microseconds."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Journey:
    """The way of an item that is finished: when it entered each state before the finish, and what that was then.

    Two tuples, and not an object for each step: there may be a hundred thousand steps.
    """

    task_id: int
    instants: tuple[int, ...]
    meanings: tuple[Meaning, ...]
    finish: int

    def steps(self) -> Iterator[tuple[int, int, Meaning]]:
        """From when to when it was in each state, oldest first."""
        return zip(self.instants, (*self.instants, self.finish)[1:], self.meanings, strict=True)

    @property
    def created(self) -> int:
        """When the item first came to the board."""
        return next((at for at, _, meaning in self.steps() if meaning != NOWHERE), self.finish)

    @property
    def first_start(self) -> int | None:
        """When the item was first in progress; None where it never was."""
        return next((at for at, _, meaning in self.steps() if meaning.level is Level.STARTED), None)

    @property
    def is_inferred(self) -> bool:
        """Whether it was only ever seen finished."""
        return all(meaning.level in (Level.OFF, Level.FINISHED) for meaning in self.meanings)


def journeys(
    *, rows: Iterable[tuple[int, int, int, bool]], done: frozenset[int], eras: Eras, begin: int
) -> list[Journey]:
    """The journeys of the items that are in one of the `done` states at last, in a stay that began at `begin` or later.

    A row is a step: task, state, instant, whether the step is counted; those of a task come together and in order.
    """
    found = []
    for task_id, its in groupby(rows, key=itemgetter(0)):
        steps = list(its)
        last = len(steps)
        while last and steps[last - 1][1] in done:
            last -= 1
        if last < len(steps):
            _, _, finish, is_counted = steps[last]
            if finish >= begin and is_counted:
                instants = tuple(at for _, _, at, _ in steps[:last])
                meanings = tuple(eras.of(state, at) for _, state, at, _ in steps[:last])
                found.append(Journey(task_id, instants, meanings, finish))
    return found


def spans(journey: Journey, *, policy: Policy) -> list[Span]:
    """The time from start to finish, by SUM_OF_EPISODES in pieces. Empty for an item that was not started."""
    if policy is Policy.ERASE_BACKFLOW:
        return _after_erasing(journey)
    first = journey.first_start
    if first is None:
        return []
    if policy is Policy.SUM_OF_EPISODES:
        return episodes(journey)
    if policy is Policy.LAST_START_LAST_FINISH:
        # What was first seen finished never came from not started.
        return [Span(max((at for at, _ in _crossings(journey)), default=first), journey.finish)]
    return [Span(first, journey.finish)]


def episodes(journey: Journey) -> list[Span]:
    """Each unbroken time in work; where an item went past it, a time of no length. None if it never was in work."""
    found: list[Span] = []
    before = Level.OFF
    for at, until, meaning in journey.steps():
        if meaning.level is Level.STARTED:
            begin = found.pop().begin if before is Level.STARTED else at
            found.append(Span(begin, until))
        before = meaning.level
    skipped = [Span(at, at) for at, is_skipped in _crossings(journey) if is_skipped]
    return sorted([*found, *skipped]) if found else []


def _crossings(journey: Journey) -> list[tuple[int, bool]]:
    """When the item came from not started to started; True: it went straight on to finished, from a state to do.

    What comes back to the board in work starts; what comes back finished does not.
    """
    found = []
    before = on_board = Level.OFF
    levels = (*(meaning.level for meaning in journey.meanings), Level.FINISHED)
    for at, level in zip((*journey.instants, journey.finish), levels, strict=True):
        skips = level is Level.FINISHED and on_board is Level.TODO
        if skips or (level is Level.STARTED and before < Level.STARTED):
            found.append((at, skips))
        before = level
        on_board = on_board if level is Level.OFF else level
    return found


def _after_erasing(journey: Journey) -> list[Span]:
    left: list[tuple[int, Meaning]] = []
    for at, meaning in zip(journey.instants, journey.meanings, strict=True):
        if meaning.level is not Level.OFF:
            left = [(earlier, its) for earlier, its in left if not _is_back(its, meaning)]
            left.append((at, meaning))
    start = next((at for at, meaning in left if meaning.level is Level.STARTED), None)
    if start is not None:
        return [Span(start, journey.finish)]
    waited = any(meaning.level is Level.TODO for _, meaning in left)
    return [Span(journey.finish, journey.finish)] if waited else []


def _is_back(earlier: Meaning, later: Meaning) -> bool:
    """Whether one comes back by going there: to a lower level, or within one to a lower place of the same project."""
    if earlier.level is later.level:
        return earlier.project_id == later.project_id and later.place < earlier.place
    return later.level < earlier.level


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Nearest rank: the smallest of the values that `percent` per cent of them do not exceed; None of none."""
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1] if ordered else None
