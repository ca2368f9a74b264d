"""Explained change: why a number is another one, by the ledger rows that were recorded between two instants."""

from datetime import datetime
from typing import Any

import strawberry

from analytics.engine.asked_names import plain, unknown
from analytics.engine.graphql.inputs import Bucket
from analytics.engine.projects import ProjectFacts, project_facts
from analytics.flow import drills as drilling
from analytics.flow.graphql.activity import ActivityConnection, activity_connection
from analytics.flow.graphql.changed import ExplainedChange
from analytics.flow.graphql.churn import REOPEN_WITHIN, WITHIN, days_asked
from analytics.flow.graphql.drilling import FlowMetric, side
from analytics.flow.reading.drill_result import DrillError, DrillQuestion
from analytics.flow.reading.explaining import ChangedNumber
from analytics.pure import windows
from analytics.pure.windows import Window, WindowError
from tasks_app.errors import ApiError
from tasks_app.graphql.asking import Info
from tasks_app.graphql.fields import require
from tasks_app.http.connections import PageArgs
from tasks_app.models import Scope
from tasks_app.tenancy import TenantFacts

DESCRIPTION = """The ledger rows, recorded after `knownFrom` and up to `knownTo`, that made a number of a project another one,\
 the newest recording first; `change` has the number before and after, and the items that it counts otherwise since.\
 The number is that of `metric` for the bucket of that `size` which begins at `bucket` in the zone (the argument's, else the\
 project's), as `analytics` over that bucket alone answers it, states as defined then; `state`, `fromState`, `check` and\
 `reopenWithinDays` are those of `drillDown`. A row explains the change when it\
 belongs to an item that is counted otherwise. Definitions of states are among the rows where without them the number would\
 be another one. Without all these rows the number is what it was; there are none where every item is counted as before.\
 REOPENED and ABANDONED change by time alone, too: then there are items and no rows.\
 Needs the scope TASKS_READ, too."""


def explain_change(
    info: Info,
    project: str,
    metric: FlowMetric,  # type: ignore[valid-type]
    bucket: datetime,
    known_from: datetime,
    known_to: datetime,
    size: Bucket = windows.Bucket.DAY,  # type: ignore[valid-type]
    state: str | None = strawberry.UNSET,
    from_state: str | None = strawberry.UNSET,
    reopen_within_days: int = REOPEN_WITHIN,
    check: str | None = strawberry.UNSET,
    timezone: str | None = strawberry.UNSET,
    *,
    page: PageArgs,
) -> ActivityConnection:
    """One page of the rows."""
    require(info.context.caller, Scope.TASKS_READ, what="explainChange")
    tenant, now = info.context.tenant, info.context.now
    _check_instants(known_from=known_from, known_to=known_to, now=now)
    board = _board(tenant, key=plain(project, argument="project"), known_to=known_to)
    number = ChangedNumber(
        tenant_id=tenant.id,
        board=board,
        window=_window(bucket, size=windows.Bucket(size), zone=timezone or board.timezone, tenant=tenant, now=now),
        asked=DrillQuestion(
            metric=drilling.FlowMetric(metric),
            state=side(state),
            from_state=side(from_state),
            within=days_asked(reopen_within_days, argument=WITHIN),
            check=_given(check),
        ),
        known_from=known_from,
        known_to=known_to,
        now=now,
    )
    try:
        filters = number.filters()
    except DrillError as error:
        raise ApiError(f"{error.argument}: {error}", extensions={"argument": error.argument}) from None
    return activity_connection(tenant=tenant, filters=filters, args=page, change=ExplainedChange(number=number))


def _check_instants(*, known_from: datetime, known_to: datetime, now: datetime) -> None:
    if known_to > now:
        raise ApiError(f"knownTo: {known_to.isoformat()} is in the future; give an instant up to now.")
    if known_from > known_to:
        raise ApiError(f"knownFrom: {known_from.isoformat()} is later than knownTo; exchange the two.")


def _board(tenant: TenantFacts, *, key: str, known_to: datetime) -> ProjectFacts:
    found = project_facts(tenant_id=tenant.id, key=key, known_at=known_to)
    if not found:
        raise unknown("project", key, argument="project")
    return found[0]


def _window(start: datetime, *, size: windows.Bucket, zone: str, tenant: TenantFacts, now: datetime) -> Window:
    try:
        return windows.one_bucket(
            start=start, bucket=size, zone=zone, now=now, fiscal_year_start_month=tenant.fiscal_year_start_month
        )
    except WindowError as error:
        raise ApiError(f"{error.argument}: {error}", extensions={"argument": error.argument}) from None


def _given(value: Any) -> Any:
    return None if value is strawberry.UNSET else value
