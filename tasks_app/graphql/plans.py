"""A tenant's plan, for those who answer for it."""

import strawberry

from tasks_app.graphql.asking import Info
from tasks_app.graphql.fields import scoped
from tasks_app.models import Scope
from tasks_app.rate.plans import Plan, plan_within


@strawberry.type(description="How much the tenant's requests may cost, in points, and how many may run at once.")
class RatePlan:
    points_a_minute: int = strawberry.field(description="Points that come back to one key, or one person, in a minute.")
    burst: int = strawberry.field(description="The most that one key, or one person, can spend at once, after a rest.")
    tenant_points_a_minute: int = strawberry.field(description="Points that come back to all callers together.")
    tenant_burst: int = strawberry.field(description="The most that all callers together can spend at once.")
    at_once: int = strawberry.field(description="How many of the tenant's requests may run at the same time.")


@strawberry.type
class PlanQuery:
    @strawberry.field(
        extensions=[scoped(Scope.ADMIN)],
        description="The tenant's plan; the default where it has none of its own. Web processes go by a new one within 10 s.",
    )
    def rate_plan(self, info: Info) -> RatePlan:
        return plan_node(plan_within(info.context.tenant.id))


def plan_node(plan: Plan) -> RatePlan:
    """The plan as the API shows it."""
    return RatePlan(
        points_a_minute=plan.points_a_minute,
        burst=plan.burst,
        tenant_points_a_minute=plan.tenant_points_a_minute,
        tenant_burst=plan.tenant_burst,
        at_once=plan.at_once,
    )
