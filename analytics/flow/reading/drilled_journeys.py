"""Drill-down of cycle time, lead time and flow efficiency: finished items, and the ledger rows that bound their times."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from analytics.flow.drills import FlowMetric
from analytics.flow.figures.durations import Level
from analytics.flow.figures.journeys import Journeys, journeys, spans
from analytics.flow.reading.drill_result import DrilledEdge, DrillQuestion, Interval, ListedDrillDown, in_order
from analytics.flow.reading.durations import Durations
from analytics.flow.replay.drilling import JOURNEYS, Place, told_entries
from analytics.pure.local_days import Calendar
from analytics.pure.spans import Marks, Numbers, Spans
from analytics.pure.zones import MICROSECOND, from_microseconds, to_microseconds


class Stretches(NamedTuple):
    """Pieces of the items' times, and the numbers of the entries that began and ended them."""

    spans: Spans
    first: Numbers
    last: Numbers

    def of_items(self, items: Numbers) -> "Stretches":
        """Those of these items alone."""
        kept = np.isin(self.spans.item, items)
        return Stretches(Spans(*(column[kept] for column in self.spans)), self.first[kept], self.last[kept])


# The items that a figure counts, and the stretches of their journeys that it takes.
Way = tuple[Numbers, Stretches]


def drilled_journeys(*, durations: Durations, asked: DrillQuestion, begin: int, end: int) -> ListedDrillDown:
    """One edge for each item that the figure counts and that finished in [begin, end); PairError as the figure has it."""
    found, seqs = _read(durations, asked)
    items, stretches = WAYS[asked.metric](found, asked)
    chosen = items[(found.finish[items] >= begin) & (found.finish[items] < end)]
    taken = stretches.of_items(chosen)
    intervals, lengths = _intervals(taken, seqs), _lengths(durations, asked, found, taken)
    edges = [
        DrilledEdge(
            task_id=int(found.tasks[item]),
            place=_place(found, seqs, item),
            length=None if asked.metric in WITHOUT_TIME else lengths.get(item, 0) * MICROSECOND,
            intervals=intervals.get(item, ()),
        )
        for item in chosen.tolist()
    ]
    return ListedDrillDown(edges=sorted(edges, key=lambda edge: in_order(edge.place)))


def _read(durations: Durations, asked: DrillQuestion) -> tuple[Journeys, Sequence[int]]:
    """The journeys, and of each entry its ledger row."""
    is_pair = asked.metric in OF_PAIRS
    eras, done = durations.cycle_states(asked.start if is_pair else None, asked.finish if is_pair else None)
    begin = durations.frame.window.start
    entries, seqs = told_entries(durations.source.rows(JOURNEYS, values={"done": sorted(done), "from": begin}))
    return journeys(entries=entries, done=done, eras=eras, begin=to_microseconds(begin)), seqs


def _cycle(found: Journeys, asked: DrillQuestion) -> Way:
    its = spans(found, policy=asked.policy)
    return its.item[its.firsts], _bounded(found, its)


def _never_started(found: Journeys, asked: DrillQuestion) -> Way:
    return np.flatnonzero(_untimed(found, asked) & ~found.inferred), NO_STRETCHES


def _inferred(found: Journeys, asked: DrillQuestion) -> Way:
    return np.flatnonzero(_untimed(found, asked) & found.inferred), NO_STRETCHES


def _untimed(found: Journeys, asked: DrillQuestion) -> Marks:
    untimed = np.ones(len(found.tasks), dtype=bool)
    untimed[spans(found, policy=asked.policy).item] = False
    return untimed


def _lead(found: Journeys, asked: DrillQuestion) -> Way:
    arrival = found.first(found.known)
    entries = np.append(found.entry, 0)[arrival]
    first = np.where(arrival >= 0, entries, found.finish_entry)
    return np.arange(len(found.tasks)), Stretches(found.lifetimes, first, found.finish_entry)


