"""Jobs page: how far each is, what it cost, how many wait. Neither what was asked nor what was answered."""

from datetime import datetime, timedelta
from typing import Any

from django.http.response import HttpResponseBase

from analytics.models import AnalyticsJob, JobState
from analytics.models.analytics_job import ACTIVE
from tasks_app.admin.visits import Visit

MOST_ROWS = 200
PERCENT = 100
UNITS_A_SECOND = 1_000_000
# While something is under way the page looks again.
REFRESH_SECONDS = 5


def jobs(visit: Visit) -> HttpResponseBase:
    """The newest first, those that are not over before all others."""
    rows = AnalyticsJob.objects.filter(tenant_id=visit.tenant.id).select_related("actor").defer("document", "result")
    active = list(rows.filter(state__in=ACTIVE).order_by("submitted_at", "id")[:MOST_ROWS])
    over = list(rows.exclude(state__in=ACTIVE).order_by("-id")[:MOST_ROWS])
    told = [_told(row, now=visit.now) for row in (*active, *over)]
    counts = {state.value: sum(row.state == state for row in active) for state in ACTIVE}
    refresh = REFRESH_SECONDS if active else None
    return visit.page("admin/jobs.html", title="Jobs", jobs=told, counts=counts, refresh=refresh)


def _told(row: AnalyticsJob, *, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "asker": row.actor.name,
        "percent": round(PERCENT * row.progress),
        "is_running": row.state == JobState.RUNNING,
        "is_late": row.state == JobState.RUNNING and row.lease_until is not None and row.lease_until <= now,
        "submitted_at": row.submitted_at,
        "waited": _seconds(row.submitted_at, row.started_at or row.finished_at or now),
        "took": _seconds(row.started_at, row.finished_at or now) if row.started_at else None,
        "estimated": row.estimated_cost / UNITS_A_SECOND,
        "attempt": row.attempt,
        "error": row.error_message,
        "code": row.error_code,
    }


def _seconds(begin: datetime, end: datetime) -> float:
    return max(end - begin, timedelta()).total_seconds()
