"""Operation context: who is asking, when, what it costs, and the transaction that everything happens in."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import strawberry
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from graphql import OperationType

from tasks_app.access.callers import NotAdmitted, caller_of_key, caller_of_user
from tasks_app.errors import ApiError, Code
from tasks_app.graphql.idempotency import InFlight, NamedRequest, NameUsed
from tasks_app.http.costs import Bill
from tasks_app.http.reading import HTTPError, has_api_key
from tasks_app.http.scalars import format_datetime
from tasks_app.models import User
from tasks_app.networks import client_address
from tasks_app.observing import watch
from tasks_app.rate.addresses import AddressLimit
from tasks_app.rate.gcra import Rate
from tasks_app.rate.plans import known_plans
from tasks_app.rate.reservations import OutOfPoints, Reservation, reserved
from tasks_app.refusals import Refused
from tasks_app.tenancy import Caller, DatabaseRole, TenantFacts, entered


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What resolvers get as `info.context`. `now` is one instant for the whole operation.

    `asked_at` is when it was asked, where it is answered later, by a job.
    """

    caller: Caller
    now: datetime
    asked_at: datetime | None = None
    held: Reservation | None = None
    named: list[NamedRequest] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    @property
    def tenant(self) -> TenantFacts:
        """The tenant that the transaction is in: the only one whose rows there are."""
        return self.caller.tenant

    @property
    def headers(self) -> dict[str, str]:
        """How many points are left."""
        return self.held.headers if self.held else {}

    def rollback(self) -> None:
        """Nothing that the operation wrote will stay."""
        transaction.set_rollback(True)

    def spent(self, points: int) -> dict[str, object]:
        """Notes what the operation did cost; what is too much of its reservation goes back. Answers `extensions.cost`."""
        held = self.held
        if held is None:
            return {}
        held.spent = min(points, held.points)
        watch.spent(held.spent)
        return {
            "estimated": held.points,
            "actual": held.spent,
            "limit": held.plan.points_a_minute,
            "remaining": held.remaining,
            "resetAt": format_datetime(held.reset_at),
        }

    def recall(self, name: str, fingerprint: bytes) -> str | None:
        """The answer to the request of that name, if it was done within 24 hours. 409 while it runs, 422 if it was another."""
        tenant_id, actor_id = self.tenant.id, self.caller.actor_id
        request = NamedRequest(tenant_id=tenant_id, actor_id=actor_id, name=name, fingerprint=fingerprint)
        self.named.append(request)
        try:
            return request.recall(now=self.now)
        except InFlight as refused:
            raise HTTPError(refused.message, status=409, headers={"Retry-After": "1"}) from None
        except NameUsed as refused:
            raise HTTPError(refused.message, status=422) from None

    def shown_once(self, secret: str) -> str:
        """The secret, for this answer alone: where the answer is kept, null stands in its place."""
        self.secrets.append(secret)
        return secret

    def keep(self, body: str) -> None:
        """Keeps the answer to the request that was named, without what may be shown only once."""
        for secret in self.secrets:
            body = body.replace(json.dumps(secret), "null")
        for request in self.named:
            request.keep(body)


_addresses = AddressLimit()

# The context's type for resolvers: `def resolver(info: Info) -> ...`.
Info = strawberry.Info[Asking, Any]


def admit(request: HttpRequest) -> None:
    """RATE_LIMITED for an address that sends more requests than any may."""
    rate = Rate(points=settings.FLOWLEDGER_REQUESTS_A_MINUTE)
    waiting = _addresses.retry_after(str(client_address(request)), rate=rate)
    if waiting:
        watch.limited("address")
        raise ApiError(
            f"This address has sent more than {rate.points:,} requests a minute: try again in {waiting} s.",
            code=Code.RATE_LIMITED,
            extensions={"retryAfter": waiting},
        )


@contextmanager
def open_request(request: HttpRequest, operation: OperationType, bill: Callable[[], Bill]) -> Iterator[Asking]:
    """Surrounds one operation with its caller's transaction; read-only, and one snapshot, for a query.

    Raises ApiError for a caller who is not admitted, before anything of the tenant is read, and for one who has not got
    the points. They are taken outside the transaction, and what was not needed is given back after it.
    """
    now = datetime.now(UTC)  # noqa: TID251 - this is the edge: every resolver is given this instant
    read_only = operation is OperationType.QUERY
    with ExitStack() as stack:
        try:
            caller = caller_of(request, now=now)
            watch.admitted(caller)
            held = stack.enter_context(_reserved(caller, points=bill().estimate, now=now))
        except OutOfPoints as refused:
            watch.limited(refused.limit)
            raise _out_of_points(refused) from None
        except NotAdmitted as refused:
            extensions = {"reason": refused.reason} if refused.reason else None
            raise ApiError(refused.message, code=Code(refused.code), extensions=extensions) from None
        except Refused as refused:
            raise as_api_error(refused) from None
        stack.enter_context(
            entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, role=DatabaseRole.TENANT, read_only=read_only)
        )
        yield Asking(caller=caller, now=now, held=held)


def purse_of(caller: Caller) -> str:
    """Whose points the caller spends: the key's, else the person's."""
    return f"user {caller.user_id}" if caller.api_key_id is None else f"key {caller.api_key_id}"


def _reserved(caller: Caller, *, points: int, now: datetime) -> AbstractContextManager[Reservation]:
    plan = known_plans.plan(caller.tenant.id)
    return reserved(tenant_id=caller.tenant.id, caller=purse_of(caller), points=points, plan=plan, now=now)


def _out_of_points(refused: OutOfPoints) -> ApiError:
    if refused.retry_after is None:
        return as_api_error(refused)
    return HTTPError(
        refused.message,
        status=429,
        code=Code(refused.code),
        headers={**refused.headers, "Retry-After": str(refused.retry_after)},
        extensions={"retryAfter": refused.retry_after},
    )


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
