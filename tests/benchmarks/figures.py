"""flow_figures and dashboard: what each figure takes over POST /graphql, uncached, alone and eight at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from analytics.engine.wings import figures_by_name
from tasks_app.imports.transitions import ImportOrder, import_transitions
from tasks_app.imports.workflow import read_workflow
from tests.benchmarks.companies import new_tenant
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import BEGINNING, END, companies_with_history
from tests.benchmarks.keys import new_key
from tests.benchmarks.logs import ROWS, generated_log
from tests.benchmarks.logs import WORKFLOW as OF_GENERATED
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.requests import Door
from tests.benchmarks.scratch import vacuum
from tests.benchmarks.stopwatch import say, taking_turns

SECONDS_GOAL = 0.150
CFD_GOAL = 10.0
TOGETHER_GOAL = 1.0
ROUNDS = 7
TRANSITIONS_PER_ITEM = 10
ITEMS = 1_000_000
TENANTS = 50
# A log of this shape that people know; without it one is generated.
REAL_LOG = Path(settings.BASE_DIR).parent / "shared/data/bpic2013_incidents/transitions.csv.gz"
OF_REAL_LOG = "Queued:todo,Accepted:in_progress,Unmatched:in_progress:waiting,Completed:done"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

TIMES = "{ state { slug } visits totalSeconds meanSeconds p50Seconds p85Seconds p95Seconds ongoingVisits }"
SUMMARY = "{ items neverStarted inferred meanSeconds p50Seconds p85Seconds p95Seconds p50Days }"
EDGE = "{ from { slug } to { slug } count medianSeconds }"
DIAGRAM = "{ series { state { slug } counts } arrivals departures left discarded difference }"
POLICIES = ("FIRST_START_LAST_FINISH", "LAST_START_LAST_FINISH", "SUM_OF_EPISODES", "ERASE_BACKFLOW")
CFD = "cumulativeFlow"

# What is asked of each figure; more than one selection where arguments change what there is to do.
SELECTIONS: Mapping[str, str] = {
    CFD: f"cumulativeFlow {DIAGRAM}",
    "cumulativeFlow of occupancy": f"cumulativeFlow(mode: OCCUPANCY) {DIAGRAM}",
    "cumulativeFlow with corrections": "cumulativeFlow { series { counts } correctionWindows { taskKey from to } }",
    "workInProgress": "workInProgress",
    "throughput": "throughput { finished finishEvents cancelled }",
    "states": "states { slug name category }",
    "transitions": f"transitions {EDGE}",
    "churn": f"churn {{ reopenRate abandoned reverts scopeAdded scopeRemoved edges {EDGE} }}",
    "identities": "identities { name ok difference }",
    "aging": "aging(first: 100) { totalCount edges { node { taskKey state { slug } ageSeconds percentile } } }",
    "forecast": "forecast(items: 10) { status percentiles { probability date } }",
    "validation": "validation { state { slug } p50Seconds }",
    "dataQuality": "dataQuality { score checks { code failures taskKeys } }",
    "timeInState": f"timeInState {TIMES}",
    "timeInState in full": f"timeInState(clip: FULL) {TIMES}",
    "bottlenecks": f"bottlenecks(first: 3) {TIMES}",
    **{f"cycleTime {policy}": f"cycleTime(policy: {policy}) {SUMMARY}" for policy in POLICIES},
    "cycleTime with points": "cycleTime { items points(first: 100) { totalCount edges { node { taskKey seconds } } } }",
    "leadTime": f"leadTime {SUMMARY}",
    "flowEfficiency": "flowEfficiency { status value }",
}
QUERY = """
query ($from: DateTime!, $to: DateTime!, $project: String) {{
  analytics(window: {{between: {{from: $from, to: $to}}}}, project: $project, bucket: DAY) {{ {figures} }}
}}
"""
EIGHT = (CFD, "throughput", "workInProgress", "timeInState", "cycleTime FIRST_START_LAST_FINISH", "leadTime", "aging")
DASHBOARDS = {"dashboard": (*EIGHT, "flowEfficiency"), "dashboard:churn": (*EIGHT, "churn")}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Over whose figures a benchmark goes: a door, and the window and project that it is asked about."""

    door: Door
    variables: Mapping[str, Any]

    def seconds(self, *names: str) -> float:
        """What these selections take in one request."""
        return self.door.seconds(query_of(*names), self.variables)


