"""Retention of rollups: how long rows of each grain are kept, and old ones dropped, once the rollups have been proved right.

What they said can still be asked: the ledger answers for an older fine window, and the receipt says so.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import connection

from analytics.engine.families import families as every_family
from analytics.engine.family import Family
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.restating import TIMEOUT_SECONDS, Owner, Turn, kept_since, take_turn
from analytics.engine.rollups.verify import verify_family
from analytics.pure.segments import Grain
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

LONGEST_DAYS = 100_000

DROP = """/* retention.drop */
DELETE FROM {rollup} WHERE tenant_id = %(tenant)s AND grain = %(grain)s AND bucket < %(since)s
"""
# A limit never goes back: what was dropped before does not return with a longer time to keep.
KEEP_SINCE = """/* retention.keep_since */
INSERT INTO kept_since AS k (tenant_id, family, grain, since) VALUES (%(tenant)s, %(family)s, %(grain)s, %(since)s)
    ON CONFLICT (tenant_id, family, grain) DO UPDATE SET since = greatest(k.since, excluded.since)
"""
CHOSEN = """/* retention.chosen */
SELECT grain, days FROM retention WHERE tenant_id = %(tenant)s AND family = %(family)s
"""
CHOOSE = """/* retention.choose */
INSERT INTO retention (tenant_id, family, grain, days) VALUES (%(tenant)s, %(family)s, %(grain)s, %(days)s)
    ON CONFLICT (tenant_id, family, grain) DO UPDATE SET days = excluded.days
"""
UNCHOOSE = """/* retention.unchoose */
DELETE FROM retention WHERE tenant_id = %(tenant)s AND family = %(family)s AND grain = %(grain)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long a tenant's rows of one grain are kept: `days`, or for ever (None).

    `chosen` says whether the tenant has a time of its own. Rows that begin before `since` were dropped (None: none were).
    """

    grain: Grain
    days: int | None
    chosen: bool
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """How many rows were dropped, and in a sentence each what was not and why."""

    rows: int
    refused: tuple[str, ...]


class Unproven(Exception):
    """Rollups differ from the ledger, so nothing is dropped: the message says where."""


def kept(*, tenant_id: int, family: Family) -> list[Kept]:
    """Each of the family's grains, finest first. To be used in a transaction of the tenant."""
    chosen = _chosen(tenant_id=tenant_id, family=family)
    since = kept_since(tenant_id=tenant_id, family=family)
    return [
        Kept(grain=grain, days=days, chosen=grain in chosen, since=since.get(grain))
        for grain, days in sorted({**_by_default(family), **chosen}.items())
    ]


def keep(*, tenant_id: int, family: Family, grain: Grain, days: int | None) -> None:
    """Keeps the tenant's rows of that grain so many days (None: for ever); what is older goes with the next `retain`.

    Refused where the family has no such rows, for no whole day, and where a coarser grain would be kept less long than a
    finer one: what is asked of that time would be added up from more rows than before, or read from the ledger.
    To be used in a transaction of the tenant.
    """
    _check_grain(family, grain)
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Refused(f"--days: {days} is no number of days to keep rows; give 1 to {LONGEST_DAYS}, or forever.")
    wanted = {**_by_default(family), **_chosen(tenant_id=tenant_id, family=family), grain: days}
    _check_order(family, wanted)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"tenant": tenant_id, "family": family.name, "grain": int(grain), "days": days}
        cursor.execute(CHOOSE, values)


def keep_by_default(*, tenant_id: int, family: Family, grain: Grain) -> None:
    """Forgets the tenant's own time for that grain. Refused as `keep` is. To be used in a transaction of the tenant."""
    _check_grain(family, grain)
    chosen = _chosen(tenant_id=tenant_id, family=family)
    _check_order(family, {**_by_default(family), **{each: days for each, days in chosen.items() if each != grain}})
    with connection.cursor() as cursor:
        cursor.execute(UNCHOOSE, {"tenant": tenant_id, "family": family.name, "grain": int(grain)})


