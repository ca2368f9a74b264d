from django.db import models
from django.db.models.functions import Now

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned


class Project(TenantOwned):
    """A board: a workflow and the tasks that move through it.

    Before `recorded_since` nothing is known and charts are null; a reported fact that is older moves it back.
    `next_task_number` is what the next task's key will end in.
    """

    key = models.TextField(help_text="Names the project within its tenant; task keys begin with it.")
    name = models.TextField(help_text="What people call it.")
    timezone = models.TextField(help_text="IANA zone of its days, unless a question names another.")
    recorded_since = models.DateTimeField(
        db_default=Now(), help_text="Before this instant nothing is known: charts are null there, never 0."
    )
    created_at = models.DateTimeField(db_default=Now())
    next_task_number = models.IntegerField(db_default=1)

    class Meta:
        db_table = "project"
        triggers = triggers.PROJECT
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="project_key")]

    def __str__(self) -> str:
        return self.key