def query_of(*names: str) -> str:
    """One request for these selections."""
    return QUERY.format(figures=" ".join(SELECTIONS[name] for name in names))


def flow_figures(request: Request) -> Iterator[Outcome]:
    """Of a project of 65,000 events against 150 ms, and of one tenant of fifty that have 1,000,000 items against its diagram.

    The ratio is that of the slowest figure. `rows` are transitions of the fifty tenants; the log then has a hundredth of
    them. Fails when there is a figure that has no selection here.
    """
    rows = None if request.rows is None else max(request.rows // 100, 1000)
    yield _outcome("flow_figures:project", _log_asked(rows), seconds_goal=SECONDS_GOAL)
    yield _outcome("flow_figures:tenant", _tenant_asked(request.size(ITEMS * TRANSITIONS_PER_ITEM)))


def dashboard(request: Request) -> Iterator[Outcome]:
    """Eight figures of the log's project in one request against the same eight in one request each."""
    asked = _log_asked(request.rows)
    for name, figures in DASHBOARDS.items():
        variants = {figure: partial(asked.seconds, figure) for figure in figures}
        seconds = taking_turns({**variants, "together": partial(asked.seconds, *figures)}, rounds=ROUNDS)
        times = {figure: median(samples) for figure, samples in seconds.items()}
        together = times.pop("together")
        yield Outcome(
            name=name,
            ratio=together / sum(times.values()),
            goal=TOGETHER_GOAL,
            detail={
                "milliseconds_together": _milliseconds(together),
                "milliseconds": {figure: _milliseconds(each) for figure, each in times.items()},
            },
        )


def _outcome(name: str, asked: Asked, *, seconds_goal: float | None = None) -> Outcome:
    say(name)
    seconds = taking_turns({each: partial(asked.seconds, each) for each in SELECTIONS}, rounds=ROUNDS)
    times = {each: median(samples) for each, samples in seconds.items()}
    base = seconds_goal or times[CFD]
    slowest = max(times, key=lambda each: times[each])
    left_out = sorted(figures_by_name().keys() - {each.split()[0] for each in SELECTIONS})
    return Outcome(
        name=name,
        ratio=times[slowest] / base,
        goal=1.0 if seconds_goal else CFD_GOAL,
        also=not left_out,
        detail={
            "slowest": slowest,
            "milliseconds": {each: _milliseconds(taken) for each, taken in times.items()},
            "to_the_diagram": {each: round(taken / times[CFD], 2) for each, taken in times.items()},
            "left_out": left_out,
        },
    )


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 1)


def _log_asked(rows: int | None) -> Asked:
    """A year of a log, imported and folded. The real one, where it is there and no other size is asked for."""
    tenant = new_tenant(since=NOW)
    with TemporaryDirectory() as scratch:
        is_real = rows is None and REAL_LOG.exists()
        path = REAL_LOG if is_real else generated_log(Path(scratch) / "log.csv", rows=rows or ROWS)
        workflow = read_workflow(OF_REAL_LOG if is_real else OF_GENERATED)
        order = ImportOrder(path=path, project_key="LOG", workflow=workflow)
        import_transitions(tenant=tenant, order=order, now=NOW)
    vacuum("task_ledger", "task")
    fold_all()
    first, last = ("2011-06-01", "2012-06-01") if is_real else ("2025-01-01", "2026-01-01")
    variables = {"from": f"{first}T00:00:00Z", "to": f"{last}T00:00:00Z", "project": "LOG"}
    return Asked(door=_door(tenant.id), variables=variables)


def _tenant_asked(transitions: int) -> Asked:
    company = companies_with_history(companies=TENANTS, transitions=transitions)[TENANTS // 2]
    fold_all()
    variables = {"from": BEGINNING.isoformat(), "to": END.isoformat(), "project": None}
    return Asked(door=_door(company.tenant.id), variables=variables)


def _door(tenant: int) -> Door:
    return Door(application=WSGIHandler(), secret=new_key(tenant))
