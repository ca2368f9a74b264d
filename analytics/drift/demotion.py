"""Demotion: a switch that takes itself back, of one tenant, by one stage, when given answers begin to differ."""

import logging
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError, connection

from analytics.drift.arithmetic.breaches import LONG, SHORT, Recent, breach, may_step_back
from analytics.drift.arithmetic.stages import Flag, stage_below
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.controls import Capability
from analytics.drift.stages import Standing, last_demotion, set_stage, stage_of, stale
from analytics.engine.rollups.compact import owners
from analytics.models import StageCause
from tasks_app.models import Actor, ActorKind
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

NAME: Final = "dual run"

# What was compared since the flag got its version, and of that what is newest.
RECENT = """/* drift.recent */
SELECT verdict, count(*), count(*) FILTER (WHERE compared_at > %(short)s) FROM drift_comparison
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND flag_version = %(version)s
   AND compared_at > %(long)s AND compared_at <= %(now)s
 GROUP BY verdict
"""
HAND = """/* drift.hand */
INSERT INTO actor (tenant_id, kind, name) VALUES (%(tenant)s, %(kind)s, %(name)s)
    ON CONFLICT (tenant_id, kind, name) WHERE user_id IS NULL AND api_key_id IS NULL DO NOTHING
"""


def step_back(tenant_id: int, capability: Capability, now: datetime) -> Standing | None:
    """The switch one stage lower, where that has to be; None where nothing was done. For after each comparison."""
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        standing = stage_of(tenant_id=tenant_id, capability=capability)
        why = _why(standing, now=now)
    if why is None:
        return None
    try:
        with entered(tenant_id=tenant_id, actor_id=_hand(tenant_id), role=DatabaseRole.WORKER):
            return _stepped(standing, why, now=now)
    except Refused:  # somebody has just changed it by hand, which counts for more
        return None


def step_back_all(*, now: datetime) -> int:
    """Looks at every switch of every tenant and says how many were taken back. A tenant that fails stops no other."""
    taken = 0
    for owner in owners():
        for capability in Capability:
            try:
                taken += step_back(owner.id, capability, now) is not None
            except DatabaseError:
                logger.exception("The switch of %s for tenant %s could not be looked at.", capability, owner.slug)
    return taken


def stale_all(*, now: datetime) -> int:
    """Logs every switch that stands half way for too long, and says how many those are."""
    found = 0
    for owner in owners():
        with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True):
            late = stale(tenant_id=owner.id, now=now)
        for each in late:
            logger.warning(
                "%s of tenant %s is %s since %s: complete it or take it back.",
                each.capability,
                owner.slug,
                each.flag.stage,
                each.changed_at.date(),
            )
        found += len(late)
    return found


def _why(standing: Standing, *, now: datetime) -> str | None:
    if stage_below(standing.flag.stage) is None:
        return None
    last = last_demotion(tenant_id=standing.tenant_id, capability=standing.capability)
    return breach(_recent(standing, now=now)) if may_step_back(standing.flag, demoted_at=last, now=now) else None


def _recent(standing: Standing, *, now: datetime) -> Recent:
    values: dict[str, Any] = {
        "tenant": standing.tenant_id,
        "capability": standing.capability.value,
        "version": standing.flag.version,
        "now": now,
        "long": now - LONG,
        "short": now - SHORT,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECENT, values)
        rows = [(Verdict(verdict), long, short) for verdict, long, short in cursor.fetchall()]
    return Recent(long={each[0]: each[1] for each in rows}, short={each[0]: each[2] for each in rows})


def _stepped(standing: Standing, why: str, *, now: datetime) -> Standing | None:
    below = stage_below(standing.flag.stage)
    if below is None:
        return None
    wanted = Flag(stage=below, percent=standing.flag.percent, version=standing.flag.version + 1)
    logger.warning("%s of tenant %s goes back to %s: %s", standing.capability, standing.tenant_id, below, why)
    return set_stage(standing, wanted=wanted, reason=why, cause=StageCause.BREACH, now=now)


def _hand(tenant_id: int) -> int:
    """The actor whom the ledger names for what nobody asked for."""
    values: dict[str, Any] = {"tenant": tenant_id, "kind": ActorKind.JOB.value, "name": NAME}
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER), connection.cursor() as cursor:
        cursor.execute(HAND, values)
        return Actor.objects.get(tenant_id=tenant_id, kind=ActorKind.JOB, name=NAME, user=None, api_key=None).id
