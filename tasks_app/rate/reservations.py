"""Reservations of one request's points: taken before it runs, and what it did not need given back."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil

from django.db import DatabaseError

from tasks_app.rate.gcra import Claim, Level, Rate, give_back, take_all
from tasks_app.rate.plans import Plan
from tasks_app.refusals import Refused

logger = logging.getLogger("flowledger.rate")

# Somebody else's request will be done soon; nobody can tell when.
RUNNING_RETRY = 1


class OutOfPoints(Refused):
    """RATE_LIMITED with the seconds after which it would be admitted, or COST_EXCEEDED when it never would.

    `limit` is whose it is: that of the caller, of the tenant, of how many may run, or of what can be spent at once (burst).
    """

    def __init__(
        self, message: str, *, code: str, headers: Mapping[str, str], limit: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.limit = limit
        self.headers = dict(headers)
        self.retry_after = retry_after


@dataclass(kw_only=True)
class Reservation:
    """What a request holds. `spent` is what it turned out to cost, at first all of it."""

    plan: Plan
    caller: Level
    tenant: Level
    points: int
    now: datetime
    spent: int = field(init=False)

    def __post_init__(self) -> None:
        self.spent = self.points

    @property
    def remaining(self) -> int:
        """Points that the caller will have when this request is done."""
        return min(self.plan.caller.at_once, self.caller.remaining + self.points - self.spent)

    @property
    def reset_at(self) -> datetime:
        """When the caller will have all points again."""
        unused = (self.points - self.spent) * self.plan.caller.interval
        return max(self.now, self.caller.full_at - timedelta(microseconds=unused))

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit and RateLimit-Policy, as the IETF's draft has them."""
        back = self.points - self.spent
        tenant = replace(self.tenant, remaining=self.tenant.remaining + back)
        caller = replace(self.caller, remaining=self.remaining, full_at=self.reset_at)
        return limit_headers(self.plan, caller=caller, tenant=tenant, now=self.now)


@contextmanager
def reserved(*, tenant_id: int, caller: str, points: int, plan: Plan, now: datetime) -> Iterator[Reservation]:
    """Surrounds a request, outside its transaction. `caller` names the key or login within the tenant.

    OutOfPoints when the caller or the tenant has not got the points, or too many of the tenant's requests run.
    """
    claims = _claims(tenant_id=tenant_id, caller=caller, points=points, plan=plan)
    own, tenants, running = take_all(claims, now=now)
    if not (own.admitted and tenants.admitted and running.admitted):
        raise _refusal(points, plan=plan, levels=(own, tenants), now=now)
    held = Reservation(plan=plan, caller=own, tenant=tenants, points=points, now=now)
    try:
        yield held
    finally:
        back = points - held.spent
        unused = [replace(claim, cost=back) for claim in claims[:2]] if back > 0 else []
        _given_back([*unused, claims[2]], now=now)


def _given_back(claims: list[Claim], *, now: datetime) -> None:
    """The request is done, whatever becomes of this: its answer must not be lost for it."""
    try:
        give_back(claims, now=now)
    except DatabaseError:
        logger.warning("Points could not be given back", exc_info=True)


def caller_claim(*, tenant_id: int, caller: str, points: int, plan: Plan) -> Claim:
    """The bucket of one key or login."""
    return Claim(bucket=f"points/{tenant_id}/{caller}", cost=points, rate=plan.caller)


def limit_headers(plan: Plan, *, caller: Level, tenant: Level, now: datetime) -> dict[str, str]:
    """The two policies and how far they are used."""
    return {
        "RateLimit-Policy": f"{_policy('caller', plan.caller)}, {_policy('tenant', plan.tenant)}",
        "RateLimit": f"{_state('caller', caller, now)}, {_state('tenant', tenant, now)}",
    }


def _claims(*, tenant_id: int, caller: str, points: int, plan: Plan) -> list[Claim]:
    return [
        caller_claim(tenant_id=tenant_id, caller=caller, points=points, plan=plan),
        Claim(bucket=f"points/{tenant_id}", cost=points, rate=plan.tenant),
        Claim(bucket=f"running/{tenant_id}", cost=1, rate=plan.running),
    ]


def _policy(name: str, rate: Rate) -> str:
    return f'"{name}";q={rate.points};w={rate.seconds}'


def _state(name: str, level: Level, now: datetime) -> str:
    return f'"{name}";r={level.remaining};t={ceil(max(0.0, (level.full_at - now).total_seconds()))}'


def _refusal(points: int, *, plan: Plan, levels: tuple[Level, Level], now: datetime) -> OutOfPoints:
    caller, tenant = levels
    headers = limit_headers(plan, caller=caller, tenant=tenant, now=now)
    if caller.retry_after is None or tenant.retry_after is None:
        most = min(plan.burst, plan.tenant_burst)
        message = (
            f"The request may cost {points:,} points and at most {most:,} can be spent at once:"
            " ask for shorter pages, a shorter window or fewer figures."
        )
        return OutOfPoints(message, code="COST_EXCEEDED", headers=headers, limit="burst")
    if caller.admitted and tenant.admitted:
        message = f"{plan.at_once} requests of this tenant are running, which is as many as may: try again."
        return OutOfPoints(message, code="RATE_LIMITED", headers=headers, limit="running", retry_after=RUNNING_RETRY)
    who, rate, level = (
        ("This tenant has", plan.tenant, tenant) if caller.admitted else ("You have", plan.caller, caller)
    )
    message = (
        f"The request may cost {points:,} points. {who} {level.remaining:,} left of {rate.points:,} a minute: try again"
        f" in {_seconds(caller, tenant)} s."
    )
    limit, wait = "tenant" if caller.admitted else "caller", _seconds(caller, tenant)
    return OutOfPoints(message, code="RATE_LIMITED", headers=headers, limit=limit, retry_after=wait)


def _seconds(*levels: Level) -> int:
    return max(1, *(ceil(level.retry_after or 0) for level in levels))
