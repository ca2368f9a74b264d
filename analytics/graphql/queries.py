"""Root fields that are no family's, and those of the wings joined to them."""

from collections.abc import Mapping, Sequence

import strawberry
from strawberry.scalars import JSON

from analytics.engine.wing import Wing
from analytics.graphql.dual_run import DualRun, dual_run, load_comparison
from analytics.graphql.jobs import AnalyticsJob, ExecutionPolicy, analytics_job, execution_policy, load_job
from analytics.graphql.operations import Operations, operations
from analytics.graphql.replaying import replay_receipt
from tasks_app.graphql.fields import scoped
from tasks_app.http.node import NodeLoader
from tasks_app.models import Scope

NODES: Mapping[str, NodeLoader] = {"AnalyticsJob": load_job, "Comparison": load_comparison}


@strawberry.type
class AnalyticsQuery:
    operations: Operations = strawberry.field(
        resolver=operations,
        extensions=[scoped(Scope.ANALYTICS_READ)],
        description="How far everything derived is folded, and how fresh it is.",
    )
    analytics_job: AnalyticsJob | None = strawberry.field(
        resolver=analytics_job,
        extensions=[scoped(Scope.ANALYTICS_READ)],
        description="A job that you asked for; null if there is none of that id, or it is somebody else's.",
    )
    execution_policy: ExecutionPolicy = strawberry.field(
        resolver=execution_policy,
        extensions=[scoped(Scope.ANALYTICS_READ)],
        description="What becomes of a query, by its estimated cost.",
    )
    dual_run: DualRun = strawberry.field(
        resolver=dual_run,
        extensions=[scoped(Scope.ANALYTICS_READ)],
        description="What an older system answers, compared with what is answered here.",
    )
    replay_receipt: JSON = strawberry.field(
        resolver=replay_receipt,
        description="The canonical answer that a receipt's token stands for, the same whatever was recorded since: a list"
        " of {figure, value}, whose RFC 8785 form has the receipt's digest. Needs what the answer needed.",
    )


def queries_of(wings: Sequence[Wing]) -> tuple[type, ...]:
    """The types whose fields are root fields of the schema."""
    return (*(each for wing in wings for each in wing.queries), AnalyticsQuery)


def nodes_of(wings: Sequence[Wing]) -> dict[str, NodeLoader]:
    """What loads a thing by its id, by the name of its type."""
    return {**{name: load for wing in wings for name, load in wing.nodes.items()}, **NODES}
