"""Lag of the derived, for /metrics and /health/ready: tails and jobs, and whether a worker is heard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from health_check.exceptions import ServiceWarning
from prometheus_client.core import GaugeMetricFamily, Metric

from analytics.engine.reading.fold_lag import folded_families
from analytics.engine.rollups.compact import owners
from analytics.models.analytics_job import ACTIVE
from tasks_app.observing.gauges import TIMEOUT_SECONDS, LookedUp, impatiently
from tasks_app.observing.objectives import WORKER
from tasks_app.observing.readiness import Look
from tasks_app.tenancy import DatabaseRole, entered

JOBS = """/* observing.jobs */
SELECT state, count(*), min(submitted_at) FROM analytics_job
 WHERE tenant_id = %(tenant)s AND state IN ('PENDING', 'RUNNING') GROUP BY state
"""
SILENT = "/* observing.worker_silent */ SELECT extract(epoch FROM now() - h.at)::float8 FROM heartbeat h"


@dataclass(frozen=True, slots=True)
class Backlog:
    """So many wait, the first since `oldest`."""

    waiting: int = 0
    oldest: datetime | None = None

    def plus(self, waiting: int, oldest: datetime | None) -> "Backlog":
        """With more of them."""
        first = min((each for each in (self.oldest, oldest) if each), default=None)
        return Backlog(self.waiting + waiting, first)


class TenantGauges(LookedUp):
    """What waits to be folded, by family, and jobs by state: of all tenants together, for a label by tenant has no bound."""

    def look_up(self) -> Iterator[Metric]:
        """Four gauges. A short transaction for each tenant."""
        now = datetime.now(UTC)  # noqa: TID251 - a scrape is an edge
        tails, jobs = _backlogs()
        yield from _gauges("tail", "family", "rows", "Facts that wait to be folded.", tails, now=now)
        yield from _gauges("jobs", "state", "active", "Jobs that are not over.", jobs, now=now)


def _gauges(
    name: str, label: str, unit: str, sentence: str, found: Mapping[str, Backlog], *, now: datetime
) -> Iterator[Metric]:
    """How many, and how old the first is."""
    many = GaugeMetricFamily(f"flowledger_{name}_{unit}", sentence, labels=[label])
    age = GaugeMetricFamily(f"flowledger_{name}_oldest_seconds", "How long the first has waited.", labels=[label])
    for key, backlog in found.items():
        many.add_metric([key], backlog.waiting)
        age.add_metric([key], max((now - backlog.oldest).total_seconds(), 0) if backlog.oldest else 0)
    yield from (many, age)


class WorkerGauge(LookedUp):
    """How long ago folding last went over the tenants."""

    def look_up(self) -> Iterator[Metric]:
        """One gauge."""
        with impatiently():
            silent = _silent_for()
        if silent is not None:
            yield GaugeMetricFamily(
                "flowledger_worker_silent_seconds", "Since the worker was last heard.", value=silent.total_seconds()
            )


@dataclass
class WorkerIsHeard(Look):
    """A worker folds. Without one answers are right, only slower: so this is never more than a warning."""

    def look(self) -> None:
        """One statement."""
        silent = _silent_for()
        if silent is None:
            raise ServiceWarning("A worker was never heard.")
        if silent > settings.FLOWLEDGER_SERVICE_LEVELS.alarm(WORKER).after:
            raise ServiceWarning(f"The worker was last heard {silent.total_seconds() / 60:.0f} minutes ago.")


def _backlogs() -> tuple[dict[str, Backlog], dict[str, Backlog]]:
    """Of folding by family and of jobs by state. A state without jobs is told, too."""
    tails = dict[str, Backlog]()
    jobs = {state.value: Backlog() for state in ACTIVE}
    for owner in owners():
        with entered(tenant_id=owner.id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=TIMEOUT_SECONDS):
            for each in folded_families(tenant_id=owner.id):
                tails[each.family] = tails.get(each.family, Backlog()).plus(each.tail_rows, each.oldest_tail_at)
            for state, count, oldest in _active_jobs(owner.id):
                jobs[state] = jobs[state].plus(count, oldest)
    return tails, jobs


def _active_jobs(tenant_id: int) -> Sequence[tuple[str, int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(JOBS, {"tenant": tenant_id})
        found: Sequence[tuple[str, int, datetime]] = cursor.fetchall()
    return found


def _silent_for() -> timedelta | None:
    """None where nobody ever folded."""
    with connection.cursor() as cursor:
        cursor.execute(SILENT)
        row = cursor.fetchone()
    return timedelta(seconds=max(row[0], 0)) if row else None
