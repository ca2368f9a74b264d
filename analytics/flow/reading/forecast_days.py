"""Forecast days: the whole days of a window, the past that a forecast draws from."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from analytics.pure import windows
from analytics.pure.windows import Window
from analytics.pure.zones import ONE_DAY, first_instant, local_date

LONGEST: Final = timedelta(days=3_650)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDays:
    """Local days that are over and known, by their edges, one more than there are days; none: no edges.

    `first_day` is the date at which a forecast begins: of the day that is running, or else the one after the window.
    """

    edges: Sequence[datetime]
    first_day: date

    @property
    def count(self) -> int:
        """How many days."""
        return max(len(self.edges) - 1, 0)


def past_days(*, window: Window, recorded_since: datetime | None, known_at: datetime | None, now: datetime) -> PastDays:
    """The window's whole days that were over at now and at knownAt; days that end before all records are not known."""
    over = min(window.end, now, known_at or now)
    first_day = local_date(instant=over, zone_name=window.zone)
    end = first_instant(day=first_day, zone_name=window.zone)
    start = _next_midnight(max(window.start, end - LONGEST), window.zone)
    if recorded_since is None or start >= end:
        return PastDays(edges=(), first_day=first_day)
    edges = windows.between(start=start, end=end, zone=window.zone, bucket=windows.Bucket.DAY, now=now).edges
    known = edges[max(bisect_right(edges, recorded_since) - 1, 0) :]
    return PastDays(edges=known, first_day=first_day)


def _next_midnight(instant: datetime, zone: str) -> datetime:
    """That instant where a local day begins then, else where the next one does."""
    day = local_date(instant=instant, zone_name=zone)
    begun = first_instant(day=day, zone_name=zone)
    return begun if begun >= instant else first_instant(day=day + ONE_DAY, zone_name=zone)
