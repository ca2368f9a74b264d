"""Asking the product's schema without HTTP: the same context and transaction, the errors as Python sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from graphql import DocumentNode, OperationType, parse

from config.schema import schema
from tasks_app.access.matrix import ROLE_SCOPES
from tasks_app.graphql.asking import Asking
from tasks_app.http.documents import pick_operation
from tasks_app.http.masking import RequestErrors, error_code
from tasks_app.operations.tenants import facts_of
from tasks_app.tenancy import Caller, CallerKind, entered
from tests.cast import Person


@dataclass(frozen=True)
class Refusal:
    """The first error of an answer."""

    code: str
    message: str


def caller(person: Person) -> Caller:
    """The person, signed in."""
    tenant = person.membership.tenant
    return Caller(
        kind=CallerKind.USER,
        name=person.user.name,
        tenant=facts_of(tenant),
        actor_id=person.actor.id,
        role=person.membership.role,
        scopes=ROLE_SCOPES[person.membership.role],
        user_id=person.user.id,
    )


def ask(person: Person, query: str, *, now: datetime | None = None, **variables: object) -> Any:
    """The data of the answer, or the Refusal if there was an error."""
    data, refusal = _answer(person, query, now=now or datetime.now(UTC), variables=variables)  # noqa: TID251
    return refusal or data


def _document(query: str) -> tuple[DocumentNode, bool]:
    """Parsed and checked once, as the view does it; one that breaks a rule is not checked, and its answer says so."""
    document = schema.known.get(query) or parse(query)
    try:
        schema.check(document, text=query)
    except RequestErrors:
        return document, False
    return document, True


def _answer(
    person: Person, query: str, *, now: datetime, variables: Mapping[str, object]
) -> tuple[Any, Refusal | None]:
    document, checked = _document(query)
    operation = pick_operation(document, name=None)
    who = caller(person)
    read_only = operation.operation is OperationType.QUERY
    with entered(tenant_id=who.tenant.id, actor_id=who.actor_id, read_only=read_only):
        result = schema.run(
            document=document,
            text=query,
            operation_name=None,
            variables=variables,
            extensions=None,
            context=Asking(caller=who, now=now),
            checked=checked,
        )
    if not result.errors:
        return result.data, None
    first = result.errors[0]
    return result.data, Refusal(code=error_code(first).value, message=first.message)
