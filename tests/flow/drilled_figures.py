"""Every number of an answer with the drill-down that explains it: what the property tests compare."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from analytics.flow.drills import DRILLS, FlowMetric, Over
from analytics.flow.figures.durations import Policy
from analytics.flow.figures.start_and_finish import PairError
from analytics.flow.reading.drill_result import DrilledEdge, DrillError, DrillQuestion, Side
from analytics.flow.reading.durations import Clip, DurationSummary
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.results import FlowMode
from analytics.flow.replay.drilling import Slice
from analytics.pure.local_days import Calendar

ALL = 10_000
WITHIN = timedelta(days=3)
PAIRS = ((None, None), ("doing", "done"), ("review", None), (None, "done"))
Edges = Sequence[DrilledEdge]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A number of the answer: `number` None for one that is null there. `told` are more figures that the edges must give."""

    asked: DrillQuestion
    number: int | None
    told: Callable[[Edges], Any] | None = None
    wanted: Any = None


def explained(reading: FlowReading) -> Iterator[Explained]:
    """All of them: each metric, of each bucket and of the window, of each state, edge, check, policy and validator."""
    for part in (flows, throughput, transitions, churned, in_states, finished, aged, validated, checked):
        yield from part(reading)


def differences(reading: FlowReading) -> list[str]:
    """One sentence for each number that its drill-down does not explain. Of a null there must be none."""
    return [line for each in explained(reading) for line in unlike(reading, each)]


def unlike(reading: FlowReading, each: Explained) -> list[str]:
    """What is wrong with one number's drill-down."""
    try:
        found = reading.drill_down(each.asked)
    except DrillError as error:
        return [] if each.number is None else [f"{each.asked}: {error}, instead of {each.number}"]
    edges = found.read(Slice(limit=ALL))
    count = found.count()
    if count != each.number or len(edges) != count or sum(found.by_item().values()) != count:
        return [f"{each.asked}: {count}, {len(edges)} edges, {found.by_item()}, instead of {each.number}"]
    told = each.told(edges) if each.told else each.wanted
    return [] if told == each.wanted else [f"{each.asked}: {told} instead of {each.wanted}"]


def per_bucket(
    reading: FlowReading, metric: FlowMetric, values: Sequence[int | None], **state: Any
) -> Iterator[Explained]:
    """The numbers of one series, and that of the window: the last known one of a stock, else all known ones together."""
    asked = DrillQuestion(metric=metric, **state)
    for start, value in zip(reading.window.starts, values, strict=True):
        yield Explained(asked=replace(asked, bucket=start), number=value)
    known = [value for value, is_known in zip(values, reading.frame.known, strict=True) if is_known]
    if DRILLS[metric].over is Over.STOCK:
        yield Explained(asked=asked, number=known[-1] if known else None)
    elif DRILLS[metric].over is Over.SERIES:
        yield Explained(asked=asked, number=sum(value or 0 for value in known) if known else None)


def flows(reading: FlowReading) -> Iterator[Explained]:
    """The two diagrams, and the corrections."""
    occupancy = reading.cumulative_flow(mode=FlowMode.OCCUPANCY)
    yield from per_bucket(reading, FlowMetric.WORK_IN_PROGRESS, reading.work_in_progress())
    for metric, mode in ((FlowMetric.OCCUPANCY, FlowMode.OCCUPANCY), (FlowMetric.CUMULATIVE, FlowMode.CUMULATIVE)):
        for series in reading.cumulative_flow(mode=mode).series:
            yield from per_bucket(reading, metric, series.counts, state=series.state.slug)
    yield from per_bucket(reading, FlowMetric.ARRIVALS, occupancy.arrivals)
    yield from per_bucket(reading, FlowMetric.DEPARTURES, occupancy.departures)
    yield from per_bucket(reading, FlowMetric.LEFT, occupancy.left)
    yield from per_bucket(reading, FlowMetric.DISCARDED, occupancy.discarded)
    windows = sorted((each.item.task_id, each.begin, each.end) for each in occupancy.correction_windows)
    yield Explained(
        asked=DrillQuestion(metric=FlowMetric.CORRECTION_WINDOWS),
        number=len(windows) if reading.question.holds_items else None,
        told=_stretches,
        wanted=windows,
    )


