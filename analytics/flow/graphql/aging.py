"""Aging: work in progress and how old it is."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from analytics.engine.graphql.lists import listed
from analytics.flow.figures.churn import rate
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from analytics.flow.reading import results as flows
from tasks_app.http.connections import Connection, PageArgs
from tasks_app.http.cursors import Column, Keyset

BY_START = Keyset([Column("started_at", "asc", datetime), Column("identity", "asc", str), Column("key", "asc", str)])


@strawberry.type(description="An item in progress.")
class AgingItem:
    task_key: str = strawberry.field(description="The item.")
    state: WorkflowState = strawberry.field(description="Where it is.")
    started_at: datetime = strawberry.field(
        description="Its first entry into an IN_PROGRESS state, of whichever project, UTC."
    )
    age_seconds: float = strawberry.field(description="From then to the window's end, or to now while it runs.")
    age_days: int = strawberry.field(description="Local dates that this touches.")
    percentile: float | None = strawberry.field(
        description="The share, from 0 to 1, of the items finished in its project in the 90 days before that took less time"
        " from their first start there to their finish; null when none did."
    )


def aging_connection(found: Sequence[flows.AgingItem], *, args: PageArgs) -> Connection[AgingItem]:
    """One page of the items, the oldest first."""
    return listed(found, keyset=BY_START, values=_place, args=args, node=_node)


def _place(each: flows.AgingItem) -> tuple[datetime, str, str]:
    return each.age.started_at, each.item.identity, each.item.key


def _node(each: flows.AgingItem) -> AgingItem:
    return AgingItem(
        task_key=each.item.key,
        state=state_node(each.age.state),
        started_at=each.age.started_at,
        age_seconds=each.age.age.total_seconds(),
        age_days=each.age.days,
        percentile=rate(each.age.shorter, each.age.compared),
    )
