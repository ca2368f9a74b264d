"""Cycle time policies, what states mean for them through time, and percentiles. The times are in journeys.py.

Instants are microseconds since 1970: there are many, and they are only compared and subtracted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
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
    """What states mean through time: `meanings[i]` from `begins[i]` on; the first of them holds before, too.

    A state that is in none of the meanings of its time is one of another board: NOWHERE.
    """

    begins: Sequence[int]
    meanings: Sequence[Meanings]


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Nearest rank: the smallest of the values that `percent` per cent of them do not exceed; None of none."""
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1] if ordered else None
