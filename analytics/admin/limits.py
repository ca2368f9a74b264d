"""Rate limits page: the tenant's plan and its changes, and the requests that were refused, by code and day."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta

from django.http.response import HttpResponseBase

from tasks_app.admin.keys import PLAN_KINDS, changes
from tasks_app.admin.visits import Visit
from tasks_app.errors import Code
from tasks_app.observing.judging import REFUSED
from tasks_app.observing.rows import Counted, days
from tasks_app.rate.plans import Plan, plan_within

DAYS = 30
REASONS: Mapping[str, str] = {
    Code.RATE_LIMITED: "The plan's points were spent, or too many requests ran at once.",
    Code.COST_EXCEEDED: "The request costs more than any may.",
    Code.LIMIT_EXCEEDED: "The document or its pages are larger than any may be.",
    Code.FORBIDDEN: "The caller has not the scope or the role.",
    Code.NOT_FOUND: "What was named is not there.",
    Code.BAD_USER_INPUT: "What was sent is malformed, or out of range.",
    Code.UNAUTHENTICATED: "Nobody who may enter.",
}
PLAN: Mapping[str, str] = {
    "points_a_minute": "Points a minute of one key or login",
    "burst": "Points at once of one key or login",
    "tenant_points_a_minute": "Points a minute of all together",
    "tenant_burst": "Points at once of all together",
    "at_once": "Requests that run at the same time",
}


def limits(visit: Visit) -> HttpResponseBase:
    """The page. Days are those of UTC; counts are some seconds behind."""
    since = visit.now.astimezone(UTC).date() - timedelta(days=DAYS - 1)
    refused = [each for each in days(tenant_id=visit.tenant.id, since=since) if each.objective.startswith(REFUSED)]
    codes = sorted({_code(each) for each in refused})
    return visit.page(
        "admin/limits.html",
        title="Limits",
        plan=_lines(plan_within(visit.tenant.id)),
        changes=changes(visit, kinds=PLAN_KINDS),
        codes=[(code, REASONS.get(code, ""), _total(refused, code)) for code in codes],
        days=_by_day(refused, codes),
        since=since,
    )


def _lines(plan: Plan) -> list[tuple[str, int]]:
    return [(words, getattr(plan, name)) for name, words in PLAN.items()]


def _code(counted: Counted) -> str:
    return counted.objective.removeprefix(REFUSED)


def _total(refused: Sequence[Counted], code: str) -> int:
    return sum(each.count.valid for each in refused if _code(each) == code)


def _by_day(refused: Sequence[Counted], codes: Sequence[str]) -> list[tuple[date, list[int]]]:
    """The latest first; days without a refusal are left out."""
    found: dict[date, dict[str, int]] = {}
    for each in refused:
        found.setdefault(each.at, {})[_code(each)] = each.count.valid
    return [(day, [counts.get(code, 0) for code in codes]) for day, counts in sorted(found.items(), reverse=True)]
