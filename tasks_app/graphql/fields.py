"""Scopes on fields: who may ask for a field is said where the field is."""

from collections.abc import Callable, Sequence
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from tasks_app.access.matrix import WHOLE, Group, described
from tasks_app.errors import ApiError, Code
from tasks_app.models import Scope
from tasks_app.tenancy import Caller


class NeedsScope(FieldExtension):
    """Refuses a caller without the scope before the field's resolver runs. The field's description says what it takes.

    What the resolver itself narrows further, by an argument or as an error of the payload, is told by `narrowed`.
    """

    def __init__(self, scope: Scope, *, narrowed: Sequence[Group] = ()) -> None:
        self.scope = scope
        self.narrowed = tuple(narrowed)

    def apply(self, field: StrawberryField) -> None:
        """Adds the sentences of the matrix to what people read; once, however often the schema is built."""
        told = " ".join(described(group) for group in (WHOLE[self.scope], *self.narrowed))
        before = field.description or ""
        field.description = before if before.endswith(told) else f"{before} {told}".strip()

    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info[Any, Any], **arguments: Any) -> Any:
        """What the field answers; ApiError FORBIDDEN otherwise."""
        require(info.context.caller, self.scope, what=info.field_name)
        return next_(source, info, **arguments)


def scoped(scope: Scope, *, narrowed: Sequence[Group] = ()) -> NeedsScope:
    """For a field: `strawberry.field(resolver=..., description=..., extensions=[scoped(Scope.TASKS_READ)])`."""
    return NeedsScope(scope, narrowed=narrowed)


def require(caller: Caller, scope: Scope, *, what: str) -> None:
    """Raises ApiError FORBIDDEN when the caller may not; `what` is named in the sentence."""
    if scope not in caller.scopes:
        raise ApiError(f"{what}: this needs the scope {scope.value}, which {_holder(caller)}.", code=Code.FORBIDDEN)


def may(caller: Caller, scope: Scope) -> bool:
    """For node loaders: a node that the caller may not see is not found, like one that is not there."""
    return scope in caller.scopes


def _holder(caller: Caller) -> str:
    if caller.api_key_id is not None:
        return "this API key does not have"
    return f"the role {caller.role} does not have"
