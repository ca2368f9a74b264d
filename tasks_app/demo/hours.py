"""Working hours: when something that takes so long is done, where nobody works at night or in the quiet week."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tasks_app.demo.story import Rhythm


def quiet_week(*, rhythm: Rhythm, today: date) -> date:
    """The Monday of the quiet week."""
    return today - timedelta(days=today.weekday(), weeks=rhythm.quiet_weeks_ago)


def is_quiet(day: date, *, quiet_monday: date) -> bool:
    """Whether the day lies in the quiet week."""
    return quiet_monday <= day < quiet_monday + timedelta(days=7)


def at_hour(*, day: date, hour: float, zone: ZoneInfo) -> datetime:
    """That hour of the day by the clocks of the zone, as a UTC instant."""
    return (datetime.combine(day, time(), tzinfo=zone) + timedelta(hours=hour)).astimezone(UTC)


def next_hour(*, instant: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """The first time at or after the instant that the zone's clocks show that hour."""
    day = instant.astimezone(zone).date()
    candidates = (at_hour(day=day + timedelta(days=ahead), hour=hour, zone=zone) for ahead in range(3))
    return next(candidate for candidate in candidates if candidate >= instant)


def worked(*, since: datetime, hours: float, rhythm: Rhythm, quiet_monday: date, zone: ZoneInfo) -> datetime:
    """The instant at which that many working hours have passed since then."""
    day = since.astimezone(zone).date()
    left = timedelta(hours=hours)
    while True:
        if rhythm.arrivals[day.weekday()] > 0 and not is_quiet(day, quiet_monday=quiet_monday):
            opens = max(since, at_hour(day=day, hour=rhythm.opens, zone=zone))
            closes = at_hour(day=day, hour=rhythm.closes, zone=zone)
            if opens + left < closes:
                return opens + left
            left -= max(closes - opens, timedelta())
        day += timedelta(days=1)
