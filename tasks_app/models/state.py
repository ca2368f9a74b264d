from django.db import models

from tasks_app import triggers
from tasks_app.models.project import Project
from tasks_app.models.tenant import ForeignKeyInTenant, TenantOwned


class StateCategory(models.TextChoices):
    """What a state means for flow: CANCELLED states are off the board."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class WorkflowState(TenantOwned):
    """One column of a board, as it is defined now; definition_ledger has every earlier definition.

    Identity is the id; within a project the slug is unique and survives a rename. `position` counts the active states
    from 0; an archived state keeps the position of the last active state before it.
    """

    project = ForeignKeyInTenant(Project, related_name="states")
    slug = models.TextField(help_text="Names the state within its project, whatever it is called.")
    name = models.TextField(help_text="What people call it.")
    category = models.TextField(choices=StateCategory, help_text="What it means for flow.")
    position = models.IntegerField(help_text="Its place in the order, from 0.")
    waiting = models.BooleanField(
        default=False, db_default=False, help_text="Whether it is a queue or buffer, for flow efficiency."
    )
    needs_validation = models.BooleanField(
        default=False, db_default=False, help_text="Whether items here wait for a manager's validation."
    )
    archived = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "workflow_state"
        triggers = triggers.STATE
        constraints = [
            models.UniqueConstraint(fields=["tenant", "project", "slug"], name="workflow_state_slug"),
            models.UniqueConstraint(fields=["tenant", "project", "id"], name="workflow_state_of_project"),
            models.CheckConstraint(
                condition=models.Q(category__in=StateCategory.values), name="workflow_state_category"
            ),
        ]

    def __str__(self) -> str:
        return self.name
