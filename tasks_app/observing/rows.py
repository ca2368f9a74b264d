"""Answer counts in the database: written in batches, read for the last days, dropped when they are old."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from tasks_app.observing.counting import NOBODY, Count, Counts, Row
from tasks_app.tenancy import DatabaseRole, entered

KEEP_MINUTES = timedelta(days=2)
KEEP_DAYS = timedelta(days=400)
TIMEOUT_SECONDS = 5

# Rows in the order of their keys: two processes that write the same ones wait for each other, and never in a circle.
ADD = """/* observing.add_{name} */
INSERT INTO {table} ({key}, good, valid, spread)
SELECT {values}, u.good, u.valid, u.spread::bigint[]
  FROM unnest(%(objectives)s::text[], %(at)s::{type}[], %(good)s::bigint[], %(valid)s::bigint[], %(spreads)s::text[])
       AS u (objective, at, good, valid, spread)
    ON CONFLICT ({key}) DO UPDATE
   SET good = {table}.good + excluded.good, valid = {table}.valid + excluded.valid,
       spread = ARRAY(SELECT coalesce(old, 0) + coalesce(new, 0)
                        FROM unnest({table}.spread, excluded.spread) WITH ORDINALITY s (old, new, place) ORDER BY place)
"""
OF_TENANT = "%(tenant)s, u.objective, u.at"
ADD_MINUTES = ADD.format(
    name="minutes",
    table="service_minute",
    key="tenant_id, objective, minute",
    values=OF_TENANT,
    type="timestamptz",
)
ADD_DAYS = ADD.format(name="days", table="service_day", key="tenant_id, objective, day", values=OF_TENANT, type="date")
ADD_TOTALS = ADD.format(
    name="totals", table="service_total", key="objective, day", values="u.objective, u.at", type="date"
)
READ_MINUTES = """/* observing.read_minutes */
SELECT objective, minute, good, valid, spread FROM service_minute
 WHERE tenant_id = %(tenant)s AND minute >= %(since)s ORDER BY 1, 2
"""
READ_DAYS = """/* observing.read_days */
SELECT objective, day, good, valid, spread FROM service_day WHERE tenant_id = %(tenant)s AND day >= %(since)s ORDER BY 1, 2
"""
READ_TOTALS = """/* observing.read_totals */
SELECT objective, day, good, valid, spread FROM service_total WHERE day >= %(since)s ORDER BY 1, 2
"""
DROP_MINUTES = (
    "/* observing.drop_minutes */ DELETE FROM service_minute WHERE tenant_id = %(tenant)s AND minute < %(since)s"
)
DROP_DAYS = "/* observing.drop_days */ DELETE FROM service_day WHERE tenant_id = %(tenant)s AND day < %(since)s"
DROP_TOTALS = "/* observing.drop_totals */ DELETE FROM service_total WHERE day < %(since)s"
TENANTS = "/* observing.tenants */ SELECT id FROM tenant ORDER BY id"

Place = tuple[str, datetime | date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted for an objective at a minute or on a day."""

    objective: str
    at: datetime | date
    count: Count


def write(counts: Counts) -> int:
    """Writes what was counted and says how many answers that were. What could not be written is counted again.

    A short transaction for each tenant, and one statement for the whole. Never to be called inside a transaction.
    """
    rows = counts.take()
    for _, of_tenant in groupby(rows.items(), key=lambda each: each[0].tenant_id):
        batch = dict(of_tenant)
        try:
            _write_batch(batch)
        except BaseException:
            counts.put({row: count for row, count in rows.items() if row >= next(iter(batch))})
            raise
    return sum(count.valid for count in rows.values())


def minutes(*, tenant_id: int, since: datetime) -> list[Counted]:
    """The tenant's counts by minute, by objective and in the order of time; in the tenant's transaction."""
    return _read(READ_MINUTES, {"tenant": tenant_id, "since": since})


def days(*, tenant_id: int, since: date) -> list[Counted]:
    """The tenant's counts by day, by objective and in the order of time; in the tenant's transaction."""
    return _read(READ_DAYS, {"tenant": tenant_id, "since": since})


def totals(*, since: date) -> list[Counted]:
    """The installation's counts by day, by objective and in the order of time; outside a tenant's transaction."""
    return _read(READ_TOTALS, {"since": since})


def drop_old(*, now: datetime) -> int:
    """Drops minutes after two days and days after 400, and says how many rows that were. Again is a no-op."""
    oldest: dict[str, Any] = {"since": (now - KEEP_DAYS).astimezone(UTC).date()}
    with connection.cursor() as cursor:
        cursor.execute(TENANTS)
        tenants = [tenant_id for (tenant_id,) in cursor.fetchall()]
    dropped = _drop(DROP_TOTALS, oldest)
    for tenant_id in tenants:
        with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
            dropped += _drop(DROP_MINUTES, {"tenant": tenant_id, "since": now - KEEP_MINUTES})
            dropped += _drop(DROP_DAYS, {"tenant": tenant_id, **oldest})
    return dropped


def _write_batch(batch: Mapping[Row, Count]) -> None:
    """One tenant's counts, and the same in the totals: all of it or nothing.

    The totals are the login's and the rest the tenant's: they are written first, before the transaction has a role.
    """
    tenant_id = next(iter(batch)).tenant_id
    by_minute: dict[Place, Count] = {(row.objective, row.minute): count for row, count in batch.items()}
    by_day = _by_day(by_minute)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
            cursor.execute(ADD_TOTALS, _columns(by_day))
        if tenant_id == NOBODY:
            return
        with (
            entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS),
            connection.cursor() as cursor,
        ):
            cursor.execute(ADD_MINUTES, {"tenant": tenant_id, **_columns(by_minute)})
            cursor.execute(ADD_DAYS, {"tenant": tenant_id, **_columns(by_day)})


def _by_day(by_minute: Mapping[Place, Count]) -> dict[Place, Count]:
    found: dict[Place, Count] = {}
    for (objective, minute), count in by_minute.items():
        place = (objective, minute.astimezone(UTC).date() if isinstance(minute, datetime) else minute)
        found[place] = found[place].plus(count) if place in found else count
    return found


def _columns(counted: Mapping[Place, Count]) -> dict[str, Any]:
    return {
        "objectives": [objective for objective, _ in counted],
        "at": [at for _, at in counted],
        "good": [count.good for count in counted.values()],
        "valid": [count.valid for count in counted.values()],
        # An array of arrays would have to be a rectangle.
        "spreads": ["{" + ",".join(map(str, count.spread)) + "}" for count in counted.values()],
    }


def _read(statement: str, values: Mapping[str, Any]) -> list[Counted]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [
            Counted(objective=objective, at=at, count=Count(good, valid, tuple(spread)))
            for objective, at, good, valid, spread in cursor.fetchall()
        ]


def _drop(statement: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        dropped: int = cursor.rowcount
        return dropped
