"""Time of working days: what of a span is on local dates from Monday to Friday, date by date."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

NONE = timedelta(0)
FRIDAY = 4


def counts(day: date, *, working: bool) -> bool:
    """Whether the date counts at all."""
    return not working or day.weekday() <= FRIDAY


def time_that_counts(begin: datetime, end: datetime, *, zone: str, working: bool) -> timedelta:
    """The part of [begin, end) that is on dates that count."""
    if not working:
        return end - begin
    found, day = NONE, begin.astimezone(ZoneInfo(zone)).date()
    while _midnight(day, zone) < end:
        if counts(day, working=True):
            inside = min(end, _midnight(day + timedelta(days=1), zone)) - max(begin, _midnight(day, zone))
            found += max(inside, NONE)
        day += timedelta(days=1)
    return found


def _midnight(day: date, zone: str) -> datetime:
    """The first instant of the date; where its midnight does not exist, the clock has gone forward over it by then."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
