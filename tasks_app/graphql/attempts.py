"""Attempts, the course of a mutation: checked, done once or not at all, and what there is to answer."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import strawberry

from tasks_app.graphql.asking import Info
from tasks_app.graphql.idempotency import NamedMutation, Outcome, once
from tasks_app.graphql.user_errors import UserError, all_or_nothing, user_error
from tasks_app.refusals import Refused

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class Input(DataclassInstance, Protocol):
        """What every mutation's input has."""

        client_mutation_id: str | None


@strawberry.type(description="What every mutation answers.")
class Payload:
    errors: list[UserError] = strawberry.field(
        description="Why nothing was changed; empty when the mutation did what it was asked."
    )
    client_mutation_id: str | None = strawberry.field(description="Yours, given back.")


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a mutation did, or why it did nothing; then `outcome` is empty."""

    info: Info
    outcome: Outcome
    errors: list[UserError]
    client_mutation_id: str | None

    @property
    def shared(self) -> dict[str, Any]:
        """The fields that every payload has."""
        return {"errors": self.errors, "client_mutation_id": self.client_mutation_id}


def tried(info: Info, given: "Input", do: Callable[[], Outcome]) -> Tried:
    """Runs `do` so that it changes all that it says or nothing; under the client's name for it, once in 24 hours."""
    outcome: Outcome = {}
    errors: list[UserError] = []
    try:
        with all_or_nothing():
            outcome = _done(info, given, do)
    except Refused as refused:
        errors = [user_error(refused)]
    return Tried(info=info, outcome=outcome, errors=errors, client_mutation_id=given.client_mutation_id)


def _done(info: Info, given: "Input", do: Callable[[], Outcome]) -> Outcome:
    if given.client_mutation_id is None:
        return do()
    asking = info.context
    content = {"mutation": info.field_name, **asdict(given)}
    named = NamedMutation(
        tenant_id=asking.tenant.id,
        actor_id=asking.caller.actor_id,
        name=given.client_mutation_id,
        content=content,
    )
    return once(named, do=do, now=asking.now)
