"""Legacy answers: the stored days in their old shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from analytics.legacy.midnight import Organisation

VERSION: Final = 1
KINDS: Final = ("todo", "in_progress", "review", "done")

DAYS = """/* legacy.days */
SELECT date, todo, in_progress, review, done, counted_at, known_at, snapshot, invented
  FROM legacy_daily_metric WHERE tenant_id = %(tenant)s AND date > %(after)s AND date <= %(today)s ORDER BY date
"""
NEWEST = """/* legacy.newest */
SELECT date, todo, in_progress, review, done, counted_at, known_at, snapshot, invented
  FROM legacy_daily_metric WHERE tenant_id = %(tenant)s ORDER BY date DESC LIMIT 1
"""
LAST_RUN = """/* legacy.last_run */
SELECT max(counted_at) FROM legacy_daily_metric WHERE tenant_id = %(tenant)s AND NOT invented
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A stored day; see LegacyDailyMetric."""

    date: date
    todo: int
    in_progress: int
    review: int
    done: int
    counted_at: datetime
    known_at: datetime
    snapshot: str
    invented: bool

    @property
    def counts(self) -> dict[str, int]:
        """By kind, in the old order."""
        return {kind: getattr(self, kind) for kind in KINDS}


def stored_days(*, organisation: Organisation, days: int, now: datetime) -> list[Day]:
    """What there is of the last so many local dates, oldest first. To be used in a transaction of the tenant."""
    today = organisation.today(now)
    values = {"tenant": organisation.id, "after": today - timedelta(days=days), "today": today}
    return _days(DAYS, values)


def cfd(*, organisation: Organisation, days: Sequence[Day]) -> dict[str, Any]:
    """The diagram. To be used in a transaction of the tenant."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_RUN, {"tenant": organisation.id})
        last_run = cursor.fetchall()[0][0]
    return {
        "version": VERSION,
        "organisation": organisation.slug,
        "timezone": organisation.timezone,
        "generated_at": None if last_run is None else written(last_run),
        "days": [{"date": day.date.isoformat(), **day.counts} for day in days],
    }


def summary(*, organisation: Organisation) -> Mapping[str, Any] | None:
    """The newest stored day, however old it is; None while there is none. To be used in a transaction of the tenant."""
    newest = next(iter(_days(NEWEST, {"tenant": organisation.id})), None)
    if newest is None:
        return None
    return {
        "version": VERSION,
        "organisation": organisation.slug,
        "date": newest.date.isoformat(),
        **newest.counts,
        "total": sum(newest.counts.values()),
    }


def _days(statement: str, values: Mapping[str, Any]) -> list[Day]:
    with connection.cursor() as cursor:
        cursor.execute(statement, dict(values))
        names = [column.name for column in cursor.description or ()]
        return [Day(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def written(instant: datetime) -> str:
    """As the old endpoints wrote it: to the second, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
