"""What the worker does on its schedule. The clock is read here; one tenant's failure is logged and stops nobody else."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.conf import settings
from django.db import connections, transaction
from django_q.models import Schedule

from analytics.retention import limits, retain
from analytics.rollups.compact import NotFolded, compact
from tasks_app.sweeping import forget_requests

logger = logging.getLogger(__name__)

SCHEDULES: Sequence[Mapping[str, Any]] = (
    {"name": "compact", "func": "analytics.jobs.compact_all", "schedule_type": Schedule.MINUTES, "minutes": 1},
    {"name": "forget", "func": "analytics.jobs.forget_all", "schedule_type": Schedule.HOURLY},
    {"name": "retain", "func": "analytics.jobs.retain_all", "schedule_type": Schedule.DAILY},
)
# Names are not unique in django_q's table: without the lock two that migrate at once would both find none.
LOCK_SCHEDULES = "/* jobs.lock_schedules */ LOCK TABLE django_q_schedule IN SHARE ROW EXCLUSIVE MODE"


def compact_all() -> int:
    """Folds every tenant's tail and says how many facts that were."""
    try:
        return compact(now=_now())
    except NotFolded as error:  # which compact has logged, tenant by tenant
        return error.facts


def retain_all() -> int:
    """Drops every tenant's old minutes and hours and says how many rows that were."""
    now = _now()
    keep = limits(now=now, minute_days=settings.FLOWLEDGER_MINUTE_DAYS, hour_days=settings.FLOWLEDGER_HOUR_DAYS)
    retained = retain(now=now, keep=keep)
    for sentence in retained.refused:
        logger.error(sentence)
    return retained.rows


def forget_all() -> int:
    """Forgets what is remembered of requests for a day and says how many rows that was."""
    return forget_requests(now=_now())


def keep_schedules(*, using: str, apps: Apps = current_apps, **_: Any) -> None:
    """Makes the schedules that are not there, after each `migrate`. One that is there stays as it is."""
    try:
        schedule: Any = apps.get_model("django_q", "Schedule")
    except LookupError:  # migrated to where there is no such table
        return
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(LOCK_SCHEDULES)
        rows = schedule.objects.using(using)
        known = set(rows.values_list("name", flat=True))
        rows.bulk_create(schedule(**each) for each in SCHEDULES if each["name"] not in known)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a job is an edge
