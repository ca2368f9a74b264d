"""Switch between the two sides of the old diagram: who answers a tenant, and what is owed for the answer.

It stands above both: the old endpoints know nothing of the engine, and the dual run knows nothing of them.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from analytics.drift.arithmetic.stages import Side
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability
from analytics.drift.due import owe
from analytics.drift.rollback import Served
from analytics.drift.stages import Standing, stage_to_answer
from analytics.legacy.answers import VERSION, cfd, stored_days, written
from analytics.legacy.midnight import Organisation, organisations
from analytics.legacy.views import Switched
from analytics.pure.stages import Stage
from analytics.pure.zones import ONE_DAY, dates, local_date
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, TenantFacts, entered

logger = logging.getLogger(__name__)

FLOW: Final = Capability.CUMULATIVE_FLOW

Body = Mapping[str, Any]


def switch_flow(*, tenant: TenantFacts | Organisation, days: int, now: datetime, old: Callable[[], Body]) -> Switched:
    """The diagram from the side that answers this tenant, in the old shape. See analytics.legacy.views.Switch."""
    standing = stage_to_answer(tenant_id=tenant.id, capability=FLOW)
    side, body = _answered(standing, tenant, days=days, now=now, old=old)
    return Switched(
        body=body,
        answered_by=side.value,
        stage=standing.flag.stage.value,
        flag_version=standing.flag.version,
        owed=lambda: _owe(standing, days=days, asked_at=now),
    )


def counted_flow(*, tenant: TenantFacts | Organisation, days: int, now: datetime) -> Body:
    """Ours in the old shape: each of the last `days` local dates, as its board stood when the day began.

    Dates before anything was recorded are left out, as the old side has no row of them either. To be used in a read-only
    transaction of the tenant.
    """
    flow, zone = DECLARED[FLOW], tenant.timezone
    today = local_date(instant=now, zone_name=zone)
    asked = [day.isoformat() for day in dates(first=today - ONE_DAY * (days - 1), last=today, zone_name=zone)]
    cutoffs = {day: flow.cutoff(day, zone) for day in asked}
    figures = flow.ours.as_of_cutoffs(tenant_id=tenant.id, zone=zone, cutoffs=cutoffs, now=now)
    known = ((day, figures[day]) for day in asked)
    return {
        "version": VERSION,
        "organisation": tenant.slug,
        "timezone": zone,
        "generated_at": written(now),
        "days": [{"date": day, **counts} for day, counts in known if None not in counts.values()],
    }


@dataclass(frozen=True)
class FlowFront:
    """`GET /api/v1/analytics/cfd` without HTTP, for drills. See analytics.drift.rollback.Front."""

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> Served:
        """What the endpoint would say now. Refused when there is no such tenant."""
        found = organisations(tenant_id=tenant_id)
        if not found:
            raise Refused("There is no such organisation.")
        organisation = found[0]

        def old() -> Body:
            stored = stored_days(organisation=organisation, days=days, now=now)
            return cfd(organisation=organisation, days=stored)

        with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
            switched = switch_flow(tenant=organisation, days=days, now=now, old=old)
        return Served(answered_by=Side(switched.answered_by), flag_version=switched.flag_version, body=switched.body)


def _answered(
    standing: Standing, tenant: TenantFacts | Organisation, *, days: int, now: datetime, old: Callable[[], Body]
) -> tuple[Side, Body]:
    """As long as there is a way back, nobody is left without an answer because ours fails. Comparisons tell of it."""
    if standing.answered_by is Side.LEGACY:
        return Side.LEGACY, old()
    if standing.flag.stage is Stage.COMPLETE:
        return Side.CANONICAL, counted_flow(tenant=tenant, days=days, now=now)
    try:
        with transaction.atomic():  # a savepoint: what fails in it leaves the old side a transaction to read in
            return Side.CANONICAL, counted_flow(tenant=tenant, days=days, now=now)
    except Exception:
        logger.exception("%s failed for tenant %s: the older side answers.", FLOW, tenant.slug)
        return Side.LEGACY, old()


def _owe(standing: Standing, *, days: int, asked_at: datetime) -> None:
    if not standing.is_compared:
        return
    with entered(tenant_id=standing.tenant_id, role=DatabaseRole.TENANT):
        owe(
            tenant_id=standing.tenant_id,
            capability=standing.capability,
            days=days,
            stage=standing.flag.stage.value,
            flag_version=standing.flag.version,
            asked_at=asked_at,
            position=standing.snapshot,
        )
