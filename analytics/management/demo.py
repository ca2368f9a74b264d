"""Demo of the dual run: an older job that slept through three nights, which were made up afterwards.

The nights before the demo was made are counted once, from what was reported of them, and each row tells by its `known_at`
that it was written only then. All else is the product's own work: the switch, what is owed, the backfill, the drill.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.controls import Capability
from analytics.drift.due import owe, run_owed
from analytics.drift.gate import Wish, decided, switch
from analytics.drift.report_sentences import told
from analytics.drift.rollback import drill
from analytics.drift.stages import stage_of
from analytics.drift.stored_day_checks import compare_rest
from analytics.legacy.midnight import backfill, organisations
from analytics.models import DriftRest
from analytics.pure.stages import Stage
from analytics.pure.zones import local_date
from tasks_app.models import Actor, ActorKind
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, TenantFacts, entered

FLOW: Final = Capability.CUMULATIVE_FLOW
SLEPT: Final = (12, 11, 10)  # days ago
ASKED: Final = (7, 30, 90)  # days back, as the older diagram's readers ask
SHOWN: Final = timedelta(days=29)
REASON: Final = (
    "Part of the demo: the older side's nights until today were counted when the demo was made, three of them left out."
)

# What a job would have counted at each midnight: the last that was reported of each item before it. The story's past was
# reported in one transaction, the tenant's first; what was told later, no job can have known.
SEED = """/* demo.seed_nights */
WITH reported AS (
       SELECT max(recorded_at) AS known_at FROM task_ledger
        WHERE tenant_id = %(tenant)s AND xact = (
              SELECT xact FROM task_ledger WHERE tenant_id = %(tenant)s ORDER BY seq LIMIT 1)),
     stay AS (
       SELECT l.happened_at AS since, l.kind, l.to_id,
              lead(l.happened_at) OVER (PARTITION BY l.task_id ORDER BY l.happened_at, l.seq) AS until
         FROM task_ledger l, reported r
        WHERE l.tenant_id = %(tenant)s AND l.kind <= 5 AND l.recorded_at <= r.known_at),
     night AS (
       SELECT day::date AS date, day AT TIME ZONE %(zone)s AS midnight
         FROM (SELECT max(recorded_since) AS since FROM project WHERE tenant_id = %(tenant)s) p,
              generate_series(date_trunc('day', p.since AT TIME ZONE %(zone)s) + interval '1 day',
                              %(today)s::date::timestamp, interval '1 day') AS day
        WHERE day::date <> ALL (%(slept)s::date[]))
INSERT INTO legacy_daily_metric (tenant_id, date, todo, in_progress, review, done, counted_at, known_at, invented)
SELECT %(tenant)s, n.date,
       count(*) FILTER (WHERE s.category = 'TODO'),
       count(*) FILTER (WHERE s.category = 'IN_PROGRESS' AND NOT s.needs_validation),
       count(*) FILTER (WHERE s.category = 'IN_PROGRESS' AND s.needs_validation),
       count(*) FILTER (WHERE s.category = 'DONE'),
       n.midnight, r.known_at, false
  FROM night n
 CROSS JOIN reported r
  LEFT JOIN (stay JOIN workflow_state s ON s.tenant_id = %(tenant)s AND s.id = stay.to_id AND stay.kind <> 4)
    ON stay.since < n.midnight AND (stay.until IS NULL OR stay.until >= n.midnight)
 GROUP BY n.date, n.midnight, r.known_at
ON CONFLICT (tenant_id, date) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What there is to see: each cause of drift in a sentence, and what else was found."""

    causes: Sequence[str]
    remarks: Sequence[str]


def live_dual_run(*, tenant: TenantFacts, now: datetime) -> Shown:
    """Makes the dual run of a tenant of the demo, unless it is there; a run that was killed is taken up.

    Refused for a tenant that the demo did not make: nothing is made up for anybody else.
    """
    begin(tenant=tenant, now=now)
    if not _is_found_out(tenant):
        _compared(tenant, now=now)
        _made_up(tenant, now=now)
        _compared(tenant, now=now)
        drill(tenant_id=tenant.id, capability=FLOW, now=now)
    return shown(tenant=tenant, now=now)


def begin(*, tenant: TenantFacts, now: datetime) -> None:
    """The nights as the job would have counted them, but those that it slept, and the switch in SHADOW: both, or nothing.

    A no-op where the switch was ever touched.
    """
    today = local_date(instant=now, zone_name=tenant.timezone)
    values: dict[str, Any] = {
        "tenant": tenant.id,
        "zone": tenant.timezone,
        "today": today,
        "slept": [today - timedelta(days=ago) for ago in SLEPT],
    }
    with entered(tenant_id=tenant.id, actor_id=_owner_id(tenant), role=DatabaseRole.WORKER):
        standing = stage_of(tenant_id=tenant.id, capability=FLOW)
        if standing.flag.version:
            return
        with connection.cursor() as cursor:
            cursor.execute(SEED, values)
        decision = decided(standing=standing, zone=tenant.timezone, now=now)
        wish = Wish(stage=Stage.SHADOW, percent=standing.flag.percent, reason=REASON)
        switch(standing=standing, wish=wish, decision=decision, now=now)


def shown(*, tenant: TenantFacts, now: datetime) -> Shown:
    """What its page says of the last 30 days."""
    last = local_date(instant=now, zone_name=tenant.timezone)
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, read_only=True):
        found = told(tenant_id=tenant.id, zone=tenant.timezone, capability=FLOW, first=last - SHOWN, last=last)
    return Shown(causes=[sentence for _, sentence in found.causes], remarks=found.remarks)


def _owner_id(tenant: TenantFacts) -> int:
    """The first of its people."""
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, read_only=True):
        actors = Actor.objects.filter(tenant_id=tenant.id)
        if not actors.filter(kind=ActorKind.IMPORT, name="demo").exists():
            raise Refused(f"--tenant: the demo did not make {tenant.slug!r}, and makes nothing up for others.")
        return actors.filter(kind=ActorKind.USER).earliest("id").id


def _is_found_out(tenant: TenantFacts) -> bool:
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, read_only=True):
        rest = DriftRest.objects.filter(tenant_id=tenant.id, capability=FLOW.value)
        return rest.filter(verdict=Verdict.DRIFT.value).exists()


def _compared(tenant: TenantFacts, *, now: datetime) -> None:
    """The older diagram is asked for, and the worker's two ways of comparing are gone."""
    with entered(tenant_id=tenant.id, role=DatabaseRole.TENANT):
        standing = stage_of(tenant_id=tenant.id, capability=FLOW)
        for days in ASKED if standing.is_compared else ():
            owe(
                tenant_id=tenant.id,
                capability=FLOW,
                days=days,
                stage=standing.flag.stage.value,
                flag_version=standing.flag.version,
                asked_at=now,
                position=standing.snapshot,
            )
    run_owed(now=now, tenant_id=tenant.id)
    compare_rest(now=now, tenant_id=tenant.id)


def _made_up(tenant: TenantFacts, *, now: datetime) -> None:
    """What legacy_backfill does: the nights that are missing among the stored ones show the board of now."""
    (organisation,) = organisations(tenant_id=tenant.id)
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, read_only=True):
        rows = DriftRest.objects.filter(tenant_id=tenant.id, capability=FLOW.value)
        missing: list[date] = sorted(rows.filter(verdict=Verdict.LEGACY_ERROR.value).values_list("day", flat=True))
    if missing:
        backfill(organisation=organisation, first=missing[0], last=missing[-1], now=now)
