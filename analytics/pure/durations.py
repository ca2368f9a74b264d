"""How long items took from start to finish, by policy. No clock, no database.

Instants are microseconds since 1970: there are many, and they are only compared and subtracted.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import groupby, pairwise
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


class Step(NamedTuple):
    """A stay in a state before the finish: what it was when it was entered."""

    at: int
    until: int
    meaning: Meaning


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
    """The steps of an item that is finished, up to the finish, oldest first."""

    task_id: int
    steps: Sequence[Step]
    finish: int

    @property
    def created(self) -> int:
        """When the item first came to the board."""
        return next((step.at for step in self.steps if step.meaning != NOWHERE), self.finish)

    @property
    def is_inferred(self) -> bool:
        """Whether it was only ever seen finished."""
        return all(step.meaning.level in (Level.OFF, Level.FINISHED) for step in self.steps)


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
                found.append(Journey(task_id, _steps(steps[: last + 1], eras), finish))
    return found


def _steps(steps: Sequence[tuple[int, int, int, bool]], eras: Eras) -> list[Step]:
    return [Step(at, after[2], eras.of(state, at)) for (_, state, at, _), after in pairwise(steps)]


def spans(journey: Journey, *, policy: Policy) -> list[Span]:
    """The time from start to finish, by SUM_OF_EPISODES in pieces. Empty for an item that was not started."""
    if policy is Policy.ERASE_BACKFLOW:
        return _after_erasing(journey)
    first = first_start(journey.steps)
    if first is None:
        return []
    if policy is Policy.SUM_OF_EPISODES:
        return episodes(journey)
    if policy is Policy.LAST_START_LAST_FINISH:
        # What was first seen finished never came from not started.
        return [Span(max((at for at, _ in _crossings(journey)), default=first.at), journey.finish)]
    return [Span(first.at, journey.finish)]


def first_start(steps: Iterable[Step]) -> Step | None:
    """The first step into work."""
    return next((step for step in steps if step.meaning.level is Level.STARTED), None)


def episodes(journey: Journey) -> list[Span]:
    """Each unbroken time in work; where an item went past it, a time of no length. None if it never was in work."""
    found: list[Span] = []
    before = Level.OFF
    for step in journey.steps:
        level = step.meaning.level
        if level is Level.STARTED:
            begin = found.pop().begin if before is Level.STARTED else step.at
            found.append(Span(begin, step.until))
        before = level
    skipped = [Span(at, at) for at, is_skipped in _crossings(journey) if is_skipped]
    return sorted([*found, *skipped]) if found else []


def _crossings(journey: Journey) -> list[tuple[int, bool]]:
    """When the item came from not started to started; True: it went straight on to finished, from a state to do.

    What comes back to the board in work starts; what comes back finished does not.
    """
    found = []
    before = on_board = Level.OFF
    ahead = [*((step.at, step.meaning.level) for step in journey.steps), (journey.finish, Level.FINISHED)]
    for at, level in ahead:
        skips = level is Level.FINISHED and on_board is Level.TODO
        if skips or (level is Level.STARTED and before < Level.STARTED):
            found.append((at, skips))
        before = level
        on_board = on_board if level is Level.OFF else level
    return found


def _after_erasing(journey: Journey) -> list[Span]:
    left: list[Step] = []
    for step in journey.steps:
        if step.meaning.level is not Level.OFF:
            left = [earlier for earlier in left if not _is_back(earlier.meaning, step.meaning)]
            left.append(step)
    start = first_start(left)
    if start:
        return [Span(start.at, journey.finish)]
    waited = any(step.meaning.level is Level.TODO for step in left)
    return [Span(journey.finish, journey.finish)] if waited else []


def _is_back(earlier: Meaning, later: Meaning) -> bool:
    """Whether one comes back by going there: to a lower level, or within one to a lower place of the same project."""
    if earlier.level is later.level:
        return earlier.project_id == later.project_id and later.place < earlier.place
    return later.level < earlier.level


def flags(journey: Journey) -> tuple[str, ...]:
    """What the time from the first start on contains beside work, in alphabetical order."""
    levels = [step.meaning.level for step in journey.steps]
    later = levels[levels.index(Level.STARTED) :] if Level.STARTED in levels else []
    beside = (("LEFT_THE_BOARD", Level.OFF), ("RETURNED_TO_TODO", Level.TODO))
    return tuple(name for name, level in beside if level in later)


def active_time(journey: Journey) -> int:
    """The time in states of work in which nothing waits."""
    return sum(step.until - step.at for step in journey.steps if step.meaning.active)


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Nearest rank: the smallest of the values that `percent` per cent of them do not exceed; None of none."""
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1] if ordered else None
