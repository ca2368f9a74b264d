"""Metrics for Prometheus, the process's own. Every label has few values, and none that a caller chooses.

With PROMETHEUS_MULTIPROC_DIR set they are kept in files there, and any process that shares the directory tells them all.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from tasks_app.errors import Code
from tasks_app.observing.judging import OTHER, Served, Verdict
from tasks_app.observing.objectives import DEFAULTS

REGISTRY: Final = CollectorRegistry()
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)
JOB_SECONDS: Final = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600)
OK: Final = "OK"
TIMED_OUT: Final = "TIMED_OUT"
LIMITS: Final = frozenset({"address", "caller", "tenant", "running", "burst", "sign_in"})
MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"

ANSWERS = Counter("flowledger_answers", "Answers given.", ["operation", "code"], registry=REGISTRY)
ANSWER_SECONDS = Histogram(
    "flowledger_answer_seconds",
    "How long synchronous answers took, by phase: queue, compute, serialise, and the whole.",
    ["operation", "phase"],
    buckets=SECONDS,
    registry=REGISTRY,
)
JOB_LASTED = Histogram(
    "flowledger_job_seconds",
    "How long jobs took, by phase: queue until a worker took them, compute, serialise, and the whole.",
    ["kind", "phase", "code"],
    buckets=JOB_SECONDS,
    registry=REGISTRY,
)
VALID = Counter(
    "flowledger_service_level_valid", "Answers that count for an objective.", ["objective"], registry=REGISTRY
)
GOOD = Counter("flowledger_service_level_good", "Those of them that were good.", ["objective"], registry=REGISTRY)
POINTS = Counter("flowledger_cost_points", "What operations cost, in points.", ["operation"], registry=REGISTRY)
LIMITED = Counter("flowledger_limiter_refusals", "Requests refused, by the limit.", ["limit"], registry=REGISTRY)

# A counter that appears with its first failure has no rate for it: these are there from the start.
for objective in DEFAULTS.objectives:
    VALID.labels(objective.name)
    GOOD.labels(objective.name)


# To look labels up is most of what counting costs; there are few of them.
@cache
def _answers(operation: str, code: str) -> Counter:
    return ANSWERS.labels(operation, code)


@cache
def _answer_seconds(operation: str, phase: str) -> Histogram:
    return ANSWER_SECONDS.labels(operation, phase)


@cache
def _objective(name: str) -> tuple[Counter, Counter]:
    return VALID.labels(name), GOOD.labels(name)


def answered(served: Served, *, phases: Mapping[str, float]) -> None:
    """One answer, with the gravest of its codes."""
    _answers(served.operation, code_label(served)).inc()
    for phase, seconds in phases.items():
        _answer_seconds(served.operation, phase).observe(seconds)


def judged(verdicts: Iterable[Verdict]) -> None:
    """An answer's objectives."""
    for verdict in verdicts:
        valid, good = _objective(verdict.name)
        valid.inc()
        if verdict.good:
            good.inc()


def job_ended(*, kind: str, served: Served, phases: Mapping[str, float]) -> None:
    """A job, well or not. `kind` is a word of ours."""
    for phase, seconds in phases.items():
        JOB_LASTED.labels(kind, phase, code_label(served)).observe(seconds)


def spent(points: float, *, operation: str) -> None:
    """What an operation cost in the end."""
    POINTS.labels(operation).inc(points)


def limited(limit: str) -> None:
    """A request was refused by that limit: one of LIMITS."""
    LIMITED.labels(limit if limit in LIMITS else OTHER).inc()


def code_label(served: Served) -> str:
    """OK, TIMED_OUT or one of the API's codes: the one that is most ours."""
    if served.timed_out:
        return TIMED_OUT
    if served.failed:
        return Code.INTERNAL.value
    return min((Code(code).value for code in served.codes), default=OK)


def registry_of(collectors: Sequence[Collector]) -> CollectorRegistry:
    """Everything to be told now: this process's metrics, or those of all that share the directory, and the collectors'."""
    registry = CollectorRegistry()
    if os.environ.get(MULTIPROCESS):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_Own())
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    return registry


class _Own(Collector):
    """What this process has counted."""

    def collect(self) -> Iterable[object]:  # type: ignore[override]
        return REGISTRY.collect()
