"""From counted movements to the figures of a cumulative flow diagram. No clock, no database.

Time is cut into pieces at the ends of the window's buckets and wherever a definition changed, so that within a piece all
definitions hold still. Piece 0 is everything before the window; piece j runs from edges[j-1] to edges[j], half-open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from analytics.pure.windows import Window
from analytics.pure.workflow import DONE, IN_PROGRESS, StateDefinition, Workflows, first_position

OFF_BOARD = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """How many facts of one piece took an item from one state to another (0: not on the board)."""

    piece: int
    before: int
    after: int
    discarded: bool
    count: int


@dataclass(frozen=True, slots=True)
class Reached:
    """How many items reached, in this piece, every position above `low` up to `high`, by the order of one epoch."""

    epoch: int
    project_id: int
    low: int
    high: int
    piece: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A window, cut into pieces: `last_piece[i]` ends bucket i; `known[i]` is false where nothing can be said of it."""

    window: Window
    edges: tuple[datetime, ...]
    last_piece: tuple[int, ...]
    epoch_of_piece: tuple[int, ...]
    epochs: tuple[Mapping[int, StateDefinition], ...]
    known: tuple[bool, ...]

    def definitions_of(self, piece: int) -> Mapping[int, StateDefinition]:
        """The states as defined throughout that piece."""
        return self.epochs[self.epoch_of_piece[piece]]

    def where_known(self, values: Sequence[int]) -> list[int | None]:
        """The values, with null where a bucket has not begun or lies before all records."""
        return [value if known else None for value, known in zip(values, self.known, strict=True)]


def cut(*, window: Window, workflows: Workflows, recorded_since: datetime | None, now: datetime) -> Frame:
    """The window's pieces. `recorded_since` None: nothing is known at all."""
    changes = set(workflows.changes(after=window.start, before=window.end))
    edges = tuple(sorted({window.start, *window.ends} | changes))
    place = {edge: piece for piece, edge in enumerate(edges)}
    epochs = [workflows.at(window.start)]
    epoch_of_piece = [0]
    for edge in edges[:-1]:
        if edge in changes:
            epochs.append(workflows.at(edge))
        epoch_of_piece.append(len(epochs) - 1)
    return Frame(
        window=window,
        edges=edges,
        last_piece=tuple(place[end] for end in window.ends),
        epoch_of_piece=tuple(epoch_of_piece),
        epochs=tuple(epochs),
        known=tuple(
            recorded_since is not None and end > recorded_since and start <= now
            for start, end in zip(window.starts, window.ends, strict=True)
        ),
    )


@dataclass(slots=True, kw_only=True)
class Counts:
    """Per bucket: items in each state, in progress and on the board at its end; arrivals, departures, discards in it."""

    bands: dict[int, list[int]]
    in_progress: list[int] = field(default_factory=list)
    alive: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    departures: list[int] = field(default_factory=list)
    discarded: list[int] = field(default_factory=list)


class _Flows(NamedTuple):
    arrivals: int = 0
    departures: int = 0
    discarded: int = 0

    def plus(self, other: "_Flows") -> "_Flows":
        return _Flows(*(mine + its for mine, its in zip(self, other, strict=True)))


def count(*, frame: Frame, movements: Iterable[Movement]) -> Counts:
    """Adds the movements up, piece by piece. States that the frame does not define are another board's."""
    in_piece = {piece: list(rows) for piece, rows in groupby(sorted(movements, key=_piece), key=_piece)}
    states = {state for definitions in frame.epochs for state in definitions}
    holding = dict.fromkeys(states, 0)
    _move(in_piece.get(0, []), holding=holding, definitions=frame.epochs[0])
    counts = Counts(bands={state: [] for state in states})
    piece = 0
    for last in frame.last_piece:
        flows = _Flows()
        while piece < last:
            piece += 1
            flows = flows.plus(_redefined(frame, piece, holding))
            definitions = frame.definitions_of(piece)
            flows = flows.plus(_move(in_piece.get(piece, []), holding=holding, definitions=definitions))
        _close_bucket(counts, holding=holding, definitions=frame.definitions_of(last), flows=flows)
    return counts


def _piece(row: Movement) -> int:
    return row.piece


def _move(
    rows: Iterable[Movement], *, holding: dict[int, int], definitions: Mapping[int, StateDefinition]
) -> _Flows:
    flows = _Flows()
    for row in rows:
        before = row.before if row.before in holding else OFF_BOARD
        after = row.after if row.after in holding else OFF_BOARD
        if before == after:
            continue
        if before != OFF_BOARD:
            holding[before] -= row.count
        if after != OFF_BOARD:
            holding[after] += row.count
        was, now = _on_board(before, definitions), _on_board(after, definitions)
        flows = flows.plus(
            _Flows(
                arrivals=row.count * (now and not was),
                departures=row.count * (was and not now),
                discarded=row.count * (row.discarded and before != OFF_BOARD),
            )
        )
    return flows


