"""Job rows: one statement for each step of a job's life, each of which happens once or not at all.

A job's row is all that there is of it. Whoever claims it raises `attempt`, and every later write asks for that number: a
worker that was thought dead writes nothing into what another has taken over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from analytics.models import JobState

LEASE = timedelta(seconds=15)
# So many workers may die of a job. A server that went away is no fault of the job's, and is not counted.
MOST_LOSSES = 3
# How long a job may wait, and how long its answer is kept; what is left of it goes after that.
KEPT_FOR = timedelta(hours=24)
ROW_KEPT_FOR = timedelta(days=7)
# An answer to a window that is not over yet is given again for so long.
FRESH_FOR = timedelta(seconds=60)

LOST = ("WORKER_LOST", f"Its worker was lost {MOST_LOSSES} times, so it is not tried again: ask for less.")

COLUMNS = (
    "id, actor_id, state, progress, attempt, submitted_at, started_at, finished_at, expires_at, lease_until,"
    " estimated_cost, actual_cost, error_code, error_message, retryable, rights"
)
CLAIMABLE = (
    "expires_at > %(now)s AND (state = 'PENDING'"
    " OR (state = 'RUNNING' AND lease_until <= %(now)s AND losses + 1 < %(most_losses)s))"
)
MINE = "tenant_id = %(tenant)s AND id = %(id)s AND attempt = %(attempt)s AND state = 'RUNNING'"
ACTIVE = "state IN ('PENDING', 'RUNNING')"
TAKEN = (
    "state = 'RUNNING', attempt = attempt + 1, losses = losses + (state = 'RUNNING')::int, lease_until = %(lease)s,"
    " progress = 0, started_at = coalesce(started_at, %(now)s)"
)
CLAIM_COLUMNS = ("id", "actor_id", "attempt", "document", "variables", "submitted_at")
PARTS = {
    "columns": COLUMNS,
    "claimable": CLAIMABLE,
    "mine": MINE,
    "active": ACTIVE,
    "taken": TAKEN,
    "claim": ", ".join(CLAIM_COLUMNS),
}

# What is there already, the newest first: one that is active, or an answer that is still right.
KNOWN = """/* jobs.known */
SELECT {columns} FROM analytics_job
 WHERE tenant_id = %(tenant)s AND fingerprint = %(fingerprint)s AND expires_at > %(now)s
   AND ({active} OR (state = 'SUCCEEDED' AND (lasting OR finished_at > %(fresh)s)))
 ORDER BY id DESC LIMIT 1
"""
# Two that submit the same at once: the second waits here for the first, and inserts nothing.
SUBMIT = """/* jobs.submit */
INSERT INTO analytics_job (tenant_id, actor_id, submitted_at, expires_at, estimated_cost, lasting, fingerprint, rights,
                           document, variables)
VALUES (%(tenant)s, %(actor)s, %(now)s, %(expires)s, %(estimated_cost)s, %(lasting)s, %(fingerprint)s, %(rights)s,
        %(document)s, %(variables)s)
    ON CONFLICT (tenant_id, fingerprint) WHERE {active} DO NOTHING
RETURNING {columns}
"""
FIND = "/* jobs.find */ SELECT {columns} FROM analytics_job WHERE tenant_id = %(tenant)s AND id = %(id)s"
RESULT = "/* jobs.result */ SELECT result FROM analytics_job WHERE tenant_id = %(tenant)s AND id = %(id)s"
CLAIM = """/* jobs.claim */
UPDATE analytics_job SET {taken} WHERE tenant_id = %(tenant)s AND id = %(id)s AND {claimable} RETURNING {claim}
"""
# What was begun comes first: it has waited for its turn once. Of two that want the same at once the second waits here for the
# first, looks again, and gets nothing.
CLAIM_NEXT = """/* jobs.claim_next */
UPDATE analytics_job SET {taken}
 WHERE tenant_id = %(tenant)s AND {claimable}
   AND id = (SELECT id FROM analytics_job WHERE tenant_id = %(tenant)s AND {active} AND {claimable}
              ORDER BY started_at IS NULL, submitted_at, id LIMIT 1)
