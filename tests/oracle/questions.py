"""What is asked of the oracle, and the local days a question usually runs over."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

Buckets = tuple[tuple[datetime, datetime], ...]
SECOND = timedelta(seconds=1)


class Mode(StrEnum):
    """Which of the two diagrams."""

    CUMULATIVE = "CUMULATIVE"
    OCCUPANCY = "OCCUPANCY"


class AsOf(StrEnum):
    """Whose definitions: those in force at each instant, or today's for every instant."""

    THEN = "THEN"
    NOW = "NOW"


@dataclass(frozen=True, kw_only=True)
class Question:
    """Half-open buckets that touch, and the asker's clock. No project: the tenant; no `known_at`: as known now.

    With an assignee items are on the board while they are in those hands. With an actor only that actor's changes count.
    """

    buckets: Buckets
    now: datetime
    project: str | None = None
    as_of: AsOf = AsOf.THEN
    known_at: datetime | None = None
    assignee: str | None = None
    actor: str | None = None

    @property
    def start(self) -> datetime:
        """The window's first instant."""
        return self.buckets[0][0]

    @property
    def horizon(self) -> datetime:
        """The instant up to which the window can say anything: its end, or now while it is still running."""
        return min(self.buckets[-1][1], self.now)

    @property
    def known_until(self) -> datetime:
        """Facts recorded later than this do not count."""
        return self.now if self.known_at is None else self.known_at


def local_days(*, first: date, count: int, zone: str) -> Buckets:
    """One bucket per local date that existed, of `count` dates from `first`; 23 or 25 hours on a clock change."""
    dates = [first + timedelta(days=number) for number in range(count)]
    spans = [
        (local_midnight(day=day, zone=zone), local_midnight(day=day + timedelta(days=1), zone=zone)) for day in dates
    ]
    return tuple((start, end) for start, end in spans if start < end)


def local_midnight(*, day: date, zone: str) -> datetime:
    """The instant, in UTC, at which `day` begins in `zone`: the first valid one where clocks jump over midnight."""
    wall = datetime.combine(day, time(), ZoneInfo(zone))
    instant = wall.astimezone(UTC)
    if instant.astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    probe = wall.replace(fold=1).astimezone(UTC)
    while probe.astimezone(wall.tzinfo).date() < day:
        probe += SECOND
    return probe
