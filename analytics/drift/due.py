"""Due comparisons of answers that were given: a row each, written when the answer is, worked off afterwards.

Whoever takes a row up raises `attempts` and holds it for a while. The row goes in the transaction that keeps the
comparison, and only while it is still theirs: however often workers die, there is one comparison of each.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom
from typing import Any, Final

from django.db import connection

from analytics.drift import store
from analytics.drift.arithmetic.verdicts import Finding, Verdict
from analytics.drift.capabilities import Declaration, declaration_of
from analytics.drift.controls import Capability, control_of
from analytics.drift.experiment import Comparison, Question, compare
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.restating import Owner
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=5)
MOST_ATTEMPTS: Final = 3

OWE = """/* drift.owe */
INSERT INTO drift_due (tenant_id, capability, days, stage, flag_version, asked_at, position)
VALUES (%(tenant)s, %(capability)s, %(days)s, %(stage)s, %(flag_version)s, %(asked_at)s, %(position)s)
"""
TAKE = """/* drift.take */
UPDATE drift_due SET lease_until = %(until)s, attempts = attempts + 1
 WHERE tenant_id = %(tenant)s AND id = (
       SELECT id FROM drift_due WHERE tenant_id = %(tenant)s AND (lease_until IS NULL OR lease_until <= %(now)s)
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, capability, days, stage, flag_version, asked_at, position, attempts
"""
TAKE_OUT = """/* drift.take_out */
DELETE FROM drift_due WHERE tenant_id = %(tenant)s AND id = %(id)s AND attempts = %(attempts)s RETURNING id
"""

AfterEach = Callable[[int, Capability, datetime], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A row that was taken up."""

    id: int
    capability: Capability
    days: int
    stage: str
    flag_version: int
    asked_at: datetime
    position: str
    attempts: int


def owe(
    *,
    tenant_id: int,
    capability: Capability,
    days: int,
    stage: str,
    flag_version: int,
    asked_at: datetime,
    position: str = "",
) -> None:
    """Says that this was answered. To be used in a transaction of the tenant: one row, and nothing is waited for.

    Inside a transaction that also reads, it is the last statement. Where a lost row harms nobody, as here, the transaction
    does not wait for the disk.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(
            OWE,
            {
                "tenant": tenant_id,
                "capability": capability.value,
                "days": days,
                "stage": stage,
                "flag_version": flag_version,
                "asked_at": asked_at,
                "position": position,
            },
        )


def run_owed(
    *,
    now: datetime,
    tenant_id: int | None = None,
    chance: Random | None = None,
    most: int = 1_000,
    until: datetime | None = None,
    after_each: AfterEach | None = None,
) -> int:
    """Compares what all tenants or the one are owed, at most so much of each, and says how much it was.

    A tenant that fails stops no other. `now` is when this is called: however slow an older side is, each row is held from
    when it is taken up, and after `until` none is.
    """
    done, begun = 0, time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - begun)

    def goes_on(compared: int) -> bool:
        return compared < most and (until is None or clock() < until)

    for owner in owners(tenant_id=tenant_id):
        try:
            done += _of_tenant(
                owner, clock=clock, goes_on=goes_on, chance=chance or SystemRandom(), after_each=after_each
            )
        except Exception:
            logger.exception("What tenant %s is owed could not be compared.", owner.slug)
    return done


def drop_old_comparisons(*, now: datetime) -> int:
    """Drops what is kept for too long, of every tenant; says how many rows that was."""
    dropped = 0
    for owner in owners():
        with entered(tenant_id=owner.id, role=DatabaseRole.WORKER):
            dropped += store.drop_old(tenant_id=owner.id, now=now)
    return dropped


def _of_tenant(
    owner: Owner,
    *,
    clock: Callable[[], datetime],
    goes_on: Callable[[int], bool],
    chance: Random,
    after_each: AfterEach | None,
) -> int:
    done = 0
    while goes_on(done) and (owed := _taken(owner, now=clock())):
        compared_at = clock()
        _compared(owner, owed, now=compared_at, chance=chance)
        if after_each is not None:
            after_each(owner.id, owed.capability, compared_at)
        done += 1
    return done


def _taken(owner: Owner, *, now: datetime) -> Owed | None:
    """The oldest row that nobody holds."""
    values: dict[str, Any] = {"tenant": owner.id, "now": now, "until": now + LEASE}
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER), connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        row = next(iter(cursor.fetchall()), None)
    if row is None:
        return None
    pk, capability, days, stage, flag_version, asked_at, position, attempts = row
    return Owed(
        id=pk,
        capability=Capability(capability),
        days=days,
        stage=stage,
        flag_version=flag_version,
        asked_at=asked_at.astimezone(UTC),
        position=position,
        attempts=attempts,
    )


def _compared(owner: Owner, owed: Owed, *, now: datetime, chance: Random) -> None:
    declaration = declaration_of(owed.capability)
    found = None if declaration is None else _comparison(owner, owed, declaration, now=now, chance=chance)
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER):
        if _is_still_ours(owner, owed) and found is not None:
            store.keep(found, now=now)


def _is_still_ours(owner: Owner, owed: Owed) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OUT, {"tenant": owner.id, "id": owed.id, "attempts": owed.attempts})
        return bool(cursor.fetchall())


def _comparison(owner: Owner, owed: Owed, declaration: Declaration, *, now: datetime, chance: Random) -> Comparison:
    question = Question(
        tenant_id=owner.id,
        slug=owner.slug,
        zone=owner.zone,
        days=owed.days,
        asked_at=owed.asked_at,
        stage=owed.stage,
        flag_version=owed.flag_version,
        stratum=_stratum(owed.days),
        position=owed.position,
    )
    if owed.attempts > MOST_ATTEMPTS:
        lost = Finding(verdict=Verdict.CANDIDATE_ERROR, reason="The workers that compared it were lost.")
        return Comparison(question=question, declaration=declaration, finding=lost)
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True):
        expected = store.rules(tenant_id=owner.id, capability=owed.capability, now=now)
    control = control_of(owed.capability)
    return compare(declaration=declaration, control=control, question=question, rules=expected, chance=chance, now=now)


def _stratum(days: int) -> str:
    """A few strata, however many numbers of days are asked for."""
    return next((f"days<={most}" for most in (7, 31, 92) if days <= most), "days>92")