def retain(
    *,
    now: datetime,
    tenant_id: int | None = None,
    families: Sequence[Family] | None = None,
    on_done: Callable[[str], object] = lambda slug: None,
) -> Retained:
    """Drops what is kept no longer of the families (None: of all), a transaction for each tenant's. Again is a no-op.

    Where the rollups are not what the ledger says, or something else fails, all of that tenant's family stays, and the
    others go on.
    """
    rows, refused = 0, list[str]()
    for owner in owners(tenant_id=tenant_id):
        for family in every_family() if families is None else families:
            try:
                rows += _dropped(owner=owner, family=family, now=now)
            except Unproven as unproven:
                refused.append(f"Nothing of {family.name} of {owner.slug} was dropped: {unproven}")
            except Exception as error:
                logger.exception("%s of tenant %s could not be dropped.", family.name, owner.slug)
                refused.append(f"Nothing of {family.name} of {owner.slug} was dropped: {_first_line(error)}")
        on_done(owner.slug)
    return Retained(rows=rows, refused=tuple(refused))


def _dropped(*, owner: Owner, family: Family, now: datetime) -> int:
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS):
        turn = take_turn(owner=owner, family=family, now=now, wait=True)
        limits = _limits(turn, now=now) if turn else {}
        if not limits:
            return 0
        # In this transaction: nobody folds between the proof and the drop.
        for check in verify_family(owner=owner, family=family, now=now):
            if check.failures:
                raise Unproven(check.first)
        return sum(_drop(owner, family, grain, since) for grain, since in limits.items())


def _limits(turn: Turn, *, now: datetime) -> Mapping[Grain, datetime]:
    """By grain: the start of the UTC day before which rows are to go, where some may be there still."""
    found = {
        each.grain: _utc_day(now - timedelta(days=each.days))
        for each in kept(tenant_id=turn.owner.id, family=turn.family)
        if each.days is not None
    }
    before = turn.kept_since
    return {grain: since for grain, since in found.items() if grain not in before or before[grain] < since}


def _drop(owner: Owner, family: Family, grain: Grain, since: datetime) -> int:
    values: dict[str, Any] = {"tenant": owner.id, "family": family.name, "grain": int(grain), "since": since}
    with connection.cursor() as cursor:
        cursor.execute(DROP.format(rollup=family.rollup), values)
        dropped: int = cursor.rowcount
        cursor.execute(KEEP_SINCE, values)
    return dropped


def _by_default(family: Family) -> dict[Grain, int | None]:
    """What the family declares, and for minutes and hours what the installation says."""
    everywhere = {Grain.MINUTE: settings.FLOWLEDGER_MINUTE_DAYS, Grain.HOUR: settings.FLOWLEDGER_HOUR_DAYS}
    return {grain: everywhere.get(grain) or family.keep.get(grain) for grain in family.grains}


def _chosen(*, tenant_id: int, family: Family) -> dict[Grain, int | None]:
    with connection.cursor() as cursor:
        cursor.execute(CHOSEN, {"tenant": tenant_id, "family": family.name})
        return {Grain(grain): days for grain, days in cursor.fetchall()}


def _check_grain(family: Family, grain: Grain) -> None:
    if grain not in family.grains:
        known = ", ".join(each.name for each in family.grains)
        raise Refused(f"--grain: {family.name} has no rows by {grain.name}; it has {known}.")


def _check_order(family: Family, wanted: Mapping[Grain, int | None]) -> None:
    for (fine, longer), (coarse, days) in pairwise(sorted(wanted.items())):
        if days is not None and (longer is None or longer > days):
            kept_for = "for ever" if longer is None else f"{longer} days"
            raise Refused(
                f"--days: {coarse.name} rows of {family.name} would be kept {days} days and {fine.name} rows {kept_for};"
                " keep coarser rows as long as finer ones."
            )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _utc_day(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