def _stretches(edges: Edges) -> list[tuple[int, datetime, datetime | None]]:
    spans = [(edge, edge.intervals[0]) for edge in edges]
    return sorted((edge.task_id, span.begin, span.end if span.end_seq else None) for edge, span in spans)


def throughput(reading: FlowReading) -> Iterator[Explained]:
    """What finished and what was cancelled."""
    found = reading.throughput()
    yield from per_bucket(reading, FlowMetric.FINISHED, found.finished)
    yield from per_bucket(reading, FlowMetric.FINISH_EVENTS, found.finish_events)
    yield from per_bucket(reading, FlowMetric.CANCELLED, found.cancelled)


def transitions(reading: FlowReading) -> Iterator[Explained]:
    """The state graph, edges that are not there included."""
    edges = {(_slug(each.before), _slug(each.after)): each for each in reading.transitions()}
    slugs: list[str | Side] = [Side.NOWHERE, *(states[0].slug for states in reading._defined.every_state)]
    for before, after in product(slugs, slugs):
        edge = edges.get((before, after))
        yield Explained(
            asked=DrillQuestion(metric=FlowMetric.TRANSITIONS, from_state=before, state=after),
            number=edge.count if edge else 0,
            told=_median,
            wanted=edge.median if edge else None,
        )
    total = sum(each.count for each in edges.values())
    yield from adding_up(reading, DrillQuestion(metric=FlowMetric.TRANSITIONS), total)


def adding_up(reading: FlowReading, asked: DrillQuestion, total: int) -> Iterator[Explained]:
    """The number of the window; where all of its buckets are known, theirs come to the same."""
    yield Explained(asked=asked, number=total)
    if all(reading.frame.known):
        parts = [reading.drill_down(replace(asked, bucket=start)) for start in reading.window.starts]
        assert sum(part.count() for part in parts) == total, asked


def _slug(state: Any) -> str | Side:
    return state.slug if state else Side.NOWHERE


def _lengths(edges: Edges) -> list[timedelta]:
    return sorted(edge.length for edge in edges if edge.length is not None)


