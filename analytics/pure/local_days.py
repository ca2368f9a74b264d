"""How many local dates a piece of time touches, and how much of it is of working days, for many pieces in one zone."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

import numpy as np

from analytics.pure.segments import day_starts
from analytics.pure.spans import Numbers, Spans
from analytics.pure.zones import MICROSECOND, from_microseconds, local_date, to_microseconds


class Calendar(StrEnum):
    """What of the time counts. ELAPSED: all of it. WORKING: what is on local dates from Monday to Friday."""

    ELAPSED = "ELAPSED"
    WORKING = "WORKING"


class LocalDays:
    """The local dates of [start, end] in a zone. Instants are microseconds since 1970."""

    def __init__(self, *, start: datetime, end: datetime, zone: str) -> None:
        self._starts = [to_microseconds(each) for each in day_starts(start=start, end=end + MICROSECOND, zone=zone)]
        self._zone = zone
        self._ordinals: dict[int, int] = {}
        self._worked_before: list[int] = []

    def ordinal(self, instant: int) -> int:
        """The local date of an instant, as `date.toordinal` numbers it."""
        day = bisect_right(self._starts, instant) - 1
        if day not in self._ordinals:
            shown = local_date(instant=from_microseconds(self._starts[day]), zone_name=self._zone)
            self._ordinals[day] = shown.toordinal()
        return self._ordinals[day]

    def touched(self, spans: Iterable[tuple[int, int]], *, calendar: Calendar = Calendar.ELAPSED) -> int:
        """The distinct dates from the beginning to the end of each span, both included; the spans are in order."""
        count = weekdays_until if calendar is Calendar.WORKING else int
        found, last = 0, 0
        for begin, end in spans:
            first, until = max(self.ordinal(begin), last + 1), self.ordinal(end)
            found += count(until) - count(first - 1) if until >= first else 0
            last = max(last, until)
        return found

    def length(self, spans: Iterable[tuple[int, int]], *, calendar: Calendar) -> int:
        """All spans together, in microseconds: of the WORKING calendar what of them is on its days."""
        if calendar is Calendar.ELAPSED:
            return sum(end - begin for begin, end in spans)
        return sum(self._worked_until(end) - self._worked_until(begin) for begin, end in spans)

    def _worked_until(self, instant: int) -> int:
        """The time of working days from the first date on. A day of a clock change has 23 or 25 hours of it."""
        if not self._worked_before:
            self._worked_before = [0]
            for start, end in pairwise(self._starts):
                self._worked_before.append(self._worked_before[-1] + (end - start) * self._is_worked(start))
        day = bisect_right(self._starts, instant) - 1
        return self._worked_before[day] + (instant - self._starts[day]) * self._is_worked(instant)

    def _is_worked(self, instant: int) -> bool:
        ordinal = self.ordinal(instant)
        return weekdays_until(ordinal) > weekdays_until(ordinal - 1)


def weekdays_until(ordinal: int) -> int:
    """The dates from Monday to Friday up to that one; `date.toordinal` numbers from a Monday, which is 1."""
    weeks, more = divmod(ordinal, 7)
    return 5 * weeks + min(more, 5)


class DayColumns:
    """The same for many items at once, in columns; all instants lie in [start, end]."""

    def __init__(self, *, start: datetime, end: datetime, zone: str) -> None:
        days = day_starts(start=start, end=end + MICROSECOND, zone=zone)
        self._starts = np.array([to_microseconds(each) for each in days])
        self._ordinals = np.array([local_date(instant=each, zone_name=zone).toordinal() for each in days])

    def lengths(self, spans: Spans, *, calendar: Calendar) -> Numbers:
        """Of each item that has spans, all of them together, in microseconds."""
        if calendar is Calendar.ELAPSED:
            return spans.of_item(spans.end - spans.begin)
        return spans.of_item(self._worked_until(spans.end) - self._worked_until(spans.begin))

    def touched(self, spans: Spans, *, calendar: Calendar) -> Numbers:
        """Of each item that has spans, the distinct dates that they touch."""
        count = weekdays_in_column if calendar is Calendar.WORKING else np.asarray
        first, last = self._ordinals[self._day(spans.begin)], self._ordinals[self._day(spans.end)]
        seen = np.roll(last, 1)
        seen[spans.firsts] = 0
        first = np.maximum(first, seen + 1)
        return spans.of_item(np.where(last >= first, count(last) - count(first - 1), 0))

    def _day(self, instants: Numbers) -> Numbers:
        return np.searchsorted(self._starts, instants, side="right") - 1

    def _worked_until(self, instants: Numbers) -> Numbers:
        is_worked = weekdays_in_column(self._ordinals) > weekdays_in_column(self._ordinals - 1)
        before = np.append(0, np.cumsum(np.diff(self._starts) * is_worked[:-1]))
        day = self._day(instants)
        worked: Numbers = before[day] + (instants - self._starts[day]) * is_worked[day]
        return worked


def weekdays_in_column(ordinals: Numbers) -> Numbers:
    """As `weekdays_until`."""
    weeks, more = np.divmod(ordinals, 7)
    return 5 * weeks + np.minimum(more, 5)
