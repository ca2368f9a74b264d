"""Identities of flow: laws that every answer keeps, one size counted in two ways. No clock, no database.

One side comes from the items, one by one; the other from counted movements, which rollups have.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from analytics.flow.figures.cumulative_flow import OFF_THE_BOARD, Counts, Frame, Movement
from analytics.flow.figures.workflow import IN_PROGRESS
from analytics.pure.zones import MICROSECOND

Belongs = Callable[[str | None], bool]


class Of(StrEnum):
    """What an identity is about."""

    ITEMS = "items"
    MICROSECONDS = "microseconds"


class Weight(NamedTuple):
    """The microseconds from each fact of a piece that took an item from one state to another, to the piece's end, added."""

    piece: int
    before: int
    after: int
    microseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the items come to: how many are in each state just before the window and at its end, the microseconds that they
    were in progress in it and on the board ever, and by how much the latter differ from their lifetimes."""

    at_start: Mapping[int, int]
    at_end: Mapping[int, int]
    weights: Sequence[Weight]
    in_progress: int
    lifetime: int
    unlived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One law: what the items come to, and by how much the other way to count it differs. It is kept where that is 0."""

    name: str
    of: Of
    value: int
    difference: int


def identities(
    *, frame: Frame, flows: Counts, movements: Sequence[Movement], sizes: Sizes, until: datetime
) -> list[Identity]:
    """The laws of the frame's window, time counted up to `until`."""
    items, work = _change(frame, sizes, _on_board), _change(frame, sizes, _in_progress)
    counted = _Movements(frame, movements)
    scope = sum(flows.arrivals) - sum(flows.departures) + counted.redefined(_on_board)
    entries = counted.net(_in_progress) + counted.redefined(_in_progress)
    under_way = counted.time_in_progress(sizes.weights, until=until)
    return [
        Identity(name="conservation", of=Of.ITEMS, value=items, difference=scope - items),
        Identity(name="workConservation", of=Of.ITEMS, value=work, difference=entries - work),
        Identity(
            name="littlesLaw", of=Of.MICROSECONDS, value=sizes.in_progress, difference=under_way - sizes.in_progress
        ),
        Identity(name="lifetime", of=Of.MICROSECONDS, value=sizes.lifetime, difference=sizes.unlived),
    ]


def _on_board(category: str | None) -> bool:
    return category not in OFF_THE_BOARD


def _in_progress(category: str | None) -> bool:
    return category == IN_PROGRESS


def _change(frame: Frame, sizes: Sizes, belongs: Belongs) -> int:
    first, last = 1, frame.last_piece[-1]
    return _belonging(frame, sizes.at_end, last, belongs) - _belonging(frame, sizes.at_start, first, belongs)


def _belonging(frame: Frame, holding: Mapping[int, int], piece: int, belongs: Belongs) -> int:
    return sum(items for state, items in holding.items() if belongs(frame.category_of(state, piece=piece)))


class _Movements:
    """Movements by piece, and how many items are in each state when a piece begins."""

    def __init__(self, frame: Frame, movements: Sequence[Movement]) -> None:
        self._frame = frame
        self._in_piece: list[list[Movement]] = [[] for _ in frame.edges]
        for row in movements:
            self._in_piece[row.piece].append(row)
        holding = dict.fromkeys(frame.first, 0)
        self._holding: list[Mapping[int, int]] = [dict(holding)]
        for rows in self._in_piece:
            for row in rows:
                holding[row.before] = holding.get(row.before, 0) - row.items
                holding[row.after] = holding.get(row.after, 0) + row.items
            self._holding.append(dict(holding))

    @property
    def _pieces(self) -> range:
        return range(1, len(self._frame.edges))

    def net(self, belongs: Belongs) -> int:
        """Entries less exits, by the definitions of their time."""
        return sum(
            row.items * self._gain(row.before, row.after, piece, belongs)
            for piece in self._pieces
            for row in self._in_piece[piece]
        )

    def redefined(self, belongs: Belongs) -> int:
        """What came in less what went out because its state was redefined within the window."""
        return sum(
            _belonging(self._frame, self._holding[piece], piece, belongs)
            - _belonging(self._frame, self._holding[piece], piece - 1, belongs)
            for piece in self._pieces[1:]
        )

    def time_in_progress(self, weights: Sequence[Weight], *, until: datetime) -> int:
        """The integral of work in progress over the window up to `until`, in microseconds of items."""
        edges = [min(edge, until) for edge in self._frame.edges]
        stock = sum(
            _belonging(self._frame, self._holding[piece], piece, _in_progress)
            * ((edges[piece] - edges[piece - 1]) // MICROSECOND)
            for piece in self._pieces
        )
        return stock + sum(
            row.microseconds * self._gain(row.before, row.after, row.piece, _in_progress) for row in weights
        )

    def _gain(self, before: int, after: int, piece: int, belongs: Belongs) -> int:
        category = self._frame.category_of
        return belongs(category(after, piece=piece)) - belongs(category(before, piece=piece))
