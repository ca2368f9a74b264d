"""Runs of what falls due: folding, retention, comparisons, sweeping, for the worker and for `manage.py run_due`.

The worker's clock is read here. One tenant's failure is logged and stops nobody else; whatever is done, again is a no-op.
"""

import logging
from dataclasses import asdict
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from django_q.models import Schedule

from analytics.drift.demotion import stale_all, step_back, step_back_all
from analytics.drift.due import drop_old_comparisons, run_owed
from analytics.drift.rollback import take_back_left
from analytics.drift.stored_day_checks import compare_rest
from analytics.engine.retention import retain
from analytics.engine.rollups.compact import NotFolded, compact
from analytics.jobs.clock import read_clock
from analytics.legacy.midnight import count_midnights
from tasks_app.observing.rows import drop_old
from tasks_app.sweeping import forget_requests

logger = logging.getLogger(__name__)

# The runs of a schedule come a minute apart, or half a minute more, and that is too long where a switch has to be taken back
# within a minute. So a run that finds something to compare looks again until the next one is due. However much is owed, it
# does not go on beyond that: two at a time would leave no worker for anything else.
STAYS_AT_LEAST, STAYS_AT_MOST = timedelta(seconds=10), timedelta(minutes=1)
LOOKS_AGAIN_SECONDS = 2.0
# Tenants take turns, so that nobody's way back waits for what another one is owed.
TURN = 20


def compact_all() -> int:
    """Folds every tenant's tail and says how many facts that were."""
    return int(folded(read_clock())["facts"])


def retain_all() -> int:
    """Drops every tenant's old minutes and hours and says how many rows that were."""
    return int(retained(read_clock())["rows"])


def sweep_all() -> int:
    """Clears up after jobs, then runs those that wait, whose worker was lost among them; says how many it ran."""
    return int(swept(read_clock())["ran"])


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
    return int(rested(read_clock())["compared"])


def count_legacy_midnights() -> int:
    """Counts the boards of all whose local day has just begun, for the old endpoints, and says how many those were."""
    return count_midnights(now=read_clock())


def folded(now: datetime) -> dict[str, Any]:
    """Folds every tenant's tail: {facts}, and {failed} where some could not be."""
    try:
        return {"facts": compact(now=now)}
    except NotFolded as error:  # which compact has logged, tenant by tenant
        return {"facts": error.facts, "failed": str(error)}


def retained(now: datetime) -> dict[str, Any]:
    """Drops old fine rows of the rollups: {rows}, and {failed} where some could not be."""
    retained = retain(now=now)
    for sentence in retained.refused:
        logger.error(sentence)
    return {"rows": retained.rows, **({"failed": " ".join(retained.refused)} if retained.refused else {})}


def counts_dropped(now: datetime) -> dict[str, Any]:
    """Drops old counts of the service levels: {rows}."""
    return {"rows": drop_old(now=now)}


def forgotten(now: datetime) -> dict[str, Any]:
    """Forgets what is remembered of requests for a day: {rows}."""
    return {"rows": forget_requests(now=now)}


def midnights_counted(now: datetime) -> dict[str, Any]:
    """Counts the boards of all whose local day has just begun: {days}."""
    return {"days": count_midnights(now=now)}


def swept(now: datetime) -> dict[str, Any]:
    """Clears up after jobs and runs those that wait."""
    # Only now: what runs a job has the whole schema below it, which `migrate` does without.
    from analytics.jobs.dispatch import run_waiting, sweep

    return {**asdict(sweep(now=now)), "ran": run_waiting()}


def compared(now: datetime) -> dict[str, Any]:
    """Compares the answers that are owed a comparison: {comparisons}, and what was taken back."""
    return {"comparisons": run_owed(now=now, after_each=step_back), **_taken_back(now)}


def _taken_back(now: datetime) -> dict[str, Any]:
    return {"taken_back": step_back_all(now=now), "drills_taken_back": take_back_left(now=now)}


def _next_run(name: str, *, now: datetime) -> datetime:
    found = Schedule.objects.filter(name=name).values_list("next_run", flat=True).first()
    return min(max(found or now, now + STAYS_AT_LEAST), now + STAYS_AT_MOST)


def rested(now: datetime) -> dict[str, Any]:
    """Compares stored daily figures: {compared}, {dropped}, {stale_stages}."""
    return {**compare_rest(now=now), "dropped": drop_old_comparisons(now=now), "stale_stages": stale_all(now=now)}