def percentile(lengths: Sequence[timedelta], percent: int) -> timedelta | None:
    """Nearest rank, of observed ones."""
    return lengths[max(-(-percent * len(lengths) // 100), 1) - 1] if lengths else None


def _median(edges: Edges) -> timedelta | None:
    return percentile(_lengths(edges), 50)


def churned(reading: FlowReading) -> Iterator[Explained]:
    """What came back, was given up, or went through."""
    found = reading.churn(within=WITHIN)
    yield from per_bucket(reading, FlowMetric.BACKFLOW, found.reverts)
    counts = {
        FlowMetric.BACKFLOW: found.backflow,
        FlowMetric.REOPENED: found.reopened,
        FlowMetric.ABANDONED: found.abandoned,
        FlowMetric.REVERTED_ITEMS: found.reverted_items,
        FlowMetric.STARTED_ITEMS: found.started_items,
        FlowMetric.FINISHED_STRAIGHT: found.finished_straight,
    }
    for metric, number in counts.items():
        yield from adding_up(reading, DrillQuestion(metric=metric, within=WITHIN), number)
    for edge in found.edges:
        asked = DrillQuestion(metric=FlowMetric.BACKFLOW, from_state=_slug(edge.before), state=_slug(edge.after))
        yield Explained(asked=asked, number=edge.count, told=_median, wanted=edge.median)


def in_states(reading: FlowReading) -> Iterator[Explained]:
    """Visits, closed and ongoing, and how long they were."""
    holds_items = reading.question.holds_items
    for clip in Clip:
        for each in reading.durations.time_in_state(clip=clip):
            asked = DrillQuestion(metric=FlowMetric.VISITS, state=each.state.slug, clip=clip)
            yield from adding_up(reading, asked, each.visits)
            wanted = (each.total, each.p50, each.p85, each.p95, each.longest)
            yield Explained(asked=asked, number=each.visits, told=_summary, wanted=wanted)
            yield Explained(
                asked=replace(asked, metric=FlowMetric.ONGOING_VISITS),
                number=each.ongoing_visits if holds_items else None,
                told=_total,
                wanted=each.ongoing,
            )


def _total(edges: Edges) -> timedelta:
    return sum(_lengths(edges), timedelta(0))


def _summary(edges: Edges) -> tuple:
    lengths = _lengths(edges)
    return (_total(edges), *(percentile(lengths, each) for each in (50, 85, 95)), max(lengths, default=None))


def finished(reading: FlowReading) -> Iterator[Explained]:
    """What finished, and how long it took."""
    durations = reading.durations
    for calendar in Calendar:
        lead = DrillQuestion(metric=FlowMetric.LEAD_TIME, calendar=calendar)
        yield from summed(reading, lead, durations.lead_time(calendar=calendar))
    for policy, (start, finish), calendar in product(Policy, PAIRS, Calendar):
        asked = DrillQuestion(
            metric=FlowMetric.CYCLE_TIME, policy=policy, start=start, finish=finish, calendar=calendar
        )
        try:
            cycles = durations.cycle_time(policy=policy, start=start, finish=finish, calendar=calendar)
        except PairError:
            continue
        yield from summed(reading, asked, cycles)
        yield Explained(asked=replace(asked, metric=FlowMetric.NEVER_STARTED), number=cycles.never_started)
        yield Explained(asked=replace(asked, metric=FlowMetric.INFERRED), number=cycles.inferred)
    ratio = durations.flow_efficiency()
    started = durations.cycle_time(policy=Policy.FIRST_START_LAST_FINISH, start=None, finish=None).items
    asked = DrillQuestion(metric=FlowMetric.FLOW_EFFICIENCY)
    yield Explained(asked=asked, number=started, told=_total, wanted=ratio.numerator)
    asked = DrillQuestion(metric=FlowMetric.CYCLE_TIME)
    yield Explained(asked=asked, number=started, told=_total, wanted=ratio.denominator)


def summed(reading: FlowReading, asked: DrillQuestion, found: DurationSummary) -> Iterator[Explained]:
    """The items of a summary, and its percentiles made again of theirs."""
    yield from adding_up(reading, asked, found.items)
    wanted = [found.percentile(each) for each in (50, 85, 95)]
    yield Explained(
        asked=asked,
        number=found.items,
        told=lambda edges: [percentile(_lengths(edges), each) for each in (50, 85, 95)],
        wanted=wanted,
    )


def aged(reading: FlowReading) -> Iterator[Explained]:
    """Items in progress at the end."""
    ages = sorted((each.item.task_id, each.age.age) for each in reading.aging())
    yield Explained(
        asked=DrillQuestion(metric=FlowMetric.AGING),
        number=len(ages) if reading.question.holds_items else None,
        told=lambda edges: sorted((edge.task_id, edge.length) for edge in edges),
        wanted=ages,
    )


def validated(reading: FlowReading) -> Iterator[Explained]:
    """Waits, by how they ended, and by whom."""
    for each in reading.validation():
        asked = DrillQuestion(metric=FlowMetric.VALIDATED, state=each.state.slug, validator_id=each.validator)
        yield from adding_up(reading, asked, each.validated)
        if each.validator is None:
            yield from adding_up(reading, replace(asked, metric=FlowMetric.UNAPPROVED), each.unapproved)
            waiting = each.waiting if reading.question.holds_items else None
            yield Explained(asked=replace(asked, metric=FlowMetric.WAITING_FOR_VALIDATION), number=waiting)


def checked(reading: FlowReading) -> Iterator[Explained]:
    """Failures of the checks of quality."""
    for check in reading.data_quality().checks:
        asked = DrillQuestion(metric=FlowMetric.QUALITY, check=check.code)
        yield from adding_up(reading, asked, check.failures)
