"""Timestamps of a file: which instant each is, or what is wrong with it."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tasks_app.operations.reporting import EPOCH, microseconds
from tasks_app.timezones import rules_of

FIRST_YEAR = 1900
SHORTEST = len("2024-05-01 10:30")
LONGEST = len("2024-05-01T10:30:00.123456789+02:00:00")


def timestamp_reader(*, now: datetime, zone: str | None) -> Callable[[str], int]:
    """A function from text to microseconds since 1970, which raises ValueError with the reason when it cannot.

    It reads `YYYY-MM-DD` and `HH:MM[:SS[.fraction]]`, T or a space between, a comma or a point before the fraction
    (cut to microseconds), then an offset or Z. Without an offset the text is a local time of `zone`: one that the
    clocks show twice is the first of the two, one that they skip is refused. Before 1900 and after `now` is refused.
    """
    local = rules_of(zone) if zone is not None else None
    latest = microseconds(now)

    def read(text: str) -> int:
        instant = _parsed(text)
        if instant.tzinfo is None:
            instant = _placed(instant, local, text)
        if instant.year < FIRST_YEAR:
            raise ValueError(f"{text!r} lies before {FIRST_YEAR}; correct its year")
        span = instant - EPOCH
        moment = (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
        if moment > latest:
            raise ValueError(f"{text!r} lies in the future; an event must have happened")
        return moment

    return read


def _parsed(text: str) -> datetime:
    """Narrower than Python's own reading, which also takes week dates, times without minutes and any letter for T."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _unreadable(text) from None
    if not SHORTEST <= len(text) <= LONGEST or text[7] != "-" or text[10] not in "T t" or text[13] != ":":
        raise _unreadable(text)
    return instant


def _unreadable(text: str) -> ValueError:
    if not text.strip():
        return ValueError("the timestamp is empty; every row needs one")
    return ValueError(f"{text[:60]!r} is no timestamp; write it as 2024-05-01T10:30:00+02:00")


def _placed(instant: datetime, zone: ZoneInfo | None, text: str) -> datetime:
    if zone is None:
        raise ValueError(f"{text!r} has no offset; add one, or name the zone of such times with --timezone")
    placed = instant.replace(tzinfo=zone).astimezone(UTC)
    if placed.astimezone(zone).replace(tzinfo=None) != instant:
        raise ValueError(f"{text!r} does not exist in {zone.key}, where the clocks skip it; add its offset")
    return placed
