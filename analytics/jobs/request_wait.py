"""Request wait: a heavy query becomes a job first, and those that may be quick are waited for.

The request's own transaction is read-only, so the job is made on a connection of another thread. That thread also runs the
job where the budget may suffice, if the process has a hand free, and goes on with it when the budget is spent: what was
begun is never begun anew for want of patience.
"""

import logging
import threading
import time
from dataclasses import dataclass, field

from django.db import connection

from analytics.jobs import rows
from analytics.jobs.clock import read_clock
from analytics.jobs.dispatch import ring
from analytics.jobs.lost import DATABASE_ERRORS
from analytics.jobs.rows import Job, Submission
from analytics.jobs.running import run_job
from analytics.models import JobState
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

# Jobs that a web process runs at a time. What is beyond them waits for a worker.
HANDS = 2
POLL_SECONDS = 0.05
# How long the making of a row may take before the request gives up.
MADE_WITHIN_SECONDS = 10.0

_hands = threading.BoundedSemaphore(HANDS)


@dataclass(kw_only=True)
class Wait:
    """A job that a request waits for. `result` is its answer's JSON, once it is there in time."""

    submission: Submission
    budget_ms: int
    job: Job | None = None
    result: str | None = None
    made: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_tried(self) -> bool:
        """Whether the request waits at all."""
        return self.budget_ms > 0


def waited_for(submission: Submission, *, budget_ms: int) -> Wait:
    """The job, with its answer if that was there within the budget; without a job, none could be made."""
    wait = Wait(submission=submission, budget_ms=budget_ms)
    deadline = time.monotonic() + budget_ms / 1000
    threading.Thread(target=_errand, args=[wait, deadline], name="a heavy query", daemon=True).start()
    wait.made.wait(MADE_WITHIN_SECONDS)
    wait.over.wait(max(deadline - time.monotonic(), 0))
    return wait


def _errand(wait: Wait, deadline: float) -> None:
    try:
        _made(wait)
        wait.made.set()
        _tried(wait, deadline)
    except DATABASE_ERRORS:
        logger.exception("A heavy query could not be taken on.")
    finally:
        wait.made.set()
        wait.over.set()
        connection.close()


def _made(wait: Wait) -> None:
    asked = wait.submission
    with entered(tenant_id=asked.tenant_id, actor_id=asked.actor_id, role=DatabaseRole.TENANT):
        job, is_new = rows.submit(asked, now=read_clock())
        if job.state == JobState.SUCCEEDED:
            wait.result = rows.result_of(tenant_id=asked.tenant_id, job_id=job.id)
    wait.job = job
    if wait.result is not None:
        wait.over.set()
    elif is_new and not wait.is_tried:
        ring(tenant_id=asked.tenant_id, job_id=job.id)


def _tried(wait: Wait, deadline: float) -> None:
    job = wait.job
    if job is None or wait.result is not None or not wait.is_tried:
        return
    tenant_id = wait.submission.tenant_id
    if _hands.acquire(blocking=False):
        try:
            run_job(tenant_id=tenant_id, job_id=job.id)
        finally:
            _hands.release()
    else:
        ring(tenant_id=tenant_id, job_id=job.id)
    while not _is_answered(wait, job) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _is_answered(wait: Wait, job: Job) -> bool:
    """Whether there is nothing to wait for any more."""
    tenant_id = wait.submission.tenant_id
    with entered(tenant_id=tenant_id, role=DatabaseRole.TENANT, read_only=True):
        found = rows.find(tenant_id=tenant_id, job_id=job.id)
        wait.job = job = found or job
        wait.result = rows.result_of(tenant_id=tenant_id, job_id=job.id)
    return job.is_over
