"""One GraphQL operation's surroundings: who is asking, when, and the transaction that everything happens in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import strawberry
from django.db import transaction
from django.http import HttpRequest
from graphql import OperationType

from tasks_app.access import NotAdmitted, caller_of_key, caller_of_user
from tasks_app.addresses import client_address
from tasks_app.graphql.http.errors import ApiError, Code
from tasks_app.graphql.http.reading import has_api_key
from tasks_app.models import User
from tasks_app.observing.watch import admitted
from tasks_app.refusals import Refused
from tasks_app.tenancy import Caller, DatabaseRole, TenantFacts, entered


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What resolvers get as `info.context`. `now` is one instant for the whole operation."""

    caller: Caller
    now: datetime
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def tenant(self) -> TenantFacts:
        """The tenant that the transaction is in: the only one whose rows there are."""
        return self.caller.tenant

    def rollback(self) -> None:
        """Nothing that the operation wrote will stay."""
        transaction.set_rollback(True)


# The context's type for resolvers: `def resolver(info: Info) -> ...`.
Info = strawberry.Info[Asking, Any]


@contextmanager
def open_request(request: HttpRequest, operation: OperationType) -> Iterator[Asking]:
    """Surrounds one operation with its caller's transaction; read-only, and one snapshot, for a query.

    Raises ApiError for a caller who is not admitted, before anything of the tenant is read.
    """
    now = datetime.now(UTC)  # noqa: TID251 - this is the edge: every resolver is given this instant
    try:
        caller = caller_of(request, now=now)
    except NotAdmitted as refused:
        extensions = {"reason": refused.reason} if refused.reason else None
        raise ApiError(refused.message, code=Code(refused.code), extensions=extensions) from None
    admitted(caller)
    read_only = operation is OperationType.QUERY
    with entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, role=DatabaseRole.TENANT, read_only=read_only):
        yield Asking(caller=caller, now=now)


def caller_of(request: HttpRequest, *, now: datetime) -> Caller:
    """Whoever sent the request, by its key or else its session; NotAdmitted when it has neither."""
    slug = request.headers.get("X-Tenant") or None
    if has_api_key(request):
        secret = request.headers["Authorization"][len("Bearer ") :].strip()
        return caller_of_key(secret=secret, now=now, tenant_slug=slug, address=client_address(request))
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        raise NotAdmitted("Sign in, or send an API key as Authorization: Bearer <key>.")
    return caller_of_user(user=user, tenant_slug=slug)


def as_api_error(refused: Refused) -> ApiError:
    """The refusal as an error of the whole operation, for places that have no payload to put it in."""
    return ApiError(refused.message, code=Code(refused.code))
