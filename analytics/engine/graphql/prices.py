"""Prices of figures: rows that a tenant of ordinary size would have read for them, told from the window and bucket alone.

The price comes before anything is read, so it knows the question and not the tenant. analytics.engine.reading.costs has the
other estimate, which decides what becomes a job.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from analytics.engine.figure import Metric
from analytics.pure.windows import MOST_AUTO_BUCKETS, MOST_BUCKETS, Bucket, Unit
from tasks_app.http.costs import Price

DAY = 86_400
SECONDS: Mapping[str, int] = {
    "MINUTE": 60,
    "FIVE_MINUTES": 300,
    "HOUR": 3_600,
    "DAY": DAY,
    "WEEK": 7 * DAY,
    "MONTH": 30 * DAY,
    "QUARTER": 91 * DAY,
}
# An ordinary tenant: states of its boards together, items that something happens to on a day.
STATES = 10
ITEMS_A_DAY = 50
# What a figure takes however short the window is.
FIGURE_ROWS = 500


def free(_asked: Mapping[str, Any]) -> int:
    """Of what is read anyway."""
    return 0


def by_bucket(asked: Mapping[str, Any]) -> int:
    """Of figures that rollups answer bucket by bucket; a filter makes them follow items one by one."""
    return by_item(asked) if asked.get("filter") else FIGURE_ROWS + _buckets(asked) * STATES


def by_item(asked: Mapping[str, Any]) -> int:
    """Of figures that follow items one by one. `asked` are the arguments of the field that has the window."""
    days = -(-_seconds(asked.get("window") or {}) // DAY)
    return FIGURE_ROWS + _buckets(asked) * STATES + days * ITEMS_A_DAY


def prices_of(metrics: Iterable[Metric]) -> Price:
    """Of the fields of a type that has these figures; whatever else it has is free."""
    by_name = {metric.name: metric.price for metric in metrics}
    return lambda name, _arguments, asked: by_name.get(name, free)(asked)


def each_costs(metric: Metric) -> Price:
    """Of the fields of a type of which each reads the whole of the metric."""
    return lambda _name, _arguments, asked: metric.price(asked)


def _seconds(window: Mapping[str, Any]) -> int:
    """How long the window is. One that will be refused may have any length but a negative one."""
    rolling, between = window.get("rolling"), window.get("between")
    if rolling:
        return max(0, int(rolling["count"])) * SECONDS[Unit(rolling["unit"]).value]
    if between and isinstance(between["from"], datetime) and isinstance(between["to"], datetime):
        return max(0, int((between["to"] - between["from"]).total_seconds()))
    return 0


def _buckets(asked: Mapping[str, Any]) -> int:
    name = (asked.get("bucket") or Bucket.AUTO).value
    seconds = _seconds(asked.get("window") or {})
    return MOST_AUTO_BUCKETS if name == "AUTO" else min(MOST_BUCKETS, -(-seconds // SECONDS[name]))