def _redefined(frame: Frame, piece: int, holding: Mapping[int, int]) -> _Flows:
    """Items of a state that was recategorised enter or leave the board without moving."""
    if frame.epoch_of_piece[piece] == frame.epoch_of_piece[piece - 1]:
        return _Flows()
    was, now = frame.definitions_of(piece - 1), frame.definitions_of(piece)
    flows = _Flows()
    for state, items in holding.items():
        if items and _on_board(state, was) != _on_board(state, now):
            entered = _on_board(state, now)
            flows = flows.plus(_Flows(arrivals=items * entered, departures=items * (not entered)))
    return flows


def _on_board(state: int, definitions: Mapping[int, StateDefinition]) -> bool:
    # A state with items but without a definition yet is one that a late fact brought: it is no cancelled one.
    return state != OFF_BOARD and (state not in definitions or definitions[state].on_board)


def _close_bucket(
    counts: Counts, *, holding: Mapping[int, int], definitions: Mapping[int, StateDefinition], flows: _Flows
) -> None:
    in_progress = alive = 0
    for state, band in counts.bands.items():
        visible = holding[state] if _on_board(state, definitions) else 0
        band.append(visible)
        alive += visible
        if state in definitions and definitions[state].category == IN_PROGRESS:
            in_progress += visible
    counts.in_progress.append(in_progress)
    counts.alive.append(alive)
    counts.arrivals.append(flows.arrivals)
    counts.departures.append(flows.departures)
    counts.discarded.append(flows.discarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """CUMULATIVE: per state the items whose furthest state so far is at or beyond it, at each bucket's end.

    `gap` is, per bucket, items that came to the first state in progress minus those that came to the first done one.
    """

    by_state: Mapping[int, list[int]]
    gap: list[int]


def lines(*, frame: Frame, reached: Iterable[Reached]) -> Lines:
    """Adds up who reached what, each bucket by the order that holds at its end."""
    states = {state for definitions in frame.epochs for state in definitions}
    found: dict[int, list[int]] = {state: [] for state in states}
    gap: list[int] = []
    tallies = _tallies(frame=frame, reached=reached)
    for last in frame.last_piece:
        epoch = frame.epoch_of_piece[last]
        definitions = frame.epochs[epoch]
        tally = tallies[epoch]
        tally.advance(last)
        for state, line in found.items():
            definition = definitions.get(state)
            visible = definition is not None and definition.on_board
            line.append(tally.at(definition.project_id, definition.position) if definition and visible else 0)
        gap.append(_gap(tally, definitions))
    return Lines(by_state=found, gap=gap)


def _gap(tally: "_Tally", definitions: Mapping[int, StateDefinition]) -> int:
    by_project: dict[int, list[StateDefinition]] = {}
    for definition in definitions.values():
        by_project.setdefault(definition.project_id, []).append(definition)
    total = 0
    for project, its_states in by_project.items():
        for category, sign in ((IN_PROGRESS, 1), (DONE, -1)):
            position = first_position(its_states, category=category)
            if position is not None:
                total += sign * tally.at(project, position)
    return total


class _Tally:
    """Items by furthest position, as of a piece that only advances."""

    def __init__(self, rows: Iterable[Reached]) -> None:
        self._waiting = sorted(rows, key=lambda row: row.piece, reverse=True)
        self._at: dict[tuple[int, int], int] = {}

    def advance(self, piece: int) -> None:
        while self._waiting and self._waiting[-1].piece <= piece:
            row = self._waiting.pop()
            # `low` may lie far below the first position: positions are never less than -1.
            for position in range(max(row.low, -2) + 1, row.high + 1):
                place = (row.project_id, position)
                self._at[place] = self._at.get(place, 0) + row.count

    def at(self, project: int, position: int) -> int:
        return self._at.get((project, position), 0)


def _tallies(*, frame: Frame, reached: Iterable[Reached]) -> list[_Tally]:
    by_epoch: list[list[Reached]] = [[] for _ in frame.epochs]
    for row in reached:
        by_epoch[row.epoch].append(row)
    return [_Tally(rows) for rows in by_epoch]


def shown_states(frame: Frame) -> list[StateDefinition]:
    """The states that the window's charts have a band or a line for, as defined at its end."""
    at_end = frame.epochs[-1]
    return [
        at_end[state]
        for state in at_end
        if any(
            state in definitions and definitions[state].on_board and not definitions[state].archived
            for definitions in frame.epochs
        )
    ]
