"""How many local dates a piece of time touches, for many pieces in one zone."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from analytics.pure.segments import day_starts
from analytics.pure.zones import MICROSECOND, from_microseconds, local_date, to_microseconds


class LocalDays:
    """The local dates of [start, end] in a zone. Instants are microseconds since 1970."""

    def __init__(self, *, start: datetime, end: datetime, zone: str) -> None:
        self._starts = [to_microseconds(each) for each in day_starts(start=start, end=end + MICROSECOND, zone=zone)]
        self._zone = zone
        self._ordinals: dict[int, int] = {}

    def ordinal(self, instant: int) -> int:
        """The local date of an instant, as `date.toordinal` numbers it."""
        day = bisect_right(self._starts, instant) - 1
        if day not in self._ordinals:
            shown = local_date(instant=from_microseconds(self._starts[day]), zone_name=self._zone)
            self._ordinals[day] = shown.toordinal()
        return self._ordinals[day]

    def touched(self, spans: Iterable[tuple[int, int]]) -> int:
        """The distinct dates from the beginning to the end of each span, both included; the spans are in order."""
        found, last = 0, 0
        for begin, end in spans:
            first, until = max(self.ordinal(begin), last + 1), self.ordinal(end)
            found += max(until - first + 1, 0)
            last = max(last, until)
        return found
