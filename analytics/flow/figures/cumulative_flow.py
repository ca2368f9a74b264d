"""Cumulative flow diagram: its figures, from counted movements. No clock, no database.

Time is cut into pieces at the ends of the window's buckets and wherever a definition changed, so that within a piece
all definitions hold still. Piece 0 is everything before the window; piece j runs from edges[j-1] to edges[j], half-open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, groupby
from typing import NamedTuple

from analytics.flow.figures.workflow import (
    CANCELLED,
    DONE,
    IN_PROGRESS,
    StateDefinition,
    Workflows,
    by_project,
    lowest,
    places,
)
from analytics.pure.windows import Window

OFF_THE_BOARD = (None, CANCELLED)


class Movement(NamedTuple):
    """How many facts of one piece took an item from one state to another (0: not on the board)."""

    piece: int
    before: int
    after: int
    discarded: bool
    items: int


class Reached(NamedTuple):
    """How many items reached, in this piece, every place above `low` up to `high`, in one of the frame's orders."""

    order: int
    project_id: int
    low: int
    high: int
    piece: int
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A window, cut into pieces: `last_piece[i]` ends bucket i; `known[i]` is false where nothing can be said of it.

    `epochs` are the definitions that held in it, in turn; `first` has each state's earliest one, which stands for a state
    that is not defined yet. `orders` are the different orders of states that buckets end in, by state id.
    """

    window: Window
    edges: tuple[datetime, ...]
    last_piece: tuple[int, ...]
    epoch_of_piece: tuple[int, ...]
    epochs: tuple[Mapping[int, StateDefinition], ...]
    first: Mapping[int, StateDefinition]
    orders: tuple[Mapping[int, int], ...]
    order_of_bucket: tuple[int, ...]
    known: tuple[bool, ...]

    def definitions_of(self, piece: int) -> Mapping[int, StateDefinition]:
        """The states as defined throughout that piece."""
        return self.epochs[self.epoch_of_piece[piece]]

    def category_of(self, state: int, *, piece: int) -> str | None:
        """The category of a state in that piece; None for nowhere and for another board's state."""
        return self.category_in(state, epoch=self.epoch_of_piece[piece])

    def category_in(self, state: int, *, epoch: int) -> str | None:
        """As `category_of`, by the number of the epoch."""
        definition = self.epochs[epoch].get(state) or self.first.get(state)
        return definition.category if definition else None

    def where_known(self, values: Sequence[int | None]) -> list[int | None]:
        """The values, with null where a bucket has not begun or lies before all records."""
        return [value if known else None for value, known in zip(values, self.known, strict=True)]


def cut(*, window: Window, workflows: Workflows, recorded_since: datetime | None, now: datetime) -> Frame:
    """The window's pieces. `recorded_since` None: nothing is known at all."""
    changes = set(workflows.changes(after=window.start, before=window.end))
    edges = tuple(sorted({window.start, *window.ends} | changes))
    piece_of = {edge: piece for piece, edge in enumerate(edges)}
    last_piece = tuple(piece_of[end] for end in window.ends)
    epoch_of_piece = (0, *accumulate(int(edge in changes) for edge in edges[:-1]))
    epochs = tuple(workflows.in_force(edge) for edge in edges[:-1] if edge == window.start or edge in changes)
    orders, order_of_epoch = _distinct([places(definitions.values()) for definitions in epochs])
    return Frame(
        window=window,
        edges=edges,
        last_piece=last_piece,
        epoch_of_piece=epoch_of_piece,
        epochs=epochs,
        first={state: workflows.first(state) for state in workflows.state_ids},
        orders=orders,
        order_of_bucket=tuple(order_of_epoch[epoch_of_piece[last]] for last in last_piece),
        known=tuple(
            recorded_since is not None and end > recorded_since and start <= now
            for start, end in zip(window.starts, window.ends, strict=True)
        ),
    )


def _distinct(orders: Sequence[Mapping[int, int]]) -> tuple[tuple[Mapping[int, int], ...], list[int]]:
    """The different ones, and for each of those given which it is."""
    found: list[Mapping[int, int]] = []
    which: list[int] = []
    for order in orders:
        if order not in found:
            found.append(order)
        which.append(found.index(order))
    return tuple(found), which


@dataclass(slots=True, kw_only=True)
class Counts:
    """Per bucket: items in each state (None while it is cancelled) and in progress at its end; what came and went.

    `discarded` are those of the departures that were discards. `finish_events` and `cancelled` are the entries into DONE
    and CANCELLED from outside of them.
    """

    bands: dict[int, list[int | None]]
    in_progress: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    departures: list[int] = field(default_factory=list)
    discarded: list[int] = field(default_factory=list)
    finish_events: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)


class _Flows(NamedTuple):
    """What one item that moves so adds to each flow: 0 or 1."""

    arrivals: int = 0
    departures: int = 0
    discarded: int = 0
    finish_events: int = 0
    cancelled: int = 0


