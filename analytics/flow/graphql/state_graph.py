"""State graph edges."""

import strawberry

from analytics.flow.figures import completion
from analytics.flow.graphql.workflow_states import WorkflowState, state_node


@strawberry.type(description="The transitions of the window from one state to another.")
class Edge:
    from_: WorkflowState | None = strawberry.field(
        name="from", description="The state before; null: nowhere, as for a new item or one that comes to the board."
    )
    to: WorkflowState | None = strawberry.field(description="The state after; null: off the board.")
    count: int = strawberry.field(description="How many transitions.")
    median_seconds: float | None = strawberry.field(
        description="The median time in the state before, a time that was observed (nearest rank); null from nowhere."
    )


def edge_node(edge: completion.Edge) -> Edge:
    """The edge as the API shows it."""
    return Edge(
        from_=state_node(edge.before) if edge.before else None,
        to=state_node(edge.after) if edge.after else None,
        count=edge.count,
        median_seconds=None if edge.median is None else edge.median.total_seconds(),
    )
