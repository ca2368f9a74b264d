from django.db import models

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned
from tasks_app.models.user import User


class Role(models.TextChoices):
    """What a member may do in a tenant; tasks_app/README.md has the matrix."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MANAGER = "MANAGER"
    MEMBER = "MEMBER"
    AUDITOR = "AUDITOR"
    BILLING = "BILLING"


class Membership(TenantOwned):
    """One person's role in one tenant."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="memberships")
    role = models.TextField(choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "membership"
        triggers = triggers.MEMBERSHIP
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_person"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"
