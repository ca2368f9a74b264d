"""Plan changes of a tenant. Plans are the owner's to write: a tenant does not give itself more."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from tasks_app.models import TenantPlan
from tasks_app.rate.plans import PLAN_FIELDS, Plan, plan_within
from tasks_app.refusals import Refused

MOST = 1_000_000_000


def set_plan(*, tenant_id: int, changes: Mapping[str, int]) -> Plan:
    """The tenant's plan, with those fields changed and the others as they were. Run with the owner's login."""
    for name, value in changes.items():
        if name not in PLAN_FIELDS:
            raise Refused(f"A plan has no {name}; it has {', '.join(PLAN_FIELDS)}.")
        if not 1 <= value <= MOST:
            raise Refused(f"{name}: {value} is out of range; give a number from 1 to {MOST:,}.")
    plan = replace(plan_within(tenant_id), **changes)
    TenantPlan.objects.update_or_create(tenant_id=tenant_id, defaults=asdict(plan))
    return plan
