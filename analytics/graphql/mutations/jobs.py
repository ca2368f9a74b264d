"""Job mutations."""

from typing import Any

import strawberry
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from graphql import DocumentNode, GraphQLError, OperationType, print_ast
from strawberry.scalars import JSON

from analytics.engine.graphql.weighing import TooHeavy, Weighing, weighed
from analytics.engine.reading.estimates import policy
from analytics.graphql.documents.catalogue import TEXTS_BY_ID
from analytics.graphql.heavy import submission
from analytics.graphql.jobs import AnalyticsJob, job_node
from analytics.jobs import rows
from analytics.jobs.dispatch import ring
from tasks_app.errors import ApiError
from tasks_app.graphql.asking import Info
from tasks_app.graphql.attempts import Payload, Tried, tried
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import LeftOutIsNull, client_mutation_id, optional
from tasks_app.graphql.mutation_fields import mutation
from tasks_app.http.documents import parse_document, pick_operation
from tasks_app.http.masking import error_code, mask_errors
from tasks_app.http.node import decode_pk
from tasks_app.models import Scope
from tasks_app.refusals import Refused, not_found

DOCUMENT = ("input", "document")
VARIABLES = ("input", "variables")


@strawberry.type(description="A job that was made, found or cancelled.")
class AnalyticsJobPayload(Payload):
    job: AnalyticsJob | None = strawberry.field(description="The job as it is now; null when there are errors.")


@strawberry.input(description="A query for a job: its document, or the id of a document that the product knows.")
class SubmitAnalyticsJobInput(LeftOutIsNull):
    document: str | None = optional("A document with one query; this or `documentId`.")
    document_id: str | None = optional("The id of a trusted document, as in `sha256:...`.")
    variables: JSON | None = optional("The query's variables, an object.")
    client_mutation_id: str | None = client_mutation_id()


@strawberry.input(description="A job that is not wanted any more.")
class CancelAnalyticsJobInput(LeftOutIsNull):
    id: strawberry.ID = strawberry.field(description="The job's id.")
    client_mutation_id: str | None = client_mutation_id()


@mutation(
    "Has a query answered by a job. The same query at the same position of the record is one job.",
    scope=Scope.ANALYTICS_READ,
)
def submit_analytics_job(info: Info, input: SubmitAnalyticsJobInput) -> AnalyticsJobPayload:  # noqa: A002
    """The job that answers the query: a new one, or the one that does already."""

    def do() -> Outcome:
        document, variables = _document(input), _variables(input)
        weighing = _weighed(info, document, variables)
        asked = submission(
            schema=info.schema._schema,
            asking=info.context,
            document=document,
            operation_name=None,
            variables=variables,
            weighing=weighing,
        )
        job, is_new = rows.submit(asked, now=info.context.now)
        if is_new:
            transaction.on_commit(lambda: ring(tenant_id=asked.tenant_id, job_id=job.id))
        return {"job": job.id}

    return _payload(info, tried(info, input, do))


@mutation("Cancels a job of yours. One that has ended stays as it is.", scope=Scope.ANALYTICS_READ)
def cancel_analytics_job(info: Info, input: CancelAnalyticsJobInput) -> AnalyticsJobPayload:  # noqa: A002
    """The job, cancelled, or as it had ended."""

    def do() -> Outcome:
        pk = decode_pk(input.id, type_name="AnalyticsJob")
        if pk is None or job_node(caller=info.context.caller, pk=pk) is None:
            raise not_found(what="job", name=str(input.id)[:128], path=("input", "id"))
        rows.cancel(tenant_id=info.context.tenant.id, job_id=pk, now=info.context.now)
        return {"job": pk}

    return _payload(info, tried(info, input, do))


def _payload(info: Info, done: Tried) -> AnalyticsJobPayload:
    pk = done.outcome.get("job")
    job = job_node(caller=info.context.caller, pk=pk) if pk else None
    return AnalyticsJobPayload(job=job, **done.shared)


def _document(given: SubmitAnalyticsJobInput) -> DocumentNode:
    try:
        document = parse_document(_text(given))
        operation = pick_operation(document, name=None)
    except (ApiError, GraphQLError) as error:
        raise _refused(error) from None
    if operation.operation is not OperationType.QUERY:
        raise Refused("document: only a query can be a job; send a mutation as it is.", path=DOCUMENT)
    return document


def _text(given: SubmitAnalyticsJobInput) -> str:
    if (given.document is None) == (given.document_id is None):
        raise Refused("document: give the query that the job is to answer, or documentId, and not both.", path=DOCUMENT)
    if given.document is not None:
        return given.document
    text = TEXTS_BY_ID.get(given.document_id or "")
    if text is None:
        raise not_found(what="document", name=(given.document_id or "")[:128], path=("input", "documentId"))
    return text


def _variables(given: SubmitAnalyticsJobInput) -> dict[str, Any]:
    if given.variables is None:
        return {}
    if not isinstance(given.variables, dict):
        raise Refused("variables: an object is needed, with the variables by their names.", path=VARIABLES)
    return given.variables


def _weighed(info: Info, document: DocumentNode, variables: dict[str, Any]) -> Weighing:
    """What the document would cost. Limits, validation and arguments are checked by asking it, without counting a figure."""
    schema = import_string(settings.FLOWLEDGER_SCHEMA)
    with weighed(Weighing(policy=policy(), most=-1)) as weighing:
        result = schema.run(
            document=document,
            text=print_ast(document),
            operation_name=None,
            variables=variables,
            extensions=None,
            context=info.context,
        )
    for error in result.errors or ():
        if not isinstance(error.original_error, TooHeavy):
            raise _refused(error)
    return weighing


def _refused(error: Exception) -> Refused:
    known = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    return Refused(str(mask_errors([known])[0]["message"]), code=error_code(known).value, path=DOCUMENT)


MUTATIONS = (
    submit_analytics_job,
    cancel_analytics_job,
)
