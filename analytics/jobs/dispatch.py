"""Dispatch: which job comes next, and what wakes a worker.

django-q brings nothing but a wake-up with the name of one job: what is to be done is in our rows, so a wake-up that is lost,
late, doubled or out of order changes nothing. Tenants take turns, whoever has fewest jobs running first.
"""

import logging
from datetime import datetime

from django.db import connection
from django_q.tasks import async_task

from analytics.engine.rollups.compact import owners
from analytics.jobs import rows
from analytics.jobs.clock import read_clock
from analytics.jobs.lost import DATABASE_ERRORS
from analytics.jobs.rows import Swept
from analytics.jobs.running import run_next
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

WAKE = "analytics.jobs.dispatch.wake"


def ring(*, tenant_id: int, job_id: int) -> None:
    """Wakes a worker; to be called after the commit that made the job. A job whose bell fails is found by the sweeper."""
    try:
        # Nothing of a wake-up is kept, and one that fails is not repeated: that is ours to do.
        async_task(WAKE, f"{tenant_id}-{job_id}", save=False, ack_failure=True)
    except DATABASE_ERRORS:
        logger.warning("No worker could be woken for job %s of tenant %s.", job_id, tenant_id, exc_info=True)


def wake(name: str) -> int:
    """What a worker does when it is woken: all jobs that wait, in turns. Says how many it ran."""
    tenant_id, job_id = (int(part) for part in name.split("-"))
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        job = rows.find(tenant_id=tenant_id, job_id=job_id)
    return 0 if job is None or job.is_over else run_waiting()


def run_waiting() -> int:
    """Runs what waits, a job of each tenant in turn, until nothing does. A job that fails stops no other."""
    ran = 0
    while turns := _turns():
        done = sum(_ran_one(tenant_id) for tenant_id in turns)
        if done == 0:
            break
        ran += done
    return ran


def _turns() -> list[int]:
    """Tenants with jobs that wait: those with fewest running first, then those who have waited longest."""
    now, found = read_clock(), []
    for owner in owners():
        with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True):
            running, since = rows.waiting(tenant_id=owner.id, now=now)
        if since is not None:
            found.append((running, since, owner.id))
    return [tenant_id for *_, tenant_id in sorted(found)]


def _ran_one(tenant_id: int) -> bool:
    """Whether a job of the tenant was run here."""
    try:
        return run_next(tenant_id=tenant_id)
    except DATABASE_ERRORS:  # the server went away: the lease runs out, and somebody takes it up
        logger.exception("A job of tenant %s was left.", tenant_id)
        connection.close()
        return False


def sweep(*, now: datetime) -> Swept:
    """Every tenant's jobs swept. A tenant whose jobs cannot be swept is logged and stops no other."""
    found = []
    for owner in owners():
        try:
            with entered(tenant_id=owner.id, role=DatabaseRole.WORKER):
                found.append(rows.sweep(tenant_id=owner.id, now=now))
        except DATABASE_ERRORS:
            logger.exception("Jobs of tenant %s could not be swept.", owner.slug)
    return Swept(
        parked=sum(each.parked for each in found),
        expired=sum(each.expired for each in found),
        dropped=sum(each.dropped for each in found),
    )
