"""Canonical form of durations, of which digests are taken.

There are many points: they go by column, in whole microseconds, and flags by the places of their points.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from analytics.flow.reading.canonical import state
from analytics.flow.reading.durations import DurationSummary, Ratio, TimeInState

COLUMNS = {
    "tasks": "identity",
    "startedAtMicroseconds": "started_at",
    "finishedAtMicroseconds": "finished_at",
    "microseconds": "length",
    "days": "days",
    "episodes": "episodes",
}
FLAGS = ("LEFT_THE_BOARD", "RETURNED_TO_TODO")


def time_in_state(found: Sequence[TimeInState]) -> list[dict[str, Any]]:
    """The states in their order."""
    return [
        {
            "state": state(each.state),
            "visits": each.visits,
            "totalMicroseconds": each.total,
            "meanMicroseconds": each.mean,
            "percentiles": each.method.value,
            "p50Microseconds": each.p50,
            "p85Microseconds": each.p85,
            "p95Microseconds": each.p95,
            "maxMicroseconds": each.longest,
            "ongoingVisits": each.ongoing_visits,
            "ongoingMicroseconds": each.ongoing,
        }
        for each in found
    ]


def summary(found: DurationSummary) -> dict[str, Any]:
    """The points with what follows from them. By what is the same in every database: keys follow the order of import."""
    points = sorted(found.points(), key=lambda point: (point.finished_at, point.identity))
    return {
        "policy": found.policy.value if found.policy else None,
        "calendar": found.calendar.value,
        "items": len(points),
        "neverStarted": found.never_started,
        "inferred": found.inferred,
        "meanMicroseconds": found.mean(),
        "percentiles": found.method.value,
        **{f"p{percent}Microseconds": found.percentile(percent) for percent in (50, 85, 95)},
        **{f"p{percent}Days": found.percentile_of_days(percent) for percent in (50, 85, 95)},
        "points": {name: list(map(attrgetter(field), points)) for name, field in COLUMNS.items()},
        "flagged": {flag: [number for number, point in enumerate(points) if flag in point.flags] for flag in FLAGS},
    }


def ratio(found: Ratio) -> dict[str, Any]:
    """The parts; the value follows from them."""
    return {
        "status": found.status.value,
        "numeratorMicroseconds": found.numerator,
        "denominatorMicroseconds": found.denominator,
    }