class _Meanings(dict[tuple[int, int, int, bool], _Flows]):
    """By epoch, state before, state after and whether it was a discard. A year has many movements and few sorts of them."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self._frame = frame

    def __missing__(self, sort: tuple[int, int, int, bool]) -> _Flows:
        epoch, *states, discarded = sort
        before, after = (self._frame.category_in(state, epoch=epoch) for state in states)
        was, now = before not in OFF_THE_BOARD, after not in OFF_THE_BOARD
        found = _Flows(
            arrivals=now and not was,
            departures=was and not now,
            discarded=was and not now and discarded,
            finish_events=after == DONE != before,
            cancelled=after == CANCELLED != before,
        )
        self[sort] = found
        return found


def count(*, frame: Frame, movements: Iterable[Movement]) -> Counts:
    """Adds the movements up, piece by piece. States that the frame does not know are another board's."""
    in_piece = {piece: list(rows) for piece, rows in groupby(sorted(movements, key=_piece), key=_piece)}
    holding = dict.fromkeys(frame.first, 0)
    counts = Counts(bands={state: [] for state in holding})
    meanings = _Meanings(frame)
    _move(in_piece.get(0, []), holding=holding)
    piece = 0
    for last in frame.last_piece:
        flows = [0] * len(_Flows._fields)
        while piece < last:
            piece += 1
            rows = in_piece.get(piece, [])
            _move(rows, holding=holding)
            _add_flows(rows, to=flows, meanings=meanings, epoch=frame.epoch_of_piece[piece])
        _close_bucket(counts, holding=holding, frame=frame, piece=last, flows=_Flows(*flows))
    return counts


def _piece(row: Movement) -> int:
    return row.piece


def _move(rows: Iterable[Movement], *, holding: dict[int, int]) -> None:
    for _, before, after, _, items in rows:
        if before in holding:
            holding[before] -= items
        if after in holding:
            holding[after] += items


def _add_flows(rows: Iterable[Movement], *, to: list[int], meanings: _Meanings, epoch: int) -> None:
    for _, before, after, discarded, items in rows:
        for place, counts in enumerate(meanings[epoch, before, after, discarded]):
            if counts:
                to[place] += items


def _close_bucket(counts: Counts, *, holding: Mapping[int, int], frame: Frame, piece: int, flows: _Flows) -> None:
    in_progress = 0
    for state, items in holding.items():
        category = frame.category_of(state, piece=piece)
        counts.bands[state].append(None if category == CANCELLED else items)
        in_progress += items * (category == IN_PROGRESS)
    counts.in_progress.append(in_progress)
    counts.arrivals.append(flows.arrivals)
    counts.departures.append(flows.departures)
    counts.discarded.append(flows.discarded)
    counts.finish_events.append(flows.finish_events)
    counts.cancelled.append(flows.cancelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """CUMULATIVE: per state the items whose furthest state so far is at or beyond it, at each bucket's end.

    A state has 0 before it is defined, None while it is archived or cancelled. `gap` is, per bucket, items that came to
    the first state in progress minus those that came to the first done one.
    """

    by_state: Mapping[int, list[int | None]]
    gap: list[int]


def lines(*, frame: Frame, reached: Iterable[Reached]) -> Lines:
    """Adds up who reached what, each bucket by the order that holds at its end."""
    found: dict[int, list[int | None]] = {state: [] for state in frame.first}
    gap: list[int] = []
    tallies = [_Tally(order) for order in frame.orders]
    for row in sorted(reached, key=lambda row: row.piece, reverse=True):
        tallies[row.order].waiting.append(row)
    for last, order in zip(frame.last_piece, frame.order_of_bucket, strict=True):
        definitions, tally = frame.definitions_of(last), tallies[order]
        tally.advance(last)
        for state, line in found.items():
            line.append(tally.line(definitions.get(state)))
        gap.append(sum(_gap(tally, states) for states in by_project(definitions.values()).values()))
    return Lines(by_state=found, gap=gap)


def _gap(tally: "_Tally", states: Sequence[StateDefinition]) -> int:
    started, done = (tally.line(lowest(states, category=category)) for category in (IN_PROGRESS, DONE))
    return (started or 0) - (done or 0)


class _Tally:
    """Items by furthest place in one order, as of a piece that only advances."""

    def __init__(self, places: Mapping[int, int]) -> None:
        self.waiting: list[Reached] = []
        self._places = places
        self._at: dict[tuple[int, int], int] = {}

    def advance(self, piece: int) -> None:
        while self.waiting and self.waiting[-1].piece <= piece:
            row = self.waiting.pop()
            for place in range(row.low + 1, row.high + 1):
                self._at[row.project_id, place] = self._at.get((row.project_id, place), 0) + row.items

    def line(self, definition: StateDefinition | None) -> int | None:
        if definition is None:
            return 0
        if definition.archived or not definition.on_board:
            return None
        return self._at.get((definition.project_id, self._places[definition.state_id]), 0)


def added(columns: Iterable[Sequence[int | None]]) -> list[int | None]:
    """The sums of what there is; null where there is nothing to add."""
    return [
        sum(existing) if (existing := [value for value in values if value is not None]) else None
        for values in zip(*columns, strict=True)
    ]
