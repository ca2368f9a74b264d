"""retain(): old minutes and hours of the rollups are dropped, once the rollups have been proved right.

What they said can still be asked: the ledger answers for an older fine window, and the receipt says so. Days stay for ever.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from analytics.engine.families import families as every_family
from analytics.engine.family import Family
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.restating import TIMEOUT_SECONDS, Owner, take_turn
from analytics.engine.rollups.verify import verify_family
from analytics.pure.segments import Grain
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

DROP = """/* retention.drop */
DELETE FROM {rollup}
 WHERE tenant_id = %(tenant)s AND ((grain = %(minute)s AND bucket < %(minute_since)s)
                                   OR (grain = %(hour)s AND bucket < %(hour_since)s))
"""
# A limit never goes back: what was dropped before does not return with a longer time to keep.
KEEP_SINCE = """/* retention.keep_since */
UPDATE folded SET minute_since = greatest(minute_since, %(minute_since)s), hour_since = greatest(hour_since, %(hour_since)s)
 WHERE tenant_id = %(tenant)s AND family = %(family)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Minute rows and hour rows that begin earlier are not kept. Both are starts of UTC days."""

    minute_since: datetime
    hour_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """How many rows were dropped, and in a sentence each what was not and why."""

    rows: int
    refused: tuple[str, ...]


class Unproven(Exception):
    """Rollups differ from the ledger, so nothing is dropped: the message says where."""


def limits(*, now: datetime, minute_days: int, hour_days: int) -> Limits:
    """What is at least that many days old may go."""
    return Limits(
        minute_since=_utc_day(now - timedelta(days=minute_days)),
        hour_since=_utc_day(now - timedelta(days=hour_days)),
    )


def retain(
    *,
    now: datetime,
    keep: Limits,
    tenant_id: int | None = None,
    families: Sequence[Family] | None = None,
    on_done: Callable[[str], object] = lambda slug: None,
) -> Retained:
    """Drops what is older than the limits, a transaction for each tenant's family. Again is a no-op.

    Where the rollups are not what the ledger says, or something else fails, all of that tenant's family stays, and the
    others go on.
    """
    rows, refused = 0, list[str]()
    for owner in owners(tenant_id=tenant_id):
        for family in every_family() if families is None else families:
            try:
                rows += _dropped(owner=owner, family=family, now=now, keep=keep)
            except Unproven as unproven:
                refused.append(f"Nothing of {family.name} of {owner.slug} was dropped: {unproven}")
            except Exception as error:
                logger.exception("%s of tenant %s could not be dropped.", family.name, owner.slug)
                refused.append(f"Nothing of {family.name} of {owner.slug} was dropped: {_first_line(error)}")
        on_done(owner.slug)
    return Retained(rows=rows, refused=tuple(refused))


def _dropped(*, owner: Owner, family: Family, now: datetime, keep: Limits) -> int:
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS):
        turn = take_turn(owner=owner, family=family, now=now, wait=True)
        if turn is None or (turn.minute_since >= keep.minute_since and turn.hour_since >= keep.hour_since):
            return 0
        # In this transaction: nobody folds between the proof and the drop.
        for check in verify_family(owner=owner, family=family, now=now):
            if check.failures:
                raise Unproven(check.first)
        values = {**turn.values(), "minute_since": keep.minute_since, "hour_since": keep.hour_since}
        with connection.cursor() as cursor:
            grains = {"minute": int(Grain.MINUTE), "hour": int(Grain.HOUR)}
            cursor.execute(DROP.format(rollup=family.rollup), {**values, **grains})
            dropped: int = cursor.rowcount
            cursor.execute(KEEP_SINCE, values)
        return dropped


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _utc_day(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
