"""shadow_overhead: what a request to the older endpoint pays for being compared."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median, quantiles

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from analytics.drift.arithmetic.stages import Flag
from analytics.drift.controls import Capability
from analytics.drift.stages import set_stage, stage_of, stage_to_answer
from analytics.legacy.midnight import backfill, organisations
from analytics.models import StageCause
from analytics.pure.stages import Stage
from tasks_app.tenancy import DatabaseRole, entered
from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import companies_with_history
from tests.benchmarks.keys import lift_limits, new_key
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.requests import OldDoor
from tests.benchmarks.stopwatch import timed

FLOW = Capability.CUMULATIVE_FLOW
GOAL = 1.05
DAYS = 30
BLOCKS, TURNS = 20, 50
STAGES = (Stage.OFF, Stage.SHADOW)
Seconds = dict[Stage, list[tuple[float, float]]]


def shadow_overhead(request: Request) -> Iterator[Outcome]:
    """GET /api/v1/analytics/cfd?days=30 with a key, OFF against SHADOW; `rows` are transitions.

    Two tenants of one size take turns, and from block to block they change places. What counts is the time until the last
    byte of the reply; what is owed is done after that, and told apart.
    """
    settings.FLOWLEDGER_REQUESTS_A_MINUTE = 10_000_000
    companies = companies_with_history(companies=2, transitions=request.size(50_000))
    fold_all()
    doors = {company.tenant.id: _door(company) for company in companies}
    seconds: Seconds = {stage: [] for stage in STAGES}
    for block in range(BLOCKS):
        stages = dict(zip(doors, STAGES if block % 2 else reversed(STAGES), strict=True))
        _block(doors, stages, seconds, order=Random(block))
    replies = {stage: [reply for reply, _ in samples] for stage, samples in seconds.items()}
    owing = {stage: [owed for _, owed in samples] for stage, samples in seconds.items()}
    off, shadow = replies[Stage.OFF], replies[Stage.SHADOW]
    # Of the two of one turn: what else the machine does slows both.
    more = median(compared - alone for alone, compared in zip(off, shadow, strict=True))
    reading = _stage_readings(companies[0])
    for name, ratio, of, goal in (
        ("shadow_overhead", 1 + more / median(off), median, GOAL),
        ("shadow_overhead:p99", _p99(shadow) / _p99(off), _p99, None),
    ):
        yield Outcome(
            name=name,
            ratio=ratio,
            goal=goal,
            detail={
                "requests": len(off),
                "milliseconds_to_the_reply": {stage.value: _milliseconds(of(each)) for stage, each in replies.items()},
                "milliseconds_owed_after_it": {stage.value: _milliseconds(of(each)) for stage, each in owing.items()},
                "milliseconds_of_reading_the_stage": _milliseconds(of(reading)),
            },
        )


def _door(company: Company) -> OldDoor:
    """Of a tenant whose job has counted the last days."""
    now = datetime.now(UTC)  # noqa: TID251 - the endpoint answers by its own clock
    (organisation,) = organisations(tenant_id=company.tenant.id)
    backfill(organisation=organisation, first=(now - timedelta(days=DAYS)).date(), last=now.date(), now=now)
    lift_limits(company.tenant.id)
    secret = new_key(company.tenant.id)
    return OldDoor(application=WSGIHandler(), secret=secret, path="/api/v1/analytics/cfd", query=f"days={DAYS}")


def _block(doors: dict[int, OldDoor], stages: dict[int, Stage], seconds: Seconds, *, order: Random) -> None:
    """Some turns with the tenants in these stages. The first request of each is nobody's."""
    for tenant, stage in stages.items():
        _switch(tenant, stage)
        doors[tenant].seconds()
    turns = list(stages.items())
    for _ in range(TURNS):
        order.shuffle(turns)
        for tenant, stage in turns:
            seconds[stage].append(doors[tenant].seconds())


def _switch(tenant: int, stage: Stage) -> None:
    now = datetime.now(UTC)  # noqa: TID251
    with entered(tenant_id=tenant, role=DatabaseRole.WORKER):
        before = stage_of(tenant_id=tenant, capability=FLOW)
        wanted = Flag(stage=stage, percent=100, version=before.flag.version + 1)
        set_stage(before, wanted=wanted, reason="A benchmark.", cause=StageCause.ASKED, now=now)


def _stage_readings(company: Company) -> list[float]:
    with entered(tenant_id=company.tenant.id, read_only=True):
        return [
            timed(lambda: stage_to_answer(tenant_id=company.tenant.id, capability=FLOW)) for _ in range(BLOCKS * TURNS)
        ]


def _p99(samples: list[float]) -> float:
    return quantiles(samples, n=100)[98]


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 3)
