"""Heavy queries, which cost too much for a request: answered by a job, within the budget or later."""

import json
from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    print_ast,
    separate_operations,
)
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult

from analytics.engine.families import families
from analytics.engine.graphql.heavy_fields import heavy_fields
from analytics.engine.graphql.weighing import Weighing, current, weighed
from analytics.engine.reading.costs import Decision
from analytics.engine.reading.estimates import policy
from analytics.engine.reading.ledger_position import Position, position
from analytics.engine.reading.switches import switch_of
from analytics.jobs.job_rights import fingerprint_of, rights_of
from analytics.jobs.request_wait import Wait, waited_for
from analytics.jobs.rows import Job, Submission
from analytics.models import JobState
from tasks_app.errors import ApiError, Code
from tasks_app.graphql.asking import Asking
from tasks_app.http.documents import pick_operation
from tasks_app.http.node import encode_id

# How soon to look again, in milliseconds.
SOONEST_MS, LATEST_MS = 200, 5_000


class HeavyQueries(SchemaExtension):
    """Weighs a query's heavy fields as they come; where they are too heavy, a job answers the whole operation."""

    def on_execute(self) -> Iterator[None]:
        """Around the execution: what was found too heavy is left out of it, and answered afterwards."""
        context = self.execution_context
        if current() is not None or context.operation_type.value != OperationType.QUERY.value:
            yield
            return
        rules = policy()
        with weighed(Weighing(policy=rules, most=rules.most(Decision.SYNC))) as weighing:
            yield
        if weighing.refused is not None:
            context.result = _failed(weighing.refused)
        elif weighing.is_heavy:
            context.result = _handed_over(self._submission(context.graphql_document, weighing), weighing)

    def _submission(self, document: DocumentNode | None, weighing: Weighing) -> Submission:
        context = self.execution_context
        if document is None:
            raise RuntimeError("What was executed has a document.")
        return submission(
            schema=context.schema._schema,
            asking=context.context,
            document=document,
            operation_name=context.operation_name,
            variables=dict(context.variables or {}),
            weighing=weighing,
        )


def submission(
    *,
    schema: GraphQLSchema,
    asking: Asking,
    document: DocumentNode,
    operation_name: str | None,
    variables: dict[str, Any],
    weighing: Weighing,
) -> Submission:
    """What the job of a weighed document is made of, at the position of the record that the transaction sees.

    The document is the one operation with its fragments, in one spelling.
    """
    operation = pick_operation(document, name=operation_name)
    alone = separate_operations(document)[operation.name.value if operation.name else ""]
    caller, place = asking.caller, position(tenant_id=asking.tenant.id, families=families())
    text, given = print_ast(alone), json.dumps(variables, sort_keys=True, separators=(",", ":"))
    return Submission(
        tenant_id=caller.tenant.id,
        actor_id=caller.actor_id,
        document=text,
        variables=given,
        fingerprint=fingerprint_of(caller=caller, document=text, variables=given, place=_recorded(place, asking)),
        rights=rights_of(caller),
        estimated_cost=weighing.cost,
        lasting=weighing.lasting and heavy_fields(schema, document=document, operation=operation).alone,
    )


def _recorded(place: Position, asking: Asking) -> list[int | str]:
    """What an answer's figures and receipt depend on, beside the question: a document may ask for any of the families.

    An answer says under which version of a switch it was given, so another version is another question.
    """
    capabilities = sorted({each.family.capability for each in place.families if each.family.capability})
    switches = [switch_of(tenant_id=asking.tenant.id, capability=each, at=None) for each in capabilities]
    return [
        *(f"{each.family.name}:{each.facts}" for each in place.families),
        place.definitions,
        place.last_definition,
        *(f"{name}:{each.version}" for name, each in zip(capabilities, switches, strict=True)),
    ]


def retry_after_ms(job: Job) -> int | None:
    """How long to wait before asking for the job again; None when it is over. A unit of cost is about a microsecond."""
    if job.is_over:
        return None
    left = job.estimated_cost * (1 - job.progress) / 1000
    return round(min(max(left / 2, SOONEST_MS), LATEST_MS))


def _handed_over(asked: Submission, weighing: Weighing) -> ExecutionResult:
    rule = weighing.policy.rule(weighing.cost)
    wait = waited_for(asked, budget_ms=rule.budget_ms or 0)
    if wait.result is not None:
        return _as_result(wait.result)
    if wait.job is None:
        return _failed(
            ApiError("This is too heavy for a request, and no job could be made: ask again.", code=Code.INTERNAL)
        )
    if wait.job.state == JobState.FAILED:
        return _failed(GraphQLError(wait.job.error_message, extensions={"code": wait.job.error_code}))
    return _failed(_later(wait, wait.job))


def _later(wait: Wait, job: Job) -> ApiError:
    name = encode_id(type_name="AnalyticsJob", pk=job.id)
    tried = f"This takes longer than {wait.budget_ms / 1000:g} seconds" if wait.is_tried else "This takes a while"
    return ApiError(
        f'{tried}, so it is counted by a job: ask for analyticsJob(id: "{name}").',
        code=Code.ASYNC_REQUIRED,
        extensions={"jobId": name, "retryAfterMs": retry_after_ms(job), "estimatedCost": job.estimated_cost},
    )


def _failed(error: Exception) -> ExecutionResult:
    known = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    return ExecutionResult(data=None, errors=[known])


def _as_result(text: str) -> ExecutionResult:
    body = json.loads(text)
    errors = [
        GraphQLError(each["message"], path=each.get("path"), extensions=each["extensions"])
        for each in body.get("errors", [])
    ]
    return ExecutionResult(data=body["data"], errors=errors or None)
