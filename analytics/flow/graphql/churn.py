"""What came back, was given up, came and left."""

from datetime import timedelta

import strawberry

from analytics.engine.reading.questions import DAYS_BEYOND
from analytics.flow.catalogue import sentence
from analytics.flow.figures import churn as churns
from analytics.flow.figures.churn import rate
from analytics.flow.graphql.edges import Edge, edge_node
from tasks_app.errors import ApiError

WITHIN = DAYS_BEYOND
REOPEN_WITHIN = 14
MOST_DAYS = 366


@strawberry.type(description="Work that came back or was given up, and change of scope. A rate of nothing is null.")
class Churn:
    finish_events: int = strawberry.field(description=sentence("churn.finishEvents"))
    reopened: int = strawberry.field(description=sentence("churn.reopened"))
    reopen_rate: float | None = strawberry.field(description=sentence("churn.reopenRate"))
    backflow: int = strawberry.field(description=sentence("churn.backflow"))
    first_pass_yield: float | None = strawberry.field(description=sentence("churn.firstPassYield"))
    abandoned: int = strawberry.field(description=sentence("churn.abandoned"))
    reverted_items: int = strawberry.field(description=sentence("churn.revertedItems"))
    churn_rate: float | None = strawberry.field(description=sentence("churn.churnRate"))
    edges: list[Edge] = strawberry.field(description=sentence("churn.edges"))
    reverts: list[int | None] = strawberry.field(description=sentence("churn.reverts"))
    scope_added: list[int | None] = strawberry.field(description=sentence("churn.scopeAdded"))
    scope_removed: list[int | None] = strawberry.field(description=sentence("churn.scopeRemoved"))


def days_asked(days: int, *, argument: str) -> timedelta:
    """That many days; ApiError for a number that is none of those that may be asked for."""
    if 1 <= days <= MOST_DAYS:
        return timedelta(days=days)
    raise ApiError(f"{argument}: {days} is out of range; pass a number of days from 1 to {MOST_DAYS}.")


def churn_node(found: churns.Churn) -> Churn:
    """The figures as the API shows them."""
    return Churn(
        finish_events=found.finish_events,
        reopened=found.reopened,
        reopen_rate=rate(found.reopened, found.judged_finishes),
        backflow=found.backflow,
        first_pass_yield=rate(found.finished_straight, found.finished),
        abandoned=found.abandoned,
        reverted_items=found.reverted_items,
        churn_rate=rate(found.reverted_items, found.started_items),
        edges=[edge_node(edge) for edge in found.edges],
        reverts=list(found.reverts),
        scope_added=list(found.scope_added),
        scope_removed=list(found.scope_removed),
    )
