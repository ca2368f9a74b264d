"""Job runner: one job claimed, answered as a request would be, and ended; or left to somebody else."""

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from strawberry.types import ExecutionResult

from analytics.engine.graphql.heavy_fields import heavy_fields
from analytics.engine.graphql.weighing import Weighing, weighed
from analytics.engine.reading.estimates import policy
from analytics.jobs import rows
from analytics.jobs.clock import read_clock
from analytics.jobs.lost import DATABASE_ERRORS, ServerLost, is_lost
from analytics.jobs.pulse import Pulse, TakenAway, pulse
from analytics.jobs.rows import Claim, Ending
from analytics.models import JobState
from tasks_app.access.callers import NotAdmitted, caller_of_actor
from tasks_app.errors import Code
from tasks_app.graphql.asking import Asking
from tasks_app.http.documents import parse_document, pick_operation
from tasks_app.http.masking import mask_errors
from tasks_app.observing.serving import job_ended
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

# A job's statement may take so long; a request's has 30 seconds.
TIMEOUT_SECONDS = 900
REPEATED = 10
PAUSE_SECONDS = 0.5
LARGEST_COST = 2**31 - 1
MICROSECONDS = 1_000_000
# What the caller can do nothing about, and may try again.
RETRYABLE = frozenset({Code.INTERNAL.value})


def run_job(*, tenant_id: int, job_id: int) -> bool:
    """Claims the job and runs it to its end; False when it was not to be had. Not to be called inside a transaction."""
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
        held = rows.claim(tenant_id=tenant_id, job_id=job_id, now=read_clock())
    return held is not None and _ran(held)


def run_next(*, tenant_id: int) -> bool:
    """The same with the job of the tenant that has waited longest: it is found and claimed in one step."""
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
        held = rows.claim_next(tenant_id=tenant_id, now=read_clock())
    return held is not None and _ran(held)


def _ran(held: Claim) -> bool:
    began = read_clock()
    try:
        ending = _answered(held)
    except TakenAway:
        logger.warning("Job %s of tenant %s was taken away.", held.id, held.tenant_id)
    except (ServerLost, *DATABASE_ERRORS) as error:
        if not is_lost(error):
            raise
        logger.warning("Job %s of tenant %s lost its server.", held.id, held.tenant_id)
        connection.close()
        _written(held, lambda: rows.give_back(held))
    else:
        if _written(held, lambda: rows.finish(held, ending, now=read_clock())):
            _count(held, ending, began=began)
    return True


def _count(held: Claim, ending: Ending, *, began: datetime) -> None:
    """For the service levels."""
    ended = read_clock()
    job_ended(
        tenant_id=held.tenant_id,
        kind="analytics",
        queued=began - held.submitted_at,
        computed=ended - began,
        codes=frozenset({ending.error_code} if ending.error_code else ()),
        now=ended,
    )


def _written(held: Claim, write: Callable[[], bool]) -> bool:
    """One write to the job's row, and whether it found it. A server that goes away is waited for: written twice is as once."""
    for last in (*[False] * REPEATED, True):
        try:
            with entered(tenant_id=held.tenant_id, role=DatabaseRole.WORKER):
                return write()
        except DATABASE_ERRORS as error:
            if last or not is_lost(error):
                raise
            connection.close()
            time.sleep(PAUSE_SECONDS)
    return False


def _answered(held: Claim) -> Ending:
    now = read_clock()
    try:
        caller = caller_of_actor(tenant_id=held.tenant_id, actor_id=held.actor_id, now=now)
    except NotAdmitted as refused:
        return Ending(state=JobState.FAILED, error_code=refused.code, error_message=refused.message)
    began = time.monotonic()
    with (
        pulse(held) as beating,
        beating.working(),
        entered(
            tenant_id=held.tenant_id,
            actor_id=held.actor_id,
            role=DatabaseRole.TENANT,
            read_only=True,
            timeout_seconds=TIMEOUT_SECONDS,
        ),
    ):
        result = _executed(held, asking=Asking(caller=caller, now=now, asked_at=held.submitted_at), beating=beating)
    if beating.taken_away:
        raise TakenAway
    spent = min(round((time.monotonic() - began) * MICROSECONDS), LARGEST_COST)
    return _ending(result, spent=spent)


def _executed(held: Claim, *, asking: Asking, beating: Pulse) -> ExecutionResult:
    document = parse_document(held.document)
    operation = pick_operation(document, name=None)
    schema = import_string(settings.FLOWLEDGER_SCHEMA)
    heavy = heavy_fields(schema._schema, document=document, operation=operation)
    weighing = Weighing(policy=policy(), fields=max(heavy.count, 1), on_figure=beating.note)
    with weighed(weighing):
        result: ExecutionResult = schema.run(
            document=document,
            text=held.document,
            operation_name=operation.name.value if operation.name else None,
            variables=json.loads(held.variables),
            extensions=None,
            context=asking,
        )
    if any(map(is_lost, result.errors or ())):
        raise ServerLost
    return result


def body_of(result: ExecutionResult) -> dict[str, Any]:
    """The answer as the API would have it."""
    body: dict[str, Any] = {"errors": mask_errors(result.errors)} if result.errors else {}
    return {**body, "data": result.data}


def _ending(result: ExecutionResult, *, spent: int) -> Ending:
    body = body_of(result)
    if result.data is None and result.errors:
        first = body["errors"][0]
        code = first["extensions"]["code"]
        return Ending(
            state=JobState.FAILED,
            error_code=code,
            error_message=first["message"],
            retryable=code in RETRYABLE,
            actual_cost=spent,
        )
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    return Ending(state=JobState.SUCCEEDED, result=text, actual_cost=spent)
