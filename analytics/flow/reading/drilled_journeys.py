"""The items of the figures of durations: which finished, and from which ledger row to which each of their times was."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from analytics.flow.drills import FlowMetric
from analytics.flow.figures import durations as pure
from analytics.flow.figures.durations import NOWHERE, Journey, Level, Span
from analytics.flow.reading.drill_result import DrilledEdge, DrillQuestion, Interval, ListedDrillDown, in_order
from analytics.flow.reading.durations import Durations
from analytics.flow.replay.drilling import JOURNEYS, Place
from analytics.pure.local_days import LocalDays
from analytics.pure.zones import MICROSECOND, from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True)
class Told:
    """A journey with the ledger rows of its steps, that of the finish last."""

    journey: Journey
    seqs: Sequence[int]


def drilled_journeys(*, durations: Durations, asked: DrillQuestion, begin: int, end: int) -> ListedDrillDown:
    """One edge for each item that the figure counts and that finished in [begin, end); PairError as the figure has it."""
    found = [told for told in _told(durations, asked) if begin <= told.journey.finish < end]
    chosen = [(told, way) for told in found if (way := WAYS[asked.metric](told.journey, asked)) is not None]
    lengths = _lengths(durations, asked, [(told.journey, [each.span for each in way]) for told, way in chosen])
    edges = [_edge(told, way, length) for (told, way), length in zip(chosen, lengths, strict=True)]
    return ListedDrillDown(edges=sorted(edges, key=lambda edge: in_order(edge.place)))


def _told(durations: Durations, asked: DrillQuestion) -> list[Told]:
    is_pair = asked.metric in OF_PAIRS
    eras, done = durations.stages(asked.start if is_pair else None, asked.finish if is_pair else None)
    window = durations.frame.window
    rows = durations.source.rows(JOURNEYS, values={"done": sorted(done), "from": window.start})
    seqs: dict[int, list[int]] = {}
    for task, *_, seq in rows:
        seqs.setdefault(task, []).append(seq)
    found = pure.journeys(
        rows=[(task, state, at, counted) for task, state, at, counted, _ in rows],
        done=done,
        eras=eras,
        begin=to_microseconds(window.start),
    )
    return [Told(journey, seqs[journey.task_id][: len(journey.instants) + 1]) for journey in found]


class Stretch(NamedTuple):
    """A span, and the numbers of the steps that began and ended it."""

    span: Span
    first: int
    last: int


Way = Sequence[Stretch]


def _cycle(journey: Journey, asked: DrillQuestion) -> Way | None:
    spans = pure.spans(journey, policy=asked.policy)
    return [Stretch(span, first := _beginning(journey, span), _ending(journey, span, first)) for span in spans] or None


def _never_started(journey: Journey, asked: DrillQuestion) -> Way | None:
    return None if pure.spans(journey, policy=asked.policy) or journey.is_inferred else ()


def _inferred(journey: Journey, asked: DrillQuestion) -> Way | None:
    return () if journey.is_inferred and not pure.spans(journey, policy=asked.policy) else None


def _lead(journey: Journey, asked: DrillQuestion) -> Way | None:
    last = len(journey.instants)
    first = next((number for number, its in enumerate(journey.meanings) if its != NOWHERE), last)
    return [Stretch(Span(journey.created, journey.finish), first, last)]


def _active(journey: Journey, asked: DrillQuestion) -> Way | None:
    if journey.first_start is None:
        return None
    steps = enumerate(journey.steps())
    return [Stretch(Span(at, until), number, number + 1) for number, (at, until, its) in steps if its.active]


# Which stretches of its journey an item is in the figure with; None: it is not in it.
WAYS: Mapping[FlowMetric, Callable[[Journey, DrillQuestion], Way | None]] = {
    FlowMetric.CYCLE_TIME: _cycle,
    FlowMetric.NEVER_STARTED: _never_started,
    FlowMetric.INFERRED: _inferred,
    FlowMetric.LEAD_TIME: _lead,
    FlowMetric.FLOW_EFFICIENCY: _active,
}
OF_PAIRS = frozenset({FlowMetric.CYCLE_TIME, FlowMetric.NEVER_STARTED, FlowMetric.INFERRED})
OF_CALENDARS = frozenset({FlowMetric.CYCLE_TIME, FlowMetric.LEAD_TIME})
WITHOUT_TIME = frozenset({FlowMetric.NEVER_STARTED, FlowMetric.INFERRED})


def _lengths(
    durations: Durations, asked: DrillQuestion, found: Sequence[tuple[Journey, Sequence[Span]]]
) -> Sequence[int | None]:
    """In microseconds, by the calendar where the figure has one."""
    if asked.metric in WITHOUT_TIME or not found:
        return [None] * len(found)
    if asked.metric not in OF_CALENDARS:
        return [sum(span.length for span in spans) for _, spans in found]
    days = LocalDays(
        start=from_microseconds(min(spans[0].begin for _, spans in found)),
        end=from_microseconds(max(journey.finish for journey, _ in found)),
        zone=durations.frame.window.zone,
    )
    return [days.length(spans, calendar=asked.calendar) for _, spans in found]


def _edge(told: Told, way: Way, length: int | None) -> DrilledEdge:
    journey = told.journey
    place = Place(happened_at=from_microseconds(journey.finish), seq=told.seqs[-1], task_id=journey.task_id)
    return DrilledEdge(
        task_id=journey.task_id,
        place=place,
        length=None if length is None else length * MICROSECOND,
        intervals=[_interval(told, stretch) for stretch in way],
    )


def _interval(told: Told, stretch: Stretch) -> Interval:
    return Interval(
        begin=from_microseconds(stretch.span.begin),
        end=from_microseconds(stretch.span.end),
        begin_seq=told.seqs[stretch.first],
        end_seq=told.seqs[stretch.last],
    )


def _beginning(journey: Journey, span: Span) -> int:
    """The step at that instant that is work, or else the last one: a start that was skipped is with what came next."""
    instants = (*journey.instants, journey.finish)
    first = bisect_left(instants, span.begin)
    at_once = [number for number in range(first, len(instants)) if instants[number] == span.begin]
    works = [n for n in at_once if n < len(journey.meanings) and journey.meanings[n].level is Level.STARTED]
    return works[0] if works else at_once[-1]


def _ending(journey: Journey, span: Span, begin: int) -> int:
    """The first step from there on at the span's end that is no work, the finish if there is none."""
    steps = enumerate(zip(journey.instants, journey.meanings, strict=True))
    later = (n for n, (at, its) in steps if n >= begin and at == span.end and its.level is not Level.STARTED)
    return next(later, len(journey.instants))
