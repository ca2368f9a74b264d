"""Receipt replay: an answer again, from its receipt's token."""

from collections.abc import Mapping
from typing import Any, cast

from strawberry.scalars import JSON

from analytics.engine.graphql.projects import projects_by_id
from analytics.engine.reading.questions import BoardQuestion, Question
from analytics.engine.reading.receipts import answer, metric_version
from analytics.engine.reading.replaying import figures_again
from analytics.engine.reading.tokens import Proof, check_can_be_replayed, proof_of
from analytics.flow.graphql.board import board_reading
from analytics.flow.graphql.persons import actors_asked, check_filters
from analytics.pure.canonical import canonical, digest
from tasks_app.errors import ApiError
from tasks_app.graphql.asking import Info, as_api_error
from tasks_app.graphql.fields import require
from tasks_app.http.node import encode_id
from tasks_app.models import Scope
from tasks_app.refusals import Refused
from tasks_app.tenancy import Caller


def replay_receipt(info: Info, receipt: str) -> JSON:
    """The canonical answer: a list of {figure, value}. The caller needs the scopes that the answer itself needed."""
    caller = info.context.caller
    try:
        proof = proof_of(receipt, tenant_id=caller.tenant.id)
        _check_may_ask(caller, proof.question)
        check_can_be_replayed(proof, metric_version=_definitions(proof.question))
    except Refused as refused:
        raise as_api_error(refused) from None
    found = canonical(answer(_figures(proof)))
    if digest(found) != proof.digest:
        raise ApiError(
            "receipt: the record does not give this answer any more, so something changed it past the ledger; ask anew,"
            " and find out who can switch triggers off."
        )
    return cast(JSON, found)


def _check_may_ask(caller: Caller, question: Question) -> None:
    if isinstance(question, BoardQuestion):
        require(caller, Scope.TASKS_READ, what="replayReceipt")
        return
    require(caller, Scope.ANALYTICS_READ, what="replayReceipt")
    actors_asked(assignee=_actor(question.assignee_id), actor=_actor(question.actor_id), caller=caller)
    check_filters(question.filters or {}, caller=caller)


def _definitions(question: Question) -> str:
    """Those that this server follows for the figures."""
    figures = ["board"] if isinstance(question, BoardQuestion) else question.figures
    return metric_version(figures, families=question.families)


def _actor(pk: int | None) -> str | None:
    return None if pk is None else encode_id(type_name="Actor", pk=pk)


def _figures(proof: Proof) -> Mapping[str, Any]:
    question = proof.question
    if isinstance(question, BoardQuestion):
        project = projects_by_id(tenant_id=question.tenant_id, ids=[question.project_id])[question.project_id]
        return board_reading(project=project, question=question, snapshot=proof.snapshot).figures()
    return figures_again(question=question, snapshot=proof.snapshot)
