"""Drill-down of a flow figure: what is asked, its edges in their order, and what each of them says."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from analytics.engine.reading.explaining import NoSuchNumber
from analytics.flow.drills import FlowMetric
from analytics.flow.figures.durations import Policy
from analytics.flow.figures.oddities import Failures
from analytics.flow.reading.durations import Clip
from analytics.flow.replay.drilling import BY_ITEM, COUNTED, Place, Point, Slice, part
from analytics.pure.local_days import Calendar
from analytics.pure.zones import from_microseconds

Rows = Sequence[tuple[Any, ...]]


class Side(Enum):
    """What stands for a state that is not named: any of them, or none."""

    ANY = "ANY"
    NOWHERE = "NOWHERE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillQuestion:
    """A figure, and which of its numbers. `bucket` None: that of the window. What the metric has no use for is as it was."""

    metric: FlowMetric
    bucket: datetime | None = None
    state: str | Side = Side.ANY
    from_state: str | Side = Side.ANY
    policy: Policy = Policy.FIRST_START_LAST_FINISH
    start: str | None = None
    finish: str | None = None
    calendar: Calendar = Calendar.ELAPSED
    clip: Clip = Clip.CLIP
    within: timedelta = timedelta(days=14)
    check: str | None = None
    validator_id: int | None = None


class DrillError(NoSuchNumber):
    """A figure that is not there to be drilled into: `argument` names what is at fault, the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of an item's time, and the ledger rows that began and ended it; `end_seq` None: it still lasts."""

    begin: datetime
    end: datetime
    begin_seq: int | None
    end_seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrilledEdge:
    """An item of the figure, or an event of one. `seq` None: no single row explains it; `length` None: it is not of time."""

    task_id: int
    place: Place
    length: timedelta | None
    intervals: Sequence[Interval]

    @property
    def seq(self) -> int | None:
        """The ledger row that explains it."""
        return self.place.seq or None


class DrillDown(Protocol):
    """All edges of one number, read as far as they are asked for; `count` is that number."""

    def count(self) -> int:
        """How many edges there are."""

    def by_item(self) -> Mapping[int, int]:
        """How many of them each task has."""

    def read(self, asked: Slice) -> Sequence[DrilledEdge]:
        """The edges of a slice; read backwards, the last one comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDrillDown:
    """Counted and cut by the database. `rows` answers the metric's points as an ending reads them."""

    rows: Callable[[str, Mapping[str, Any]], Rows]

    def count(self) -> int:
        """See DrillDown."""
        return int(self.rows(COUNTED, {})[0][0])

    def by_item(self) -> Mapping[int, int]:
        """See DrillDown."""
        return dict(self.rows(BY_ITEM, {}))

    def read(self, asked: Slice) -> Sequence[DrilledEdge]:
        """See DrillDown."""
        ending, values = part(asked)
        return [_edge(Point(*row)) for row in self.rows(ending, values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDrillDown:
    """Edges that are all at hand, in their order."""

    edges: Sequence[DrilledEdge]

    def count(self) -> int:
        """See DrillDown."""
        return len(self.edges)

    def by_item(self) -> Mapping[int, int]:
        """See DrillDown."""
        return Counter(edge.task_id for edge in self.edges)

    def read(self, asked: Slice) -> Sequence[DrilledEdge]:
        """See DrillDown."""
        inside = [
            edge
            for edge in self.edges
            if (asked.after is None or in_order(edge.place) > in_order(asked.after))
            and (asked.before is None or in_order(edge.place) < in_order(asked.before))
        ]
        return (inside[::-1] if asked.backwards else inside)[: asked.limit]


def in_order(place: Place) -> tuple[datetime, int, int]:
    """What edges are sorted by."""
    return place.happened_at, place.seq, place.task_id


def failure_edges(found: Failures) -> Sequence[DrilledEdge]:
    """The ledger rows in which a check of the data fails, in the order of edges."""
    rows = zip(found.at.tolist(), found.seq.tolist(), found.task.tolist(), strict=True)
    places = [Place(happened_at=from_microseconds(at), seq=seq, task_id=task) for at, seq, task in sorted(rows)]
    return [DrilledEdge(task_id=place.task_id, place=place, length=None, intervals=()) for place in places]


def _edge(point: Point) -> DrilledEdge:
    place = Place(happened_at=point.happened_at, seq=point.seq, task_id=point.task_id)
    if point.begin_at is None or point.end_at is None:
        return DrilledEdge(task_id=point.task_id, place=place, length=None, intervals=())
    end = max(point.begin_at, point.end_at)
    interval = Interval(begin=point.begin_at, end=end, begin_seq=point.begin_seq, end_seq=point.end_seq)
    return DrilledEdge(task_id=point.task_id, place=place, length=end - point.begin_at, intervals=(interval,))
