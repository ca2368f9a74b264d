"""Jobs of a load: queries that differ, and processes that submit, run and wait for them."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection
from graphql import parse

from analytics.engine.rollups.compact import owners
from analytics.jobs import rows
from analytics.jobs.due_runs import sweep_all
from analytics.jobs.job_rights import fingerprint_of, rights_of
from analytics.jobs.rows import Submission
from config.schema import schema
from tasks_app.access.callers import caller_of_actor
from tasks_app.errors import Code
from tasks_app.graphql.asking import Asking
from tasks_app.http.masking import error_code
from tasks_app.tenancy import Caller, DatabaseRole, entered

PEOPLE = """/* audits.people */
SELECT a.id FROM actor a JOIN membership m ON m.tenant_id = a.tenant_id AND m.user_id = a.user_id
 WHERE a.tenant_id = %s AND m.role = 'OWNER'
"""
DOCUMENT = (
    "query ($from: DateTime!, $to: DateTime!) { analytics(window: {between: {from: $from, to: $to}}, bucket: DAY,"
    " readFrom: RAW) { cumulativeFlow { arrivals departures series { counts } } throughput { finished } workInProgress"
    " churn { backflow } transitions { count } leadTime { p50Seconds } } }"
)
LATEST = datetime(2026, 1, 1, tzinfo=UTC)
# All of it is a job, tried for so long by whoever asks.
TRIED = {"version": "audit/1", "sync": 0, "try_sync": 10**9, "asynchronous": 10**9, "budget_ms": 300}


def someone(tenant_id: int) -> Caller:
    """The tenant's owner."""
    with entered(tenant_id=tenant_id, role=DatabaseRole.TENANT, read_only=True), connection.cursor() as cursor:
        cursor.execute(PEOPLE, [tenant_id])
        actor_id = cursor.fetchall()[0][0]
    return caller_of_actor(tenant_id=tenant_id, actor_id=actor_id, now=datetime.now(UTC))  # noqa: TID251


def question(chance: Random) -> dict[str, str]:
    """A window that hardly any other question has: all variables of the document."""
    start = LATEST - timedelta(minutes=chance.randrange(1_000_000))
    return {"from": start.isoformat(), "to": (start + timedelta(days=chance.randint(30, 90))).isoformat()}


def submit_some(*, chance: Random, callers: Sequence[Caller], number: int) -> None:
    """So many new jobs, of random callers."""
    for _ in range(number):
        caller, variables = chance.choice(callers), json.dumps(question(chance))
        asked = Submission(
            tenant_id=caller.tenant.id,
            actor_id=caller.actor_id,
            document=DOCUMENT,
            variables=variables,
            fingerprint=fingerprint_of(caller=caller, document=DOCUMENT, variables=variables, place=[]),
            rights=rights_of(caller),
            estimated_cost=1,
            lasting=True,
        )
        with entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, role=DatabaseRole.TENANT):
            rows.submit(asked, now=datetime.now(UTC))  # noqa: TID251


def answered(caller: Caller, variables: dict[str, Any]) -> Any:
    """The result of the document, as a request has it."""
    document = parse(DOCUMENT)
    asking = Asking(caller=caller, now=datetime.now(UTC))  # noqa: TID251
    with entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, role=DatabaseRole.TENANT, read_only=True):
        return schema.run(
            document=document,
            text=DOCUMENT,
            operation_name=None,
            variables=variables,
            extensions=None,
            context=asking,
        )


def work(_chance: Random, _wrong: list[str]) -> str:
    """What a worker does at each wake-up and each minute, far more often."""
    time.sleep(0.1)
    return "rounds with jobs" if sweep_all() else "idle rounds"


def ask(chance: Random, wrong: list[str]) -> str:
    """A heavy query of a web process: answered by its job, or handed over."""
    settings.FLOWLEDGER_EXECUTION = TRIED
    time.sleep(chance.uniform(0, 0.1))
    result = answered(someone(chance.choice(owners()).id), question(chance))
    if not result.errors:
        return "answered"
    code = error_code(result.errors[0])
    if code is Code.ASYNC_REQUIRED:
        return "handed over"
    if code is Code.INTERNAL:  # no job could be made: the server was gone
        return "refused"
    wrong.append(f"A query was answered with {code}: {result.errors[0].message}")
    return "wrong"
