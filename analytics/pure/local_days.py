"""Local days and working time: how many dates spans of time touch, and how much of them is of working days."""

from datetime import datetime
from enum import StrEnum

import numpy as np

from analytics.pure.segments import day_starts
from analytics.pure.spans import Numbers, Spans
from analytics.pure.zones import MICROSECOND, local_date, to_microseconds


class Calendar(StrEnum):
    """What of the time counts. ELAPSED: all of it. WORKING: what is on local dates from Monday to Friday."""

    ELAPSED = "ELAPSED"
    WORKING = "WORKING"


class LocalDays:
    """The local dates of [start, end] in a zone, for many items at once, in columns. Instants are microseconds since 1970."""

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
        count = weekdays_until if calendar is Calendar.WORKING else np.asarray
        first, last = self._ordinals[self._day(spans.begin)], self._ordinals[self._day(spans.end)]
        seen = np.roll(last, 1)
        seen[spans.firsts] = 0
        first = np.maximum(first, seen + 1)
        return spans.of_item(np.where(last >= first, count(last) - count(first - 1), 0))

    def _day(self, instants: Numbers) -> Numbers:
        return np.searchsorted(self._starts, instants, side="right") - 1

    def _worked_until(self, instants: Numbers) -> Numbers:
        is_worked = weekdays_until(self._ordinals) > weekdays_until(self._ordinals - 1)
        before = np.append(0, np.cumsum(np.diff(self._starts) * is_worked[:-1]))
        day = self._day(instants)
        worked: Numbers = before[day] + (instants - self._starts[day]) * is_worked[day]
        return worked


def weekdays_until(ordinals: Numbers) -> Numbers:
    """The dates from Monday to Friday up to each; `date.toordinal` numbers from a Monday, which is 1."""
    weeks, more = np.divmod(ordinals, 7)
    return 5 * weeks + np.minimum(more, 5)
