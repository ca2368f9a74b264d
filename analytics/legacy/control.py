"""Legacy control: the old endpoints as one side of a comparison, with the cut-off of each day."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.db import DatabaseError

from analytics.drift.controls import Basis, FailureKind, LegacyAnswer, LegacyFailure
from analytics.legacy.answers import Day, cfd, stored_days
from analytics.legacy.midnight import Organisation, organisations
from analytics.pure.cutoffs import Cutoff
from analytics.pure.zones import zone
from tasks_app.tenancy import ContextRefused, DatabaseRole, entered

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CfdControl:
    """`GET /api/v1/analytics/cfd` without HTTP."""

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        """See Control."""
        try:
            found = organisations(tenant_id=tenant_id)
            if not found:
                return LegacyFailure(kind=FailureKind.NOT_ASKED, reason="There is no such organisation.")
            return _answer(found[0], days=days, now=now)
        except (DatabaseError, ContextRefused):
            logger.exception("The old diagram of tenant %s could not be read.", tenant_id)
            return LegacyFailure(kind=FailureKind.UNREACHABLE, reason="The older side's days could not be read.")


def _answer(organisation: Organisation, *, days: int, now: datetime) -> LegacyAnswer:
    with entered(tenant_id=organisation.id, role=DatabaseRole.WORKER, read_only=True):
        stored = stored_days(organisation=organisation, days=days, now=now)
        body = cfd(organisation=organisation, days=stored)
    cutoffs = {day.date.isoformat(): _cutoff(day, organisation) for day in stored}
    return LegacyAnswer(
        body=body,
        status=200,
        as_of=max((each.happened_before for each in cutoffs.values()), default=None),
        basis=Basis.KNOWN,
        cutoffs=cutoffs,
    )


def _cutoff(day: Day, organisation: Organisation) -> Cutoff:
    """When the job counted. A day that was invented claims to have been counted as it began, and is held to that."""
    counted_at, known_at, snapshot = day.counted_at.astimezone(UTC), day.known_at.astimezone(UTC), day.snapshot or None
    if not day.invented:
        return Cutoff(happened_before=counted_at, known_at=known_at, snapshot=snapshot)
    claimed = datetime.combine(day.date, time.min, tzinfo=zone(organisation.timezone)).astimezone(UTC)
    return Cutoff(happened_before=claimed, known_at=known_at, snapshot=snapshot, invented_at=counted_at)
