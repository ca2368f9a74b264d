"""Jobs as the API shows them, and the policy by which queries become jobs."""

import json
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import auto
from strawberry.scalars import JSON

from analytics.engine.reading import costs
from analytics.engine.reading.estimates import policy
from analytics.graphql.heavy import retry_after_ms
from analytics.jobs import rows
from analytics.jobs.job_rights import rights_of
from analytics.jobs.rows import Job
from analytics.models import AnalyticsJob as JobRow
from analytics.models import JobState
from tasks_app.graphql.asking import Info
from tasks_app.graphql.fields import may
from tasks_app.graphql.record_types import record_type
from tasks_app.http.node import Node, decode_pk
from tasks_app.models import Scope
from tasks_app.tenancy import Caller

JobStateName = strawberry.enum(
    JobState,
    name="JobState",
    description="PENDING and RUNNING: not over yet. EXPIRED: its answer was not fetched in time, or it never ran.",
)
ExecutionDecision = strawberry.enum(
    costs.Decision,
    name="ExecutionDecision",
    description="SYNC: answered at once. TRY_SYNC: by a job, which is waited for within the budget. ASYNC: by a job."
    " REFUSE: not at all.",
)
OTHER_RIGHTS = "What you may see has changed since you asked, so this answer is not yours any more: ask again."


@strawberry.type(description="Why a job has no answer.")
class JobError:
    code: str = strawberry.field(description="As `extensions.code` of an error; WORKER_LOST when workers died of it.")
    message: str = strawberry.field(description="What is wrong, and what to do.")
    retryable: bool = strawberry.field(description="Whether the same query may succeed when it is asked again.")


def _result(root: "AnalyticsJob") -> JSON | None:
    if root.job.state != JobState.SUCCEEDED or not root.is_for_caller:
        return None
    text = rows.result_of(tenant_id=root.tenant_id, job_id=root.job.id)
    return None if text is None else JSON(json.loads(text))


@record_type(JobRow, description="A query that is answered apart from a request, and its answer until it expires.")
class AnalyticsJob(Node):
    job: strawberry.Private[Job]
    tenant_id: strawberry.Private[int]
    is_for_caller: strawberry.Private[bool]
    state: JobStateName  # type: ignore[valid-type]
    progress: auto
    submitted_at: auto
    started_at: auto
    finished_at: auto
    expires_at: datetime | None
    retry_after_ms: int | None = strawberry.field(
        description="How long to wait before asking again, in milliseconds; null when it is over."
    )
    estimated_cost: int
    actual_cost: int | None
    error: JobError | None = strawberry.field(description="Why there is no answer; null where there is one, or may be.")
    result: JSON | None = strawberry.field(
        resolver=_result, description="The whole answer, the same JSON that the query would have been answered with."
    )


@strawberry.type(description="Up to a cost, what becomes of a query.")
class ExecutionRule:
    max_cost: int | None = strawberry.field(description="The highest cost that it holds for; null: any.")
    decision: ExecutionDecision = strawberry.field(description="What becomes of it.")  # type: ignore[valid-type]
    budget_ms: int | None = strawberry.field(description="How long a request waits for it, in milliseconds.")


@strawberry.type(description="What becomes of a query by its estimated cost: a unit takes about a microsecond.")
class ExecutionPolicy:
    version: str = strawberry.field(description="The policy's version.")
    rules: list[ExecutionRule] = strawberry.field(description="The first whose maxCost is not exceeded holds.")


def execution_policy() -> ExecutionPolicy:
    """The policy in force."""
    found = policy()
    rules = [
        ExecutionRule(max_cost=rule.max_cost, decision=rule.decision, budget_ms=rule.budget_ms) for rule in found.rules
    ]
    return ExecutionPolicy(version=found.version, rules=rules)


def analytics_job(info: Info, job_id: Annotated[strawberry.ID, strawberry.argument(name="id")]) -> AnalyticsJob | None:
    """The caller's job; None for any other id."""
    pk = decode_pk(job_id, type_name="AnalyticsJob")
    return None if pk is None else job_node(caller=info.context.caller, pk=pk)


def load_job(info: Info, pk: int) -> Node | None:
    """For `node(id)`."""
    return job_node(caller=info.context.caller, pk=pk) if may(info.context.caller, Scope.ANALYTICS_READ) else None


def job_node(*, caller: Caller, pk: int) -> AnalyticsJob | None:
    """The job as its asker sees it; None when there is none, or the caller is not its asker."""
    job = rows.find(tenant_id=caller.tenant.id, job_id=pk)
    if job is None or job.actor_id != caller.actor_id:
        return None
    is_for_caller = job.rights == rights_of(caller)
    return AnalyticsJob(
        pk=job.id,
        job=job,
        tenant_id=caller.tenant.id,
        is_for_caller=is_for_caller,
        state=JobState(job.state),
        progress=job.progress,
        submitted_at=job.submitted_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
        retry_after_ms=retry_after_ms(job),
        estimated_cost=job.estimated_cost,
        actual_cost=job.actual_cost,
        error=_error(job, is_for_caller=is_for_caller),
    )


def _error(job: Job, *, is_for_caller: bool) -> JobError | None:
    if job.error_code:
        return JobError(code=job.error_code, message=job.error_message, retryable=job.retryable)
    if job.state == JobState.SUCCEEDED and not is_for_caller:
        return JobError(code="FORBIDDEN", message=OTHER_RIGHTS, retryable=True)
    return None
