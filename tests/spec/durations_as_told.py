"""The product's durations in the oracle's words."""

from collections.abc import Mapping
from datetime import timedelta

from analytics.flow.figures.durations import Policy as ProductsPolicy
from analytics.flow.reading import durations as product
from analytics.flow.reading.flow import FlowReading
from analytics.pure.local_days import Calendar
from analytics.pure.zones import from_microseconds
from tests.oracle.durations import Durations, Point, Policy, TimeInState


def time_in_state(reading: FlowReading, *, is_full: bool) -> dict[str, TimeInState]:
    """By slug, the states in which anything was."""
    clip = product.Clip.FULL if is_full else product.Clip.CLIP
    found = reading.durations.time_in_state(clip=clip)
    assert len({each.state.slug for each in found}) == len(found), "a state is there twice"
    return {
        each.state.slug: TimeInState(
            visits=each.visits,
            total=each.total,
            p50=each.p50,
            p85=each.p85,
            p95=each.p95,
            longest=each.longest,
            ongoing_visits=each.ongoing_visits,
            ongoing=each.ongoing,
        )
        for each in found
        if each.visits or each.ongoing_visits
    }


CALENDARS = (Calendar.ELAPSED, Calendar.WORKING)


def cycle_time(
    reading: FlowReading,
    *,
    policy: Policy,
    start: str | None,
    finish: str | None,
    calendar: Calendar,
    items: Mapping[str, str],
) -> Durations:
    """`items` has the names of items by their keys."""
    policy_asked = ProductsPolicy(policy.value)
    found = reading.durations.cycle_time(policy=policy_asked, start=start, finish=finish, calendar=calendar)
    return as_told(found, items=items)


def as_told(found: product.DurationSummary, *, items: Mapping[str, str]) -> Durations:
    """The points in the order in which the oracle has them: that of the history's items."""
    order = list(items.values())
    points = [
        Point(
            item=items[point.key],
            started_at=from_microseconds(point.started_at),
            finished_at=from_microseconds(point.finished_at),
            duration=timedelta(microseconds=point.length),
            days=point.days,
            episodes=point.episodes,
            flags=tuple(point.flags),
        )
        for point in found.points()
    ]
    ordered = sorted(points, key=lambda point: order.index(point.item))
    return Durations(points=tuple(ordered), never_started=found.never_started, inferred=found.inferred)