RETURNING {claim}
"""
BEAT = """/* jobs.beat */
UPDATE analytics_job SET lease_until = %(lease)s, progress = greatest(progress, %(progress)s) WHERE {mine}
"""
FINISH = """/* jobs.finish */
UPDATE analytics_job
   SET state = %(state)s, finished_at = %(now)s, expires_at = %(expires)s, lease_until = NULL, progress = %(progress)s,
       actual_cost = %(actual_cost)s, error_code = %(error_code)s, error_message = %(error_message)s,
       retryable = %(retryable)s, result = %(result)s
 WHERE {mine}
"""
GIVE_BACK = """/* jobs.give_back */
UPDATE analytics_job SET state = 'PENDING', lease_until = NULL, progress = 0 WHERE {mine}
"""
CANCEL = """/* jobs.cancel */
UPDATE analytics_job SET state = 'CANCELLED', finished_at = %(now)s
 WHERE tenant_id = %(tenant)s AND id = %(id)s AND {active}
"""
WAITING = """/* jobs.waiting */
SELECT count(*) FILTER (WHERE state = 'RUNNING' AND lease_until > %(now)s),
       min(submitted_at) FILTER (WHERE {claimable})
  FROM analytics_job WHERE tenant_id = %(tenant)s AND {active}
"""
PARK = """/* jobs.park */
UPDATE analytics_job
   SET state = 'FAILED', finished_at = %(now)s, lease_until = NULL, error_code = %(error_code)s,
       error_message = %(error_message)s
 WHERE tenant_id = %(tenant)s AND state = 'RUNNING' AND lease_until <= %(now)s AND losses + 1 >= %(most_losses)s
"""
EXPIRE = """/* jobs.expire */
UPDATE analytics_job SET state = 'EXPIRED', result = NULL, lease_until = NULL, finished_at = coalesce(finished_at, %(now)s)
 WHERE tenant_id = %(tenant)s AND expires_at <= %(now)s AND state <> 'EXPIRED'
   AND NOT (state = 'RUNNING' AND lease_until > %(now)s)
