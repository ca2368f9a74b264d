"""Windows and their buckets: the one bucketing function of the product.

Windows and buckets are half-open. Buckets follow the local clock and calendar of the window's zone; the offset
from UTC is taken per instant. Whoever counts per bucket takes the edges from here.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from analytics.pure.bucket_edges import Calendar, Clock, Span, Steps
from analytics.pure.zones import WindowError, local_date, zone

__all__ = ["Bucket", "Unit", "Window", "WindowError", "between", "one_bucket", "quarter_label", "rolling"]

MOST_BUCKETS: Final = 50_000
MOST_AUTO_BUCKETS: Final = 400
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2201, 1, 1, tzinfo=UTC)


class Bucket(StrEnum):
    """How a window is cut. AUTO is the finest of MINUTE, HOUR, DAY, WEEK, MONTH with at most 400 buckets."""

    AUTO = "AUTO"
    MINUTE = "MINUTE"
    FIVE_MINUTES = "FIVE_MINUTES"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"


class Unit(StrEnum):
    """What a rolling window counts."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"


CLOCKS: Final = {
    Bucket.MINUTE: Clock(timedelta(minutes=1)),
    Bucket.FIVE_MINUTES: Clock(timedelta(minutes=5)),
    Bucket.HOUR: Clock(timedelta(hours=1)),
}
CALENDARS: Final = {
    Bucket.DAY: Calendar(days=1),
    Bucket.WEEK: Calendar(days=7),
    Bucket.MONTH: Calendar(months=1),
    Bucket.QUARTER: Calendar(months=3),
}
CUTS: Final[dict[Bucket, Clock | Calendar]] = {**CLOCKS, **CALENDARS}
AUTO_BUCKETS: Final = (Bucket.MINUTE, Bucket.HOUR, Bucket.DAY, Bucket.WEEK, Bucket.MONTH)
# No unit is ever shorter than this, so a count that cannot fit is refused before anything is computed.
SHORTEST: Final = {
    Unit.MINUTE: timedelta(minutes=1),
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: timedelta(hours=20),
    Unit.WEEK: timedelta(days=6),
    Unit.MONTH: timedelta(days=27),
    Unit.QUARTER: timedelta(days=89),
}


@dataclass(frozen=True)
class Window:
    """A half-open window [start, end) in UTC, and its buckets in order, without gap or overlap.

    `starts[0]` is the window's start and `ends[-1]` its end, clipped where they lie inside a bucket.
    `complete[i]` is true when bucket i has ended. `bucket` is never AUTO.
    """

    start: datetime
    end: datetime
    zone: str
    bucket: Bucket
    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    complete: tuple[bool, ...]

    @property
    def edges(self) -> tuple[datetime, ...]:
        """Every bucket start and then the window's end: strictly increasing, one more than there are buckets."""
        return (*self.starts, self.end)


def between(
    *, start: datetime, end: datetime, zone: str, bucket: Bucket, now: datetime, fiscal_year_start_month: int = 1
) -> Window:
    """The window [start, end), cut into buckets of the zone. What cannot be answered is a WindowError."""
    start = _checked(start, "window.between.from")
    end = _checked(end, "window.between.to")
    if end <= start:
        raise WindowError(
            "window.between.to",
            f"The window must end after it starts: 'to' ({end.isoformat()}) is not later than 'from' "
            f"({start.isoformat()}).",
        )
    return _window(_span(start, end, zone, fiscal_year_start_month), bucket, _checked(now, "now"))


def rolling(
    *, count: int, unit: Unit, zone: str, bucket: Bucket, now: datetime, fiscal_year_start_month: int = 1
) -> Window:
    """The running unit of the zone and the `count` - 1 before it: 30 DAY is today's local date and 29 dates before.

    The window ends where the running unit ends, so its last bucket is not complete.
    """
    now = _checked(now, "now")
    _refuse_count(count, unit, now)
    span = _span(now, now, zone, fiscal_year_start_month)
    start, end = _rolled(count, Bucket(unit.value), span)
    if start < EARLIEST or end > LATEST:
        raise WindowError("window.rolling.count", _too_far_back(count, unit))
    return _window(_span(start, end, zone, fiscal_year_start_month), bucket, now)


def one_bucket(
    *, start: datetime, bucket: Bucket, zone: str, now: datetime, fiscal_year_start_month: int = 1
) -> Window:
    """The bucket of that size that begins at `start`, as a window. A WindowError where none does names the one around it."""
    start = _checked(start, "bucket")
    if bucket is Bucket.AUTO:
        raise WindowError("size", "AUTO is the size of no bucket; name one, such as DAY.")
    begin, end = _rolled(1, bucket, _span(start, start, zone, fiscal_year_start_month))
    if begin != start:
        raise WindowError(
            "bucket",
            f"No {bucket} of {zone} begins at {start.isoformat()}; the one around it begins at {begin.isoformat()}.",
        )
    return between(
        start=begin, end=end, zone=zone, bucket=bucket, now=now, fiscal_year_start_month=fiscal_year_start_month
    )


