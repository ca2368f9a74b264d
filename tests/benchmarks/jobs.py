"""job_decisions: whether what is answered at once takes no longer than it may. jobs_rate: what a job costs beside its query."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from django.core.cache import cache
from django.db import connection
from graphql import parse

from analytics.engine.graphql.weighing import Weighing, weighed
from analytics.engine.reading.costs import Decision
from analytics.engine.reading.estimates import policy
from analytics.jobs import rows
from analytics.jobs.dispatch import run_waiting
from analytics.jobs.job_rights import fingerprint_of, rights_of
from analytics.jobs.rows import Submission
from config.schema import schema
from tasks_app.access.callers import caller_of_actor
from tasks_app.graphql.asking import Asking
from tasks_app.tenancy import Caller, DatabaseRole, entered
from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import END, companies_with_history
from tests.benchmarks.keys import new_key
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.stopwatch import say, timed

TRANSITIONS = 300_000
# Of the decisions to answer at once so many are to be right: at most so many seconds.
GOAL = 0.9
SECONDS = 2.0
FIGURES = {
    "cumulativeFlow": "cumulativeFlow { arrivals }",
    "cumulativeFlowWhole": "cumulativeFlow { correctionWindows { taskKey } }",
    "workInProgress": "workInProgress",
    "throughput": "throughput { finished }",
    "transitions": "transitions { count }",
    "timeInState": "timeInState { visits }",
    "bottlenecks": "bottlenecks { visits }",
    "cycleTime": "cycleTime { items }",
    "leadTime": "leadTime { items }",
    "flowEfficiency": "flowEfficiency { value }",
    "aging": "aging(first: 1) { totalCount }",
    "churn": "churn { backflow }",
    "validation": "validation { waiting }",
    "identities": "identities { ok }",
    "dataQuality": "dataQuality { score }",
    "forecast": "forecast(items: 10) { seed }",
}
DAYS = (7, 90, 365)
SCOPES = {"project": 'project: "P"', "tenant": "", "replay": 'project: "P", readFrom: RAW'}

JOBS = 100
MOST_JOBS = 500
JOBS_GOAL = 3.0
KEY_ACTOR = "/* benchmarks.key_actor */ SELECT id FROM actor WHERE tenant_id = %s AND api_key_id IS NOT NULL"


@dataclass(frozen=True, kw_only=True)
class _Asked:
    figure: str
    scope: str
    days: int
    cost: int
    seconds: float


def job_decisions(request: Request) -> Iterator[Outcome]:
    """Each figure of each scope over three windows: the share of those below the limit of SYNC that were in time."""
    company = companies_with_history(companies=1, transitions=request.size(TRANSITIONS))[0]
    fold_all()
    who = _caller(company)
    asked = [_measured(who, figure, scope, days) for figure in FIGURES for scope in SCOPES for days in DAYS]
    most = policy().most(Decision.SYNC)
    at_once = [each for each in asked if each.cost <= most]
    in_time = [each for each in at_once if each.seconds <= SECONDS]
    yield Outcome(
        name="job_decisions",
        ratio=len(in_time) / len(at_once),
        goal=GOAL,
        at_least=True,
        detail={
            "questions": len(asked),
            "sync": len(at_once),
            "units_per_microsecond": _units(asked),
            "slowest_sync": _told(max(at_once, key=lambda each: each.seconds)),
        },
    )


def _measured(who: Caller, figure: str, scope: str, days: int) -> _Asked:
    start = END - timedelta(days=days)
    window = f'window: {{between: {{from: "{start.isoformat()}", to: "{END.isoformat()}"}}}}'
    document = f"{{ analytics({window}, bucket: DAY, {SCOPES[scope]}) {{ {FIGURES[figure]} }} }}"
    weighing = Weighing(policy=policy())
    samples = [timed(lambda: _answer(who, document, weighing)) for _ in range(2)]
    return _Asked(figure=figure, scope=scope, days=days, cost=weighing.cost // len(samples), seconds=min(samples))


def _answer(who: Caller, document: str, weighing: Weighing) -> None:
    cache.clear()
    with (
        weighed(weighing),
        entered(tenant_id=who.tenant.id, actor_id=who.actor_id, read_only=True, timeout_seconds=600),
    ):
        result = schema.run(
            document=parse(document),
            text=document,
            operation_name=None,
            variables=None,
            extensions=None,
            context=Asking(caller=who, now=END),
        )
    if result.errors:
        raise RuntimeError(f"{document}: {result.errors[0].message}")


def _units(asked: list[_Asked]) -> dict[str, dict[str, str]]:
    """By figure and scope: units for each microsecond that it took, and how long it took, by window."""
    return {
        figure: {
            f"{each.scope}/{each.days}": f"{each.cost / (each.seconds * 1e6):.2f} ({1000 * each.seconds:.0f} ms)"
            for each in asked
            if each.figure == figure
        }
        for figure in FIGURES
    }


def _told(asked: _Asked) -> str:
    return f"{asked.figure} of {asked.scope}, {asked.days} days: cost {asked.cost:,}, {asked.seconds:.2f} s"


def jobs_rate(request: Request) -> Iterator[Outcome]:
    """A small query as a job, from its submission to its kept answer, against the query itself."""
    company = companies_with_history(companies=1, transitions=2_000)[0]
    fold_all()
    who, number = _caller(company), min(request.size(JOBS), MOST_JOBS)
    documents = [
        f"{{ analytics(window: {{rolling: {{count: {n + 1}, unit: DAY}}}}, bucket: WEEK) {{ workInProgress }} }}"
        for n in range(number)
    ]

    def ask_all() -> None:
        for document in documents:
            _answer(who, document, Weighing(policy=policy()))

    def submit_all() -> None:
        for document in documents:
            _submit(who, document)

    plain = median(timed(ask_all) for _ in range(3))
    say("jobs")
    submitting = timed(submit_all)
    ran: list[int] = []
    running = timed(lambda: ran.append(run_waiting()))
    yield Outcome(
        name="jobs_rate",
        ratio=(submitting + running) / plain,
        goal=JOBS_GOAL,
        also=ran == [number],
        detail={
            "jobs": number,
            "jobs_per_second": round(number / (submitting + running), 1),
            "milliseconds": {
                "query": round(1000 * plain / number, 2),
                "submitting": round(1000 * submitting / number, 2),
                "running": round(1000 * running / number, 2),
            },
        },
    )


def _submit(who: Caller, document: str) -> None:
    variables = json.dumps({})
    asked = Submission(
        tenant_id=who.tenant.id,
        actor_id=who.actor_id,
        document=document,
        variables=variables,
        fingerprint=fingerprint_of(caller=who, document=document, variables=variables, place=[]),
        rights=rights_of(who),
        estimated_cost=1,
        lasting=False,
    )
    with entered(tenant_id=who.tenant.id, actor_id=who.actor_id, role=DatabaseRole.TENANT):
        rows.submit(asked, now=datetime.now(UTC))  # noqa: TID251


def _caller(company: Company) -> Caller:
    """A key with every scope."""
    new_key(company.tenant.id)
    tenant_id = company.tenant.id
    with entered(tenant_id=tenant_id, read_only=True), connection.cursor() as cursor:
        cursor.execute(KEY_ACTOR, [tenant_id])
        actor_id = cursor.fetchall()[0][0]
    return caller_of_actor(tenant_id=tenant_id, actor_id=actor_id, now=datetime.now(UTC))  # noqa: TID251