"""
DROP = "/* jobs.drop */ DELETE FROM analytics_job WHERE tenant_id = %(tenant)s AND expires_at <= %(gone)s AND state = 'EXPIRED'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it is, without document and answer."""

    id: int
    actor_id: int
    state: str
    progress: float
    attempt: int
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime
    lease_until: datetime | None
    estimated_cost: int
    actual_cost: int | None
    error_code: str
    error_message: str
    retryable: bool
    rights: bytes

    @property
    def is_over(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.state not in (JobState.PENDING, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a job is made of. `rights` is a digest of what its asker may see."""

    tenant_id: int
    actor_id: int
    document: str
    variables: str
    fingerprint: bytes
    rights: bytes
    estimated_cost: int
    lasting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that is ours to run, for as long as its lease lasts and nobody cancels it."""

    tenant_id: int
    id: int
    actor_id: int
    attempt: int
    document: str
    variables: str
    submitted_at: datetime

    @property
    def key(self) -> dict[str, Any]:
        """What finds the row while it is ours."""
        return {"tenant": self.tenant_id, "id": self.id, "attempt": self.attempt}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended."""

    state: JobState
    result: str | None = None
    error_code: str = ""
    error_message: str = ""
    retryable: bool = False
    actual_cost: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many jobs a sweep ended for want of a worker, made expire, and deleted."""

    parked: int
    expired: int
    dropped: int


def submit(submission: Submission, *, now: datetime) -> tuple[Job, bool]:
    """The job, and whether it is new: the same asked twice at the same position of the record is one job."""
    while True:
        if found := known(submission, now=now):
            return found, False
        values = {
            "tenant": submission.tenant_id,
            "actor": submission.actor_id,
            "now": now,
            "expires": now + KEPT_FOR,
            "estimated_cost": submission.estimated_cost,
            "lasting": submission.lasting,
            "fingerprint": submission.fingerprint,
            "rights": submission.rights,
            "document": submission.document,
            "variables": submission.variables,
        }
        for row in _jobs(SUBMIT, values):
            return row, True


def known(submission: Submission, *, now: datetime) -> Job | None:
    """The job that answers this already, or is about to."""
    values = {"fingerprint": submission.fingerprint, "now": now, "fresh": now - FRESH_FOR}
    return next(iter(_jobs(KNOWN, {"tenant": submission.tenant_id, **values})), None)


def find(*, tenant_id: int, job_id: int) -> Job | None:
    """The tenant's job of that number."""
    return next(iter(_jobs(FIND, {"tenant": tenant_id, "id": job_id})), None)


def result_of(*, tenant_id: int, job_id: int) -> str | None:
    """The answer's JSON; None while there is none, and when it has expired."""
    rows = _rows(RESULT, {"tenant": tenant_id, "id": job_id})
    return rows[0][0] if rows else None


def claim(*, tenant_id: int, job_id: int, now: datetime) -> Claim | None:
    """The job, ours from now on; None when it is not to be had."""
    return _claimed(CLAIM, {"tenant": tenant_id, "id": job_id}, now=now)


def claim_next(*, tenant_id: int, now: datetime) -> Claim | None:
    """The job of the tenant that has waited longest, ours from now on; None when there is none, or another took it."""
    return _claimed(CLAIM_NEXT, {"tenant": tenant_id}, now=now)


def beat(held: Claim, *, progress: float, now: datetime) -> bool:
    """Makes the lease longer; False when the job is no longer ours, as when it was cancelled."""
    return _changed(BEAT, {**held.key, "progress": progress, "lease": now + LEASE}) == 1


def finish(held: Claim, ending: Ending, *, now: datetime) -> bool:
    """Ends the job; False when it was no longer ours, and nothing is written."""
    values = {
        "state": ending.state,
        "result": ending.result,
        "error_code": ending.error_code,
        "error_message": ending.error_message,
        "retryable": ending.retryable,
        "actual_cost": ending.actual_cost,
        "progress": 1.0 if ending.state is JobState.SUCCEEDED else 0.0,
        "now": now,
        "expires": now + KEPT_FOR,
    }
    return _changed(FINISH, {**held.key, **values}) == 1


def give_back(held: Claim) -> bool:
    """Somebody else may try; it is not counted as a loss."""
    return _changed(GIVE_BACK, held.key) == 1


def cancel(*, tenant_id: int, job_id: int, now: datetime) -> bool:
    """False when it had ended before."""
    return _changed(CANCEL, {"tenant": tenant_id, "id": job_id, "now": now}) == 1


def waiting(*, tenant_id: int, now: datetime) -> tuple[int, datetime | None]:
    """How many jobs of the tenant are being run, and since when the first waits that is not."""
    rows = _rows(WAITING, {"tenant": tenant_id, "now": now, "most_losses": MOST_LOSSES})
    return rows[0][0], rows[0][1]


def sweep(*, tenant_id: int, now: datetime) -> Swept:
    """Ends what nobody will run any more, and clears away what has expired. Again is a no-op."""
    code, message = LOST
    values = {"tenant": tenant_id, "now": now, "gone": now - ROW_KEPT_FOR, "most_losses": MOST_LOSSES}
    return Swept(
        parked=_changed(PARK, {**values, "error_code": code, "error_message": message}),
        expired=_changed(EXPIRE, values),
        dropped=_changed(DROP, values),
    )


def _claimed(statement: str, values: Mapping[str, Any], *, now: datetime) -> Claim | None:
    found = _rows(statement, {**values, "now": now, "lease": now + LEASE, "most_losses": MOST_LOSSES})
    rows = (dict(zip(CLAIM_COLUMNS, row, strict=True)) for row in found)
    return next((Claim(tenant_id=values["tenant"], **row) for row in rows), None)


def _jobs(statement: str, values: Mapping[str, Any]) -> list[Job]:
    names = Job.__dataclass_fields__
    return [Job(**{**dict(zip(names, row, strict=True)), "rights": bytes(row[-1])}) for row in _rows(statement, values)]


def _rows(statement: str, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**PARTS), values)
        return list(cursor.fetchall())


def _changed(statement: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**PARTS), values)
        return int(cursor.rowcount)
