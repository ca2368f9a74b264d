"""Schedule of the worker: what falls due and how often, as data; `manage.py run_due` does all of it at once.

What a run needs is imported by `due_runs` when it runs: most commands and processes run none of it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.db import connections, transaction
from django.utils.module_loading import import_string
from django_q.models import Schedule

logger = logging.getLogger(__name__)

RUNS = "analytics.jobs.due_runs"


@dataclass(frozen=True, kw_only=True)
class Due:
    """One thing that falls due. `func` is its function for the worker; `run` names that of `due_runs` which does the same at
    an instant and tells what it did."""

    name: str
    func: str
    run: str
    every_minutes: int | None = None

    @property
    def schedule(self) -> dict[str, Any]:
        """As django-q keeps it: each day where there are no minutes."""
        if self.every_minutes is None:
            return {"name": self.name, "func": self.func, "schedule_type": Schedule.DAILY}
        return {
            "name": self.name,
            "func": self.func,
            "schedule_type": Schedule.MINUTES,
            "minutes": self.every_minutes,
        }

    def done(self, now: datetime) -> Mapping[str, Any]:
        """Runs it at that instant and says what it did."""
        did: Mapping[str, Any] = import_string(f"{RUNS}.{self.run}")(now)
        return did


# Names are not unique in django_q's table: without the lock two that migrate at once would both find none.
LOCK_SCHEDULES = "/* jobs.lock_schedules */ LOCK TABLE django_q_schedule IN SHARE ROW EXCLUSIVE MODE"


DUE: Sequence[Due] = (
    Due(name="compact", func="analytics.jobs.compact_all", run="folded", every_minutes=1),
    Due(name="retain", func="analytics.jobs.retain_all", run="retained"),
    Due(name="drop_counts", func="analytics.jobs.drop_counts", run="counts_dropped"),
    Due(name="forget", func="analytics.jobs.forget_all", run="forgotten", every_minutes=60),
    Due(
        name="legacy_midnight",
        func="analytics.jobs.count_legacy_midnights",
        run="midnights_counted",
        every_minutes=1,
    ),
    Due(name="sweep", func="analytics.jobs.sweep_all", run="swept", every_minutes=1),
    Due(name="compare", func="analytics.jobs.compare_all", run="compared", every_minutes=1),
    Due(name="compare_rest", func="analytics.jobs.compare_rest_all", run="rested", every_minutes=60),
)


def run_due(*, now: datetime) -> dict[str, Mapping[str, Any]]:
    """Does all that is due at that instant, and says of each what it did. What fails is logged and stops nothing else."""
    done: dict[str, Mapping[str, Any]] = {}
    for due in DUE:
        try:
            done[due.name] = due.done(now)
        except Exception as error:
            logger.exception("%s could not be done.", due.name)
            done[due.name] = {"failed": str(error).strip().split("\n")[0]}
    return done


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
        rows.bulk_create(schedule(**due.schedule) for due in DUE if due.name not in known)
