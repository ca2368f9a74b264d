"""What the figures cost: rows that a tenant of ordinary size would have read for them, told from the window and bucket alone.

The estimate comes before anything is read, so it knows the question and not the tenant. analytics/windows has the other one,
which decides what becomes a job.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analytics.pure.windows import MOST_AUTO_BUCKETS, MOST_BUCKETS, Bucket, Unit

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
FREE = frozenset({"window", "receipt", "states", "__typename"})
# Read from the rollups, bucket by bucket. The other figures follow items one by one.
BY_BUCKET = frozenset({"cumulativeFlow", "throughput", "workInProgress", "transitions"})
BOARD_ROWS = 5_000


def figure_rows(name: str, _arguments: Mapping[str, Any], asked: Mapping[str, Any]) -> int:
    """Rows of one field of Analytics; `asked` are the arguments of `analytics`."""
    if name in FREE:
        return 0
    seconds = _seconds(asked.get("window") or {})
    buckets = _buckets(seconds, asked.get("bucket"))
    items = 0 if name in BY_BUCKET and not asked.get("filter") else -(-seconds // DAY) * ITEMS_A_DAY
    return FIGURE_ROWS + buckets * STATES + items


def board_rows(_name: str, _arguments: Mapping[str, Any], _asked: Mapping[str, Any]) -> int:
    """Rows of one field of Board, which is a replay of its project."""
    return BOARD_ROWS


PRICES = {"Analytics": figure_rows, "Board": board_rows}


def _seconds(window: Mapping[str, Any]) -> int:
    """How long the window is. One that will be refused may have any length but a negative one."""
    rolling, between = window.get("rolling"), window.get("between")
    if rolling:
        return max(0, int(rolling["count"])) * SECONDS[Unit(rolling["unit"]).value]
    if between and isinstance(between["from"], datetime) and isinstance(between["to"], datetime):
        return max(0, int((between["to"] - between["from"]).total_seconds()))
    return 0


def _buckets(seconds: int, bucket: Bucket | None) -> int:
    name = (bucket or Bucket.AUTO).value
    return MOST_AUTO_BUCKETS if name == "AUTO" else min(MOST_BUCKETS, -(-seconds // SECONDS[name]))
