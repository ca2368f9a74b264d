from django.db import models

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned


class TenantPlan(TenantOwned):
    """How much a tenant's requests may cost, where it is not the default: tasks_app/rate/plans.py says what each means.

    Each change is recorded in the access ledger.
    """

    points_a_minute = models.IntegerField(help_text="Points that come back to one key, or one person, in a minute.")
    burst = models.IntegerField(help_text="The most that one key, or one person, can spend at once, after a rest.")
    tenant_points_a_minute = models.IntegerField(help_text="Points that come back to all callers together.")
    tenant_burst = models.IntegerField(help_text="The most that all callers together can spend at once.")
    at_once = models.IntegerField(help_text="How many of the tenant's requests may run at the same time.")

    class Meta:
        db_table = "tenant_plan"
        triggers = triggers.PLAN
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="tenant_plan_once"),
            models.CheckConstraint(
                condition=models.Q(
                    points_a_minute__gte=1,
                    burst__gte=1,
                    tenant_points_a_minute__gte=1,
                    tenant_burst__gte=1,
                    at_once__gte=1,
                ),
                name="tenant_plan_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points_a_minute} points a minute"
