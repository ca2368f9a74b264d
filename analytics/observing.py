"""How far behind the derived is, for /metrics and /health/ready: tails of all tenants, and whether a worker is heard."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from health_check.exceptions import ServiceWarning
from prometheus_client.core import GaugeMetricFamily, Metric

from analytics.rollups.compact import owners
from analytics.windows.folded import FoldedFamily, folded_families
from tasks_app.observing.gauges import TIMEOUT_SECONDS, LookedUp, impatiently
from tasks_app.observing.objectives import WORKER
from tasks_app.observing.readiness import Look
from tasks_app.tenancy import DatabaseRole, entered

SILENT = "/* observing.worker_silent */ SELECT extract(epoch FROM now() - h.at)::float8 FROM heartbeat h"


class TailGauges(LookedUp):
    """What waits to be folded, by family: of all tenants together, for a label by tenant would have no bound."""

    def look_up(self) -> Iterator[Metric]:
        """Two gauges. A short transaction for each tenant."""
        rows = GaugeMetricFamily("flowledger_tail_rows", "Facts that wait to be folded.", labels=["family"])
        age = GaugeMetricFamily(
            "flowledger_tail_oldest_seconds", "How long the first of them has waited.", labels=["family"]
        )
        now = datetime.now(UTC)  # noqa: TID251 - a scrape is an edge
        for name, (waiting, oldest) in _tails().items():
            rows.add_metric([name], waiting)
            age.add_metric([name], max((now - oldest).total_seconds(), 0) if oldest else 0)
        yield from (rows, age)


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


def _tails() -> dict[str, tuple[int, datetime | None]]:
    found: dict[str, tuple[int, datetime | None]] = {}
    for owner in owners(tenant_id=None):
        with entered(tenant_id=owner.id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=TIMEOUT_SECONDS):
            for family in folded_families(tenant_id=owner.id):
                rows, oldest = found.get(family.family, (0, None))
                found[family.family] = (rows + family.tail_rows, _first(oldest, family))
    return found


def _first(oldest: datetime | None, family: FoldedFamily) -> datetime | None:
    return min((each for each in (oldest, family.oldest_tail_at) if each), default=None)


def _silent_for() -> timedelta | None:
    """None where nobody ever folded."""
    with connection.cursor() as cursor:
        cursor.execute(SILENT)
        row = cursor.fetchone()
    return timedelta(seconds=max(row[0], 0)) if row else None
