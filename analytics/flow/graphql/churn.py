"""Churn: what came back, was given up, came and left."""

from datetime import timedelta

import strawberry

from analytics.engine.figure import Measure, Unit
from analytics.engine.graphql.figures import counts
from analytics.engine.reading.questions import DAYS_BEYOND
from analytics.flow.figures import churn as churns
from analytics.flow.figures.churn import rate
from analytics.flow.graphql.state_graph import Edge, edge_node
from tasks_app.errors import ApiError

WITHIN = DAYS_BEYOND
REOPEN_WITHIN = 14
MOST_DAYS = 366


@strawberry.type(description="Work that came back or was given up, and change of scope. A rate of nothing is null.")
class Churn:
    finish_events: int = strawberry.field(
        description="Entries into the category DONE from outside it within the window.", metadata=counts(Unit.EVENTS)
    )
    reopened: int = strawberry.field(
        description="Finish events followed by a return to TODO or IN_PROGRESS in less than reopenWithinDays times 24"
        " hours, before the next finish. Those of which that time is not over at knownAt do not count yet.",
        metadata=counts(Unit.EVENTS),
    )
    reopen_rate: float | None = strawberry.field(
        description="reopened / finish events of which the time to be reopened in is over at knownAt; null without any.",
        metadata=counts(Unit.SHARE),
    )
    backflow: int = strawberry.field(
        description="Moves to a state of a lower position in the same project, by the order in force at the move.",
        metadata=counts(Unit.TRANSITIONS),
    )
    first_pass_yield: float | None = strawberry.field(
        description="Items finished in the window that never moved back before its end / items finished in the window;"
        " null without any.",
        metadata=counts(Unit.SHARE),
    )
    abandoned: int = strawberry.field(
        description="Moves from IN_PROGRESS to TODO after which the item enters neither IN_PROGRESS nor DONE in less than"
        " reopenWithinDays times 24 hours. Those of which that time is not over at knownAt do not count yet.",
        metadata=counts(Unit.EVENTS),
    )
    reverted_items: int = strawberry.field(
        description="Items with a move from IN_PROGRESS to TODO in the window.", metadata=counts(Unit.ITEMS)
    )
    churn_rate: float | None = strawberry.field(
        description="revertedItems / items whose first entry into an IN_PROGRESS state lies in the window; null without"
        " any.",
        metadata=counts(Unit.SHARE),
    )
    edges: list[Edge] = strawberry.field(
        description="The moves of backflow from state to state, in workflow order.", metadata=counts(Unit.TRANSITIONS)
    )
    reverts: list[int | None] = strawberry.field(
        description="Moves of backflow per bucket.", metadata=counts(Unit.TRANSITIONS, Measure.FLOW)
    )
    scope_added: list[int | None] = strawberry.field(
        description="Items that came to the board in the bucket, gross.", metadata=counts(Unit.ITEMS, Measure.FLOW)
    )
    scope_removed: list[int | None] = strawberry.field(
        description="Items that left the board in the bucket, gross.", metadata=counts(Unit.ITEMS, Measure.FLOW)
    )


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
