from django.db import models

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned


class TenantPlan(TenantOwned):
    """How much a tenant's requests may cost, where it is not the default: tasks_app/rate/plans.py says what each means.

    Each change is recorded in the access ledger.
    """

    points_a_minute = models.IntegerField()
    burst = models.IntegerField()
    tenant_points_a_minute = models.IntegerField()
    tenant_burst = models.IntegerField()
    at_once = models.IntegerField()

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
