"""Completion: finishes per bucket and edges of the state graph, from counted steps. No clock, no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.figures.workflow import DONE, StateDefinition


@dataclass(frozen=True, slots=True)
class Finished:
    """How many items that are done at the window's end began that stay in this piece."""

    piece: int
    count: int


@dataclass(frozen=True, slots=True)
class Traversal:
    """How often items went from one group of states to another (0: nowhere), and the median of the stays before it."""

    before: int
    after: int
    count: int
    median: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Steps of the window from one state to another; None: nowhere. `median` is None where they come from nowhere."""

    before: StateDefinition | None
    after: StateDefinition | None
    count: int
    median: timedelta | None


def done_states(frame: Frame) -> list[int]:
    """The states that are DONE at the window's end."""
    last = frame.last_piece[-1]
    return [state for state in frame.first if frame.category_of(state, piece=last) == DONE]


def finished_per_bucket(*, frame: Frame, rows: Iterable[Finished]) -> list[int]:
    """The finishes of each bucket; those before the window are in none."""
    in_piece = {row.piece: row.count for row in rows}
    begins = (0, *frame.last_piece)
    return [
        sum(in_piece.get(piece, 0) for piece in range(begin + 1, last + 1))
        for begin, last in zip(begins, frame.last_piece, strict=False)
    ]


def grouped(groups: Iterable[Sequence[StateDefinition]]) -> Mapping[int, int]:
    """By state id the number of its group, from 1: as `edges` reads them."""
    return {state.state_id: number for number, states in enumerate(groups, start=1) for state in states}


def edges(*, groups: Sequence[Sequence[StateDefinition]], rows: Iterable[Traversal]) -> list[Edge]:
    """The edges by the order of their groups, arrivals first; the first state of a group stands for it."""
    shown = (None, *(states[0] for states in groups))
    return [
        Edge(before=shown[row.before], after=shown[row.after], count=row.count, median=row.median)
        for row in sorted(rows, key=lambda row: (row.before, row.after))
    ]