def quarter_label(*, start: date | datetime, zone: str, fiscal_year_start_month: int) -> str:
    """The fiscal quarter of a local date, or of an instant in the zone.

    "2026 Q1" where the fiscal year is the calendar year, else both its years: "FY2026-27 Q1".
    """
    _refuse_month(fiscal_year_start_month)
    day = local_date(instant=start, zone_name=zone) if isinstance(start, datetime) else start
    months = day.year * 12 + day.month - fiscal_year_start_month
    year, quarter = months // 12, months % 12 // 3 + 1
    if fiscal_year_start_month == 1:
        return f"{year} Q{quarter}"
    return f"FY{year}-{(year + 1) % 100:02d} Q{quarter}"


def _window(span: Span, bucket: Bucket, now: datetime) -> Window:
    chosen = _finest(span) if bucket is Bucket.AUTO else bucket
    steps = CUTS[chosen].steps(span)
    if steps.count > MOST_BUCKETS:
        raise WindowError("bucket", _too_many(steps.count, chosen, span))
    starts = steps.starts()
    ends = (*starts[1:], span.end)
    ended = bisect_right(ends, now)
    complete = (True,) * ended + (False,) * (len(ends) - ended)
    return Window(span.start, span.end, span.zone, chosen, starts, ends, complete)


def _finest(span: Span) -> Bucket:
    """The finest bucket of AUTO that fits; MONTH where none does."""
    fitting = (bucket for bucket in AUTO_BUCKETS if _steps(span, bucket).count <= MOST_AUTO_BUCKETS)
    return next(fitting, Bucket.MONTH)


def _steps(span: Span, bucket: Bucket) -> Steps:
    return CUTS[bucket].steps(span)


def _rolled(count: int, bucket: Bucket, span: Span) -> tuple[datetime, datetime]:
    clock = CLOCKS.get(bucket)
    if clock:
        return clock.rolling(count=count, now=span.end, zone_name=span.zone)
    return CALENDARS[bucket].rolling(
        count=count,
        now=span.end,
        zone_name=span.zone,
        fiscal_year_start_month=span.fiscal_year_start_month,
    )


def _span(start: datetime, end: datetime, zone_name: str, fiscal_year_start_month: int) -> Span:
    _refuse_month(fiscal_year_start_month)
    return Span(start, end, zone(zone_name).key, fiscal_year_start_month)


def _checked(instant: datetime, argument: str) -> datetime:
    """The instant in UTC, once it is known to have a zone and to lie in the years that are answered."""
    if instant.utcoffset() is None:
        raise WindowError(
            argument,
            f"The instant {instant.isoformat()} of '{argument}' has no time zone; "
            f"add an offset, as in {instant.isoformat()}+00:00.",
        )
    # Compared as given: an instant of year 1 or 9999 may not be expressible in UTC.
    if not EARLIEST <= instant <= LATEST:
        raise WindowError(
            argument,
            f"The instant {instant.isoformat()} of '{argument}' is out of range; give one in the years 1900 to 2200.",
        )
    return instant.astimezone(UTC)


def _refuse_month(month: int) -> None:
    if not 1 <= month <= 12:
        raise WindowError("fiscal_year_start_month", f"The fiscal year starts in month 1 to 12, not {month}.")


def _refuse_count(count: int, unit: Unit, now: datetime) -> None:
    if count < 1:
        raise WindowError("window.rolling.count", f"A rolling window counts at least 1 {unit}, not {count}.")
    if count > (now - EARLIEST) // SHORTEST[unit] + 1:
        raise WindowError("window.rolling.count", _too_far_back(count, unit))


def _too_far_back(count: int, unit: Unit) -> str:
    return f"A rolling window of {count:,} {unit} goes beyond the years 1900 to 2200; give a smaller count."


def _too_many(count: int, bucket: Bucket, span: Span) -> str:
    coarser = list(CUTS)[list(CUTS).index(bucket) + 1 :]
    fits = next((each for each in coarser if _steps(span, each).count <= MOST_BUCKETS), Bucket.QUARTER)
    return (
        f"This window has {count:,} {bucket} buckets and an answer has at most {MOST_BUCKETS:,}; "
        f"ask for {fits} or a shorter window."
    )
