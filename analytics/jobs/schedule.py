"""What falls due, and when: the worker does it on its schedule, `manage.py run_due` all of it at once.

The worker's clock is read here. One tenant's failure is logged and stops nobody else; whatever is done, again is a no-op.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from django.apps import apps as current_apps
from django.apps.registry import Apps
from django.conf import settings
from django.db import connections, transaction
from django_q.models import Schedule

from analytics.drift.demotion import stale_all, step_back, step_back_all
from analytics.drift.due import drop_old_comparisons, run_owed
from analytics.drift.rollback import take_back_left
from analytics.drift.stored_day_checks import compare_rest
from analytics.engine.retention import limits, retain
from analytics.engine.rollups.compact import NotFolded, compact
from analytics.jobs.clock import read_clock
from analytics.legacy.midnight import count_midnights
from tasks_app.observing.rows import drop_old
from tasks_app.sweeping import forget_requests

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Due:
    """One thing that falls due. `func` is its function for the worker, `run` does the same at an instant and tells what."""

    name: str
    func: str
    run: Callable[[datetime], Mapping[str, Any]]
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


# The runs of a schedule come a minute apart, or half a minute more, and that is too long where a switch has to be taken back
# within a minute. So a run that finds something to compare looks again until the next one is due. However much is owed, it
# does not go on beyond that: two at a time would leave no worker for anything else.
STAYS_AT_LEAST, STAYS_AT_MOST = timedelta(seconds=10), timedelta(minutes=1)
LOOKS_AGAIN_SECONDS = 2.0
# Tenants take turns, so that nobody's way back waits for what another one is owed.
TURN = 20

# Names are not unique in django_q's table: without the lock two that migrate at once would both find none.
LOCK_SCHEDULES = "/* jobs.lock_schedules */ LOCK TABLE django_q_schedule IN SHARE ROW EXCLUSIVE MODE"


def compact_all() -> int:
    """Folds every tenant's tail and says how many facts that were."""
    return int(_folded(read_clock())["facts"])


def retain_all() -> int:
    """Drops every tenant's old minutes and hours and says how many rows that were."""
    return int(_retained(read_clock())["rows"])


def sweep_all() -> int:
    """Clears up after jobs, then runs those that wait, whose worker was lost among them; says how many it ran."""
    return int(_swept(read_clock())["ran"])


def drop_counts() -> int:
    """Drops old counts of the service levels and says how many rows that were."""
    return drop_old(now=read_clock())


def forget_all() -> int:
    """Forgets what is remembered of requests for a day and says how many rows that was."""
    return forget_requests(now=read_clock())


def compare_all() -> int:
    """Compares the answers that are owed a comparison, and those that come until its next run; says how many those were."""
    until = _next_run("compare", now=read_clock())
    found = done = run_owed(now=read_clock(), most=TURN, until=until, after_each=step_back)
    _taken_back(read_clock())
    while found and read_clock() < until:
        if found < TURN:
            sleep(LOOKS_AGAIN_SECONDS)
        found = run_owed(now=read_clock(), most=TURN, until=until, after_each=step_back)
        done += found
    return done


def compare_rest_all() -> int:
    """Compares stored daily figures, drops what is kept of comparisons for too long, and says how many days it compared."""
    return int(_rested(read_clock())["compared"])


def count_legacy_midnights() -> int:
    """Counts the boards of all whose local day has just begun, for the old endpoints, and says how many those were."""
    return count_midnights(now=read_clock())


def run_due(*, now: datetime) -> dict[str, Mapping[str, Any]]:
    """Does all that is due at that instant, and says of each what it did. What fails is logged and stops nothing else."""
    done: dict[str, Mapping[str, Any]] = {}
    for due in DUE:
        try:
            done[due.name] = due.run(now)
        except Exception as error:
            logger.exception("%s could not be done.", due.name)
            done[due.name] = {"failed": str(error).strip().split("\n")[0]}
    return done


def _folded(now: datetime) -> dict[str, Any]:
    try:
        return {"facts": compact(now=now)}
    except NotFolded as error:  # which compact has logged, tenant by tenant
        return {"facts": error.facts, "failed": str(error)}


def _retained(now: datetime) -> dict[str, Any]:
    keep = limits(now=now, minute_days=settings.FLOWLEDGER_MINUTE_DAYS, hour_days=settings.FLOWLEDGER_HOUR_DAYS)
    retained = retain(now=now, keep=keep)
    for sentence in retained.refused:
        logger.error(sentence)
    return {"rows": retained.rows, **({"failed": " ".join(retained.refused)} if retained.refused else {})}


def _counts_dropped(now: datetime) -> dict[str, Any]:
    return {"rows": drop_old(now=now)}


def _forgotten(now: datetime) -> dict[str, Any]:
    return {"rows": forget_requests(now=now)}


def _midnights_counted(now: datetime) -> dict[str, Any]:
    return {"days": count_midnights(now=now)}


def _swept(now: datetime) -> dict[str, Any]:
    # Only now: what runs a job has the whole schema below it, which `migrate` does without.
    from analytics.jobs.dispatch import run_waiting, sweep

    return {**asdict(sweep(now=now)), "ran": run_waiting()}


def _compared(now: datetime) -> dict[str, Any]:
    return {"comparisons": run_owed(now=now, after_each=step_back), **_taken_back(now)}


def _taken_back(now: datetime) -> dict[str, Any]:
    return {"taken_back": step_back_all(now=now), "drills_taken_back": take_back_left(now=now)}


def _next_run(name: str, *, now: datetime) -> datetime:
    found = Schedule.objects.filter(name=name).values_list("next_run", flat=True).first()
    return min(max(found or now, now + STAYS_AT_LEAST), now + STAYS_AT_MOST)


def _rested(now: datetime) -> dict[str, Any]:
    return {**compare_rest(now=now), "dropped": drop_old_comparisons(now=now), "stale_stages": stale_all(now=now)}


DUE: Sequence[Due] = (
    Due(name="compact", func="analytics.jobs.compact_all", run=_folded, every_minutes=1),
    Due(name="retain", func="analytics.jobs.retain_all", run=_retained),
    Due(name="drop_counts", func="analytics.jobs.drop_counts", run=_counts_dropped),
    Due(name="forget", func="analytics.jobs.forget_all", run=_forgotten, every_minutes=60),
    Due(
        name="legacy_midnight",
        func="analytics.jobs.count_legacy_midnights",
        run=_midnights_counted,
        every_minutes=1,
    ),
    Due(name="sweep", func="analytics.jobs.sweep_all", run=_swept, every_minutes=1),
    Due(name="compare", func="analytics.jobs.compare_all", run=_compared, every_minutes=1),
    Due(name="compare_rest", func="analytics.jobs.compare_rest_all", run=_rested, every_minutes=60),
)


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
