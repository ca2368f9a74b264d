"""Time zones: one pinned database, and what a local date means in it.

Instants are aware datetimes and come back in UTC. Zones are named, as in "Europe/Stockholm".
"""

import difflib
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import chain, pairwise
from typing import Final

import tzdata  # type: ignore[import-untyped]

# The system's files would win over the pinned package, and two machines would then disagree on a day.
zoneinfo.reset_tzpath(to=())

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
ONE_DAY: Final = timedelta(days=1)
# Since 1900 no zone changed its offset twice within six days, so a probe every three days misses no change.
PROBE_STEP: Final = timedelta(days=3) // MICROSECOND
LONGEST_SHOWN_NAME: Final = 64


class WindowError(ValueError):
    """A window, bucket or zone that cannot be answered: `argument` names the input, the text says why."""

    def __init__(self, argument: str, sentence: str) -> None:
        super().__init__(sentence)
        self.argument = argument


@dataclass(frozen=True)
class OffsetRun:
    """A half-open span in which the offset does not change. All in microseconds; instants since 1970 UTC."""

    start: int
    end: int
    offset: int


def tzdata_version() -> str:
    """The release of the zone database in use, such as "2026f"."""
    version: str = tzdata.IANA_VERSION
    return version


@cache
def zone_names() -> frozenset[str]:
    """Every zone name that `zone` accepts."""
    return frozenset(zoneinfo.available_timezones())


@cache
def zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that name, always from the pinned database. An unknown name is a WindowError."""
    if name not in zone_names():
        raise WindowError("timezone", _unknown_zone(name))
    # no_cache: a zone that was loaded before this module may still hold the system's rules.
    return zoneinfo.ZoneInfo.no_cache(name)


def to_microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC, exact."""
    return (instant - EPOCH) // MICROSECOND


def from_microseconds(instant: int) -> datetime:
    """The UTC instant that many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=instant)


def first_instant(*, day: date, zone_name: str) -> datetime:
    """The first UTC instant whose local date is `day` or later.

    That is local midnight, the earlier one where a clock passes it twice. Where midnight was skipped it is the first
    instant after the gap, and for a date that never existed the first instant of the next date.
    """
    rules = zone(zone_name)
    midnight = datetime.combine(day, time.min, tzinfo=rules)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(rules).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    return _end_of_gap(midnight, rules)


def local_midnight(*, day: date, zone_name: str) -> datetime | None:
    """The UTC instant at which local date `day` begins, or None for a date that the zone never had."""
    instant = first_instant(day=day, zone_name=zone_name)
    return instant if instant.astimezone(zone(zone_name)).date() == day else None


def local_date(*, instant: datetime, zone_name: str) -> date:
    """The local date whose day, [midnight, next midnight), holds `instant`.

    It never goes back: where a clock was set back over midnight, the minutes that the old date got twice
    belong to the new one, which had begun.
    """
    shown = instant.astimezone(zone(zone_name)).date()
    tomorrow = shown + ONE_DAY
    return tomorrow if first_instant(day=tomorrow, zone_name=zone_name) <= instant else shown


def offset_runs(*, start: datetime, end: datetime, zone_name: str) -> tuple[OffsetRun, ...]:
    """[start, end) cut at every instant at which the zone's offset from UTC changes, in order."""
    changes = _changes(to_microseconds(start), to_microseconds(end), zone(zone_name))
    edges = (to_microseconds(start), *changes, to_microseconds(end))
    return tuple(OffsetRun(a, b, _offset(a, zone(zone_name))) for a, b in pairwise(edges))


def skipped_dates(runs: tuple[OffsetRun, ...]) -> frozenset[date]:
    """The calendar's dates that the changes between these runs jumped over: they never existed in the zone."""
    return frozenset(chain.from_iterable(_dates_between(before, after) for before, after in pairwise(runs)))


def dates(*, first: date, last: date, zone_name: str) -> list[date]:
    """The dates from `first` to `last`, both included, that the zone had; none where `last` is before `first`."""
    start = first_instant(day=first - ONE_DAY, zone_name=zone_name)
    end = first_instant(day=max(first, last) + ONE_DAY, zone_name=zone_name)
    # A change that skipped the last date comes at that very end, and shows in what follows.
    skipped = skipped_dates(offset_runs(start=start, end=end + MICROSECOND, zone_name=zone_name))
    every = (first + ONE_DAY * number for number in range((last - first).days + 1))
    return [day for day in every if day not in skipped]


def _unknown_zone(name: str) -> str:
    shown = name[:LONGEST_SHOWN_NAME]
    close = difflib.get_close_matches(shown, zone_names(), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; give an IANA name such as 'Europe/Stockholm'."
    return f"The time zone {shown!r} is not known{hint}"


def _end_of_gap(midnight: datetime, rules: zoneinfo.ZoneInfo) -> datetime:
    """The change of offset that skipped `midnight`."""
    # Read with the offset after the gap, a skipped time lies before the gap, and the other way round.
    before = to_microseconds(midnight.replace(fold=1).astimezone(UTC))
    after = to_microseconds(midnight.replace(fold=0).astimezone(UTC))
    return from_microseconds(_change(before, after, rules))


def _changes(start: int, end: int, rules: zoneinfo.ZoneInfo) -> Iterator[int]:
    probes = (*range(start, end, PROBE_STEP), end - 1)
    for before, after in pairwise(probes):
        if _offset(before, rules) != _offset(after, rules):
            yield _change(before, after, rules)


def _change(before: int, after: int, rules: zoneinfo.ZoneInfo) -> int:
    """The first microsecond of the new offset, given one instant on each side of the change."""
    old = _offset(before, rules)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, rules) == old else (before, middle)
    return after


def _offset(instant: int, rules: zoneinfo.ZoneInfo) -> int:
    at = from_microseconds(instant)
    return (at.astimezone(rules).replace(tzinfo=UTC) - at) // MICROSECOND


def _dates_between(before: OffsetRun, after: OffsetRun) -> list[date]:
    last = from_microseconds(before.end - 1 + before.offset).date()
    first = from_microseconds(after.start + after.offset).date()
    return [last + timedelta(days=n) for n in range(1, (first - last).days)]
