"""Bucket edges: steps of a clock (minutes, hours) and steps of a calendar (days to quarters).

Both kinds say how many buckets a span has before any is made.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import chain

from analytics.pure.zones import (
    MICROSECOND,
    ONE_DAY,
    OffsetRun,
    first_instant,
    from_microseconds,
    local_date,
    offset_runs,
    skipped_dates,
    to_microseconds,
)


@dataclass(frozen=True)
class Span:
    """A half-open piece of time in a zone, with the month in which its fiscal year begins."""

    start: datetime
    end: datetime
    zone: str
    fiscal_year_start_month: int

    @cached_property
    def runs(self) -> tuple[OffsetRun, ...]:
        """The span cut at every change of the zone's offset."""
        return offset_runs(start=self.start, end=self.end, zone_name=self.zone)


@dataclass(frozen=True)
class ClockSteps:
    """Steps that follow the local clock. A change of offset ends one bucket and begins another."""

    runs: tuple[OffsetRun, ...]
    width: int

    @property
    def count(self) -> int:
        """How many buckets the span has, exactly."""
        return sum(len(_aligned(run, self.width)) + len(_leading(run, self.width)) for run in self.runs)

    def starts(self) -> tuple[datetime, ...]:
        """The first instant of every bucket; the first is the span's own start."""
        edges = ((*_leading(run, self.width), *_aligned(run, self.width)) for run in self.runs)
        return tuple(map(from_microseconds, chain.from_iterable(edges)))

    def start_from_end(self, count: int) -> datetime:
        """The start of the bucket that has `count` - 1 buckets after it."""
        left = count
        for run in reversed(self.runs):
            edges = _aligned(run, self.width)
            if left <= len(edges):
                return from_microseconds(edges[-left])
            left -= len(edges) + len(_leading(run, self.width))
            if left <= 0:
                return from_microseconds(run.start)
        raise IndexError(f"The span has fewer than {count} buckets.")


@dataclass(frozen=True)
class CalendarSteps:
    """Steps that begin at local midnights."""

    span: Span
    days: tuple[date, ...]

    @property
    def count(self) -> int:
        """How many buckets the span has, exactly."""
        return len(self.days)

    def starts(self) -> tuple[datetime, ...]:
        """The first instant of every bucket; the first is the span's own start."""
        later = (first_instant(day=day, zone_name=self.span.zone) for day in self.days[1:])
        return (self.span.start, *later)


Steps = ClockSteps | CalendarSteps


@dataclass(frozen=True)
class Clock:
    """Buckets of one width, aligned to the local clock."""

    width: timedelta

    def steps(self, span: Span) -> ClockSteps:
        """The span's buckets."""
        return ClockSteps(span.runs, self.width // MICROSECOND)

    def rolling(self, *, count: int, now: datetime, zone_name: str) -> tuple[datetime, datetime]:
        """Start and end of the running bucket and the `count` - 1 before it."""
        end = self._end_of_running(now, zone_name)
        runs = offset_runs(start=end - count * self.width, end=end, zone_name=zone_name)
        return ClockSteps(runs, self.width // MICROSECOND).start_from_end(count), end

    def _end_of_running(self, now: datetime, zone_name: str) -> datetime:
        run = offset_runs(start=now, end=now + self.width, zone_name=zone_name)[0]
        width = self.width // MICROSECOND
        elapsed = (to_microseconds(now) + run.offset) % width
        return from_microseconds(min(run.end, to_microseconds(now) - elapsed + width))


@dataclass(frozen=True)
class Calendar:
    """Buckets of whole local dates: a number of days, or of months. Weeks begin on Monday."""

    days: int = 0
    months: int = 0

    def steps(self, span: Span) -> CalendarSteps:
        """The span's buckets. A date that the zone never had has none."""
        first = local_date(instant=span.start, zone_name=span.zone)
        last = local_date(instant=span.end - MICROSECOND, zone_name=span.zone)
        numbers = range(
            self._number(first, span.fiscal_year_start_month),
            self._number(last, span.fiscal_year_start_month) + 1,
            self.days or self.months,
        )
        days = tuple(map(self._day, numbers))
        if self.days != 1:
            return CalendarSteps(span, days)
        skipped = skipped_dates(span.runs)
        return CalendarSteps(span, tuple(day for day in days if day not in skipped))

    def rolling(
        self, *, count: int, now: datetime, zone_name: str, fiscal_year_start_month: int
    ) -> tuple[datetime, datetime]:
        """Start and end of the running period and the `count` - 1 before it."""
        running = self._number(local_date(instant=now, zone_name=zone_name), fiscal_year_start_month)
        step = self.days or self.months
        start = self._day(running - (count - 1) * step)
        if self.days == 1:
            start = _back_over_skipped(start, self._day(running), zone_name)
        end = self._day(running + step)
        return first_instant(day=start, zone_name=zone_name), first_instant(day=end, zone_name=zone_name)

    def _number(self, day: date, fiscal_year_start_month: int) -> int:
        """The period's first day, or first month, counted from the calendar's beginning."""
        if self.days:
            return day.toordinal() - (day.toordinal() - 1) % self.days
        month = day.year * 12 + day.month - 1
        return month - (month - fiscal_year_start_month + 1) % self.months

    def _day(self, number: int) -> date:
        if self.days:
            return date.fromordinal(number)
        return date(number // 12, number % 12 + 1, 1)


def _leading(run: OffsetRun, width: int) -> tuple[int, ...]:
    """The run's own start, when no step of the local clock falls on it."""
    return (run.start,) if (run.start + run.offset) % width else ()


def _aligned(run: OffsetRun, width: int) -> range:
    return range(run.start + -(run.start + run.offset) % width, run.end, width)


def _back_over_skipped(first: date, last: date, zone_name: str) -> date:
    """`first`, moved back by one date for every date from `first` to `last` that never existed."""
    start = first_instant(day=first - ONE_DAY, zone_name=zone_name)
    end = first_instant(day=last + ONE_DAY, zone_name=zone_name)
    skipped = skipped_dates(offset_runs(start=start, end=end, zone_name=zone_name))
    missing = sum(first <= day <= last for day in skipped)
    if not missing:
        return first
    return _back_over_skipped(first - missing * ONE_DAY, first - ONE_DAY, zone_name)
