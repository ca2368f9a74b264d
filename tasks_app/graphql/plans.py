"""Plan of a tenant, for those who answer for it."""

import strawberry
from strawberry import auto

from tasks_app.graphql.asking import Info
from tasks_app.graphql.fields import scoped
from tasks_app.graphql.record_types import record_type
from tasks_app.models import Scope, TenantPlan
from tasks_app.rate.plans import Plan, plan_within


@record_type(
    TenantPlan, description="How much the tenant's requests may cost, in points, and how many may run at once."
)
class RatePlan:
    points_a_minute: auto
    burst: auto
    tenant_points_a_minute: auto
    tenant_burst: auto
    at_once: auto


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
