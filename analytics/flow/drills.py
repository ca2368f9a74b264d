"""Metrics of drill-downs, as data: what an edge stands for, and what has to be told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum


class FlowMetric(StrEnum):
    """A figure whose items or events can be listed, named after its field in the schema."""

    WORK_IN_PROGRESS = "WORK_IN_PROGRESS"
    OCCUPANCY = "OCCUPANCY"
    CUMULATIVE = "CUMULATIVE"
    ARRIVALS = "ARRIVALS"
    DEPARTURES = "DEPARTURES"
    LEFT = "LEFT"
    DISCARDED = "DISCARDED"
    CANCELLED = "CANCELLED"
    CORRECTION_WINDOWS = "CORRECTION_WINDOWS"
    FINISHED = "FINISHED"
    FINISH_EVENTS = "FINISH_EVENTS"
    TRANSITIONS = "TRANSITIONS"
    REOPENED = "REOPENED"
    BACKFLOW = "BACKFLOW"
    ABANDONED = "ABANDONED"
    REVERTED_ITEMS = "REVERTED_ITEMS"
    STARTED_ITEMS = "STARTED_ITEMS"
    FINISHED_STRAIGHT = "FINISHED_STRAIGHT"
    VISITS = "VISITS"
    ONGOING_VISITS = "ONGOING_VISITS"
    CYCLE_TIME = "CYCLE_TIME"
    NEVER_STARTED = "NEVER_STARTED"
    INFERRED = "INFERRED"
    LEAD_TIME = "LEAD_TIME"
    FLOW_EFFICIENCY = "FLOW_EFFICIENCY"
    AGING = "AGING"
    VALIDATED = "VALIDATED"
    UNAPPROVED = "UNAPPROVED"
    WAITING_FOR_VALIDATION = "WAITING_FOR_VALIDATION"
    QUALITY = "QUALITY"


class Over(Enum):
    """Of what stretch of time the figure is. A chart has no number for a bucket of which nothing is known.

    STOCK: at a bucket's end. END: at the window's end alone. SERIES: in a bucket; the known ones add up to the window.
    WINDOW: of the whole window, and of each bucket what of it lies there.
    """

    STOCK = "STOCK"
    END = "END"
    SERIES = "SERIES"
    WINDOW = "WINDOW"


class States(Enum):
    """Whether a state has to be named, may be, or means nothing to the figure."""

    NEEDED = "NEEDED"
    EDGE = "EDGE"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One metric: in words what there is one edge for. Which numbers it explains, the entries of the figures say."""

    sentence: str
    over: Over
    states: States = States.NONE
    of_places: bool = False

    @property
    def needs_items(self) -> bool:
        """Whether it is of items in their places, of which an actor's changes have none."""
        return self.of_places or self.over in (Over.STOCK, Over.END)


