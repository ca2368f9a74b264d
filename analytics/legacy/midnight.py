"""Midnight job: counts the live board as a local day begins, and keeps four numbers a day.

It counts what is there when it runs and remembers nothing. Whoever sleeps through the hour after midnight misses the day,
and what is filled in later is invented from the board of that later day. Both are flaws that it is known and kept for.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection

from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

AWAKE_FOR: Final = timedelta(hours=1)
MOST_DAYS: Final = 3_660

ORGANISATIONS = """/* legacy.organisations */
SELECT id, slug, timezone FROM tenant WHERE id = %(tenant)s OR %(tenant)s IS NULL ORDER BY id
"""
HAS_DAY = "/* legacy.has_day */ SELECT 1 FROM legacy_daily_metric WHERE tenant_id = %(tenant)s AND date = %(date)s"
# An instant that is about now stands for now, and then the database's own clock says it, which records the facts, too. It
# is read after the snapshot was taken, so whatever can be seen had been recorded by then. A snapshot does not name the
# transaction that took it, and the count has that one's own facts, too: its number is moved below the snapshot's end.
COUNT = """/* legacy.count */
WITH taken AS MATERIALIZED (
    SELECT txid_snapshot_xmin(s) AS xmin, txid_snapshot_xmax(s) AS xmax, s, txid_current() AS own, clock_timestamp() AS at
      FROM (SELECT txid_current_snapshot() AS s) now
),
seen AS MATERIALIZED (
    SELECT at, format('%%s:%%s:%%s', xmin, greatest(xmax, own + 1), (
               SELECT string_agg(xact::text, ',' ORDER BY xact)
                 FROM (SELECT txid_snapshot_xip(s) UNION SELECT generate_series(xmax, own - 1)) busy (xact))) AS snapshot
      FROM taken
)
INSERT INTO legacy_daily_metric (tenant_id, date, todo, in_progress, review, done, counted_at, known_at, snapshot, invented)
SELECT %(tenant)s, day::date, board.todo, board.in_progress, board.review, board.done,
       CASE WHEN abs(extract(epoch FROM seen.at - %(now)s::timestamptz)) < 60
            THEN seen.at ELSE %(now)s::timestamptz END,
       seen.at, seen.snapshot, %(invented)s
  FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') day
 CROSS JOIN seen
 CROSS JOIN (
       SELECT count(*) FILTER (WHERE s.category = 'TODO') AS todo,
              count(*) FILTER (WHERE s.category = 'IN_PROGRESS' AND NOT s.needs_validation) AS in_progress,
              count(*) FILTER (WHERE s.category = 'IN_PROGRESS' AND s.needs_validation) AS review,
              count(*) FILTER (WHERE s.category = 'DONE') AS done
         FROM task t JOIN workflow_state s ON s.tenant_id = t.tenant_id AND s.id = t.state_id
        WHERE t.tenant_id = %(tenant)s AND t.discarded_at IS NULL) board
ON CONFLICT (tenant_id, date) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A tenant as far as the old endpoints know it."""

    id: int
    slug: str
    timezone: str

    def today(self, now: datetime) -> date:
        """Its date."""
        return now.astimezone(ZoneInfo(self.timezone)).date()


def organisations(*, tenant_id: int | None = None) -> list[Organisation]:
    """All of them, or the one. Not to be used inside a transaction of a tenant."""
    with connection.cursor() as cursor:
        cursor.execute(ORGANISATIONS, {"tenant": tenant_id})
        return [Organisation(id=pk, slug=slug, timezone=zone) for pk, slug, zone in cursor.fetchall()]


def count_midnights(*, now: datetime, tenant_id: int | None = None) -> int:
    """Counts the board of everyone whose day began within the last hour, once a day, and says how many days were counted.

    One organisation that fails is logged and stops no other.
    """
    counted = 0
    for organisation, day in _awake(now, tenant_id):
        try:
            counted += _counted_once(organisation, day, now=now)
        except DatabaseError:
            logger.exception("The board of %s could not be counted for %s.", organisation.slug, day)
    return counted


def backfill(*, organisation: Organisation, first: date, last: date, now: datetime) -> int:
    """Fills the days that are missing, both ends included, with the board of now, and says how many it invented."""
    if first > last:
        raise Refused(f"--from: {first} is after --to, {last}.")
    if last > organisation.today(now):
        raise Refused(f"--to: {last} has not begun for {organisation.slug}.")
    if (last - first).days >= MOST_DAYS:
        raise Refused(f"--from: at most {MOST_DAYS:,} days are filled at once.")
    with entered(tenant_id=organisation.id, role=DatabaseRole.WORKER):
        return _stored(organisation, first=first, last=last, now=now, invented=True)


def _awake(now: datetime, tenant_id: int | None) -> Iterator[tuple[Organisation, date]]:
    for organisation in organisations(tenant_id=tenant_id):
        day = organisation.today(now)
        if organisation.today(now.astimezone(UTC) - AWAKE_FOR) < day:
            yield organisation, day


def _counted_once(organisation: Organisation, day: date, *, now: datetime) -> int:
    with entered(tenant_id=organisation.id, role=DatabaseRole.WORKER):
        with connection.cursor() as cursor:
            cursor.execute(HAS_DAY, {"tenant": organisation.id, "date": day})
            if cursor.fetchall():
                return 0
        return _stored(organisation, first=day, last=day, now=now, invented=False)


def _stored(organisation: Organisation, *, first: date, last: date, now: datetime, invented: bool) -> int:
    values: dict[str, Any] = {
        "tenant": organisation.id,
        "first": first,
        "last": last,
        "now": now,
        "invented": invented,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)
        stored: int = cursor.rowcount
    return stored