def _active(found: Journeys, asked: DrillQuestion) -> Way:
    active, entry = found.active, found.entry[found.active]
    stretches = Stretches(Spans(found.item[active], found.at[active], found.until[active]), entry, entry + 1)
    return np.flatnonzero(found.first_start >= 0), stretches


WAYS: Mapping[FlowMetric, Callable[[Journeys, DrillQuestion], Way]] = {
    FlowMetric.CYCLE_TIME: _cycle,
    FlowMetric.NEVER_STARTED: _never_started,
    FlowMetric.INFERRED: _inferred,
    FlowMetric.LEAD_TIME: _lead,
    FlowMetric.FLOW_EFFICIENCY: _active,
}
OF_PAIRS = frozenset({FlowMetric.CYCLE_TIME, FlowMetric.NEVER_STARTED, FlowMetric.INFERRED})
OF_CALENDARS = frozenset({FlowMetric.CYCLE_TIME, FlowMetric.LEAD_TIME})
WITHOUT_TIME = frozenset({FlowMetric.NEVER_STARTED, FlowMetric.INFERRED})
NOTHING = np.array([], dtype=np.int64)
NO_STRETCHES = Stretches(Spans(NOTHING, NOTHING, NOTHING), NOTHING, NOTHING)


def _lengths(durations: Durations, asked: DrillQuestion, found: Journeys, taken: Stretches) -> Mapping[int, int]:
    """By item in microseconds, by the calendar where the figure has one."""
    its = taken.spans
    calendar = asked.calendar if asked.metric in OF_CALENDARS else Calendar.ELAPSED
    lengths = durations.days(found, its).lengths(its, calendar=calendar)
    return dict(zip(its.item[its.firsts].tolist(), lengths.tolist(), strict=True))


def _place(found: Journeys, seqs: Sequence[int], item: int) -> Place:
    return Place(
        happened_at=from_microseconds(int(found.finish[item])),
        seq=seqs[found.finish_entry[item]],
        task_id=int(found.tasks[item]),
    )


def _intervals(taken: Stretches, seqs: Sequence[int]) -> Mapping[int, Sequence[Interval]]:
    intervals: dict[int, list[Interval]] = defaultdict(list)
    columns = (*taken.spans, taken.first, taken.last)
    for item, begin, end, first, last in zip(*(column.tolist() for column in columns), strict=True):
        interval = Interval(
            begin=from_microseconds(begin), end=from_microseconds(end), begin_seq=seqs[first], end_seq=seqs[last]
        )
        intervals[item].append(interval)
    return intervals


def _bounded(found: Journeys, its: Spans) -> Stretches:
    """The spans with the entries that bound them."""
    steps_of = np.searchsorted(found.item, np.arange(len(found.tasks) + 1)).tolist()
    steps = list(zip(found.at.tolist(), (found.level == Level.STARTED).tolist(), found.entry.tolist(), strict=True))
    finishes = list(zip(found.finish.tolist(), found.finish_entry.tolist(), strict=True))
    bounds = []
    for item, begin, end in zip(*(column.tolist() for column in its), strict=True):
        finished_at, finish_entry = finishes[item]
        whole = [*steps[steps_of[item] : steps_of[item + 1]], (finished_at, False, finish_entry)]
        bounds.append(_bounds(whole, begin=begin, end=end))
    first, last = (np.array([pair[side] for pair in bounds], dtype=np.int64) for side in (0, 1))
    return Stretches(its, first, last)


def _bounds(steps: Sequence[tuple[int, bool, int]], *, begin: int, end: int) -> tuple[int, int]:
    """The entries that begin and end a span. A step is its instant, whether it is work, and its entry; the finish comes last.

    The span begins with the step at that instant that is work, or else with the last one there: a start that was skipped is
    with what came next. It ends with the first step from there on at its end that is no work, with the finish if none is.
    """
    at_once = [(works, entry) for at, works, entry in steps if at == begin]
    first = next((entry for works, entry in at_once if works), at_once[-1][1])
    ends = (entry for at, works, entry in steps if entry >= first and at == end and not works)
    return first, next(ends, steps[-1][2])