DRILLS: Mapping[FlowMetric, Drill] = {
    FlowMetric.WORK_IN_PROGRESS: Drill(
        sentence="An item in a state of category IN_PROGRESS at the bucket's end; seconds: how long it is in that state.",
        over=Over.STOCK,
    ),
    FlowMetric.OCCUPANCY: Drill(
        sentence="An item in `state` at the bucket's end, as mode OCCUPANCY has it; seconds: how long it is there.",
        over=Over.STOCK,
        states=States.NEEDED,
    ),
    FlowMetric.CUMULATIVE: Drill(
        sentence="An item that had come to `state` or beyond it by the bucket's end, as mode CUMULATIVE has it: the row with"
        " which it first did. Of a whole tenant one on each board, as the line counts.",
        over=Over.STOCK,
        states=States.NEEDED,
    ),
    FlowMetric.ARRIVALS: Drill(
        sentence="An arrival on the board.",
        over=Over.SERIES,
    ),
    FlowMetric.DEPARTURES: Drill(
        sentence="A leaving of the board.",
        over=Over.SERIES,
    ),
    FlowMetric.LEFT: Drill(sentence="A leaving of the board, as DEPARTURES has it.", over=Over.SERIES),
    FlowMetric.DISCARDED: Drill(sentence="A discard of an item that was on the board.", over=Over.SERIES),
    FlowMetric.CANCELLED: Drill(sentence="An entry into a state of category CANCELLED.", over=Over.SERIES),
    FlowMetric.CORRECTION_WINDOWS: Drill(
        sentence="A time in which an item was behind its furthest state; of a bucket those that touch it.",
        over=Over.WINDOW,
        of_places=True,
    ),
    FlowMetric.FINISHED: Drill(
        sentence="An item that is DONE at the window's end: the row with which that stay began.",
        over=Over.SERIES,
    ),
    FlowMetric.FINISH_EVENTS: Drill(
        sentence="An entry into DONE.",
        over=Over.SERIES,
    ),
    FlowMetric.TRANSITIONS: Drill(
        sentence="A step from `fromState` to `state`, from or to any where one is left out; null is nowhere. Seconds: the"
        " stay before it.",
        over=Over.WINDOW,
        states=States.EDGE,
    ),
    FlowMetric.REOPENED: Drill(
        sentence="A finish event that was reopened within `reopenWithinDays`; seconds: how soon.",
        over=Over.WINDOW,
    ),
    FlowMetric.BACKFLOW: Drill(
        sentence="A move to a lower position, from `fromState` to `state` or from and to any; seconds: the stay before it.",
        over=Over.WINDOW,
        states=States.EDGE,
    ),
    FlowMetric.ABANDONED: Drill(
        sentence="A move from IN_PROGRESS to TODO that was not taken up within `reopenWithinDays`.",
        over=Over.WINDOW,
    ),
    FlowMetric.REVERTED_ITEMS: Drill(
        sentence="An item that moved from IN_PROGRESS to TODO: the first such move.",
        over=Over.WINDOW,
    ),
    FlowMetric.STARTED_ITEMS: Drill(
        sentence="An item that was started in the window: its first entry into an IN_PROGRESS state. The rate is of these.",
        over=Over.WINDOW,
    ),
    FlowMetric.FINISHED_STRAIGHT: Drill(
        sentence="An item that finished and never moved to a lower position before. The rate is of those that LEAD_TIME has.",
        over=Over.WINDOW,
    ),
    FlowMetric.VISITS: Drill(
        sentence="A visit to `state` that ended; seconds: how long it was, by `clip` inside the window or in full.",
        over=Over.WINDOW,
        states=States.NEEDED,
    ),
    FlowMetric.ONGOING_VISITS: Drill(
        sentence="An item that is in `state` at the window's end, or now; seconds: how long by then, by `clip`.",
        over=Over.END,
        states=States.NEEDED,
    ),
    FlowMetric.CYCLE_TIME: Drill(
        sentence="A finished item that was started, by `policy`, `start` and `finish`; seconds: its cycle time.",
        over=Over.WINDOW,
    ),
    FlowMetric.NEVER_STARTED: Drill(
        sentence="A finished item that never was in progress, by `policy`, `start` and `finish`.",
        over=Over.WINDOW,
    ),
    FlowMetric.INFERRED: Drill(
        sentence="A finished item that was only ever seen done, by `policy`, `start` and `finish`.",
        over=Over.WINDOW,
    ),
    FlowMetric.LEAD_TIME: Drill(
        sentence="A finished item; seconds: from its first arrival on the board to its finish.",
        over=Over.WINDOW,
    ),
    FlowMetric.FLOW_EFFICIENCY: Drill(
        sentence="A finished item that was started; seconds: how long it was worked on and did not wait. The denominator"
        " is CYCLE_TIME.",
        over=Over.WINDOW,
    ),
    FlowMetric.AGING: Drill(
        sentence="An item in progress at the window's end, or now, the oldest first; seconds: its age.",
        over=Over.END,
    ),
    FlowMetric.VALIDATED: Drill(
        sentence="A wait in `state` that a validation ended, by anybody or by `validator`; seconds: how long it was.",
        over=Over.WINDOW,
        states=States.NEEDED,
    ),
    FlowMetric.UNAPPROVED: Drill(
        sentence="A wait in `state` that ended without a validation; seconds: how long it was.",
        over=Over.WINDOW,
        states=States.NEEDED,
    ),
    FlowMetric.WAITING_FOR_VALIDATION: Drill(
        sentence="An item in `state` that waits for its validation at the window's end; seconds: how long by then.",
        over=Over.END,
        states=States.NEEDED,
    ),
    FlowMetric.QUALITY: Drill(sentence="A failure of the check `check`.", over=Over.WINDOW),
}
