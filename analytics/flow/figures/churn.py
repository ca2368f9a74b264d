"""Churn: figures of work that came back or was given up, from counts of it. No clock, no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.flow.figures.completion import Edge, Traversal, edges
from analytics.flow.figures.cumulative_flow import Counts, Frame
from analytics.flow.figures.workflow import StateDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnCounts:
    """What is counted of the items: totals by name, moves back by piece, and by the groups of states between which."""

    totals: Mapping[str, int]
    back_in_piece: Mapping[int, int]
    back: Sequence[Traversal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """The figures of a window in whole numbers; rates are of two of them, so that they can be added up.

    `judged_finishes` are the finish events for which the time to be reopened in is over.
    """

    finish_events: int
    judged_finishes: int
    reopened: int
    backflow: int
    finished: int
    finished_straight: int
    abandoned: int
    reverted_items: int
    started_items: int
    edges: Sequence[Edge]
    reverts: Sequence[int | None]
    scope_added: Sequence[int | None]
    scope_removed: Sequence[int | None]


def churn(*, frame: Frame, flows: Counts, counts: ChurnCounts, groups: Sequence[Sequence[StateDefinition]]) -> Churn:
    """The figures, their edges in the order of the groups; null in a bucket of which nothing is known."""
    known, totals = frame.where_known, counts.totals
    return Churn(
        finish_events=totals["finish_events"],
        judged_finishes=totals["judged_finishes"],
        reopened=totals["reopened"],
        backflow=sum(counts.back_in_piece.values()),
        finished=totals["finished"],
        finished_straight=totals["finished_straight"],
        abandoned=totals["abandoned"],
        reverted_items=totals["reverted_items"],
        started_items=totals["started_items"],
        edges=edges(groups=groups, rows=counts.back),
        reverts=known(_per_bucket(frame, counts.back_in_piece)),
        scope_added=known(flows.arrivals),
        scope_removed=known(flows.departures),
    )


def rate(part: int, whole: int) -> float | None:
    """The part of the whole; None of nothing."""
    return part / whole if whole else None


def _per_bucket(frame: Frame, in_piece: Mapping[int, int]) -> list[int]:
    begins = (0, *frame.last_piece)
    return [
        sum(in_piece.get(piece, 0) for piece in range(begin + 1, last + 1))
        for begin, last in zip(begins, frame.last_piece, strict=False)
    ]
