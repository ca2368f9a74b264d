from django.db import models
from django.db.models.functions import Now

from tasks_app import triggers
from tasks_app.models.actor import Actor
from tasks_app.models.project import Project
from tasks_app.models.state import WorkflowState
from tasks_app.models.tenant import ForeignKeyInTenant, TenantOwned


class Task(TenantOwned):
    """An item of work as it is now. Whatever changes it, triggers write the change to task_ledger.

    A discarded task keeps its row. `origin`, `source` and `external_id` are the task's identity in the system that
    reported it: the project it was reported to, the source's actor, and the source's own case id.
    """

    project = ForeignKeyInTenant(Project, related_name="tasks")
    state = ForeignKeyInTenant(WorkflowState, related_name="+")
    key = models.TextField(help_text="Names the task within its tenant, for life.")
    title = models.TextField(help_text="What people call it, as of now.")
    assignee = ForeignKeyInTenant(Actor, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), help_text="When it came to be, UTC.")
    discarded_at = models.DateTimeField(null=True, blank=True)
    origin = ForeignKeyInTenant(Project, null=True, blank=True, related_name="+")
    source = ForeignKeyInTenant(Actor, null=True, blank=True, related_name="+")
    external_id = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "task"
        triggers = triggers.TASK
        indexes = [models.Index(fields=["tenant", "project", "state"], name="task_board")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="task_key"),
            models.UniqueConstraint(
                fields=["tenant", "origin", "source", "external_id"],
                condition=~models.Q(external_id=""),
                name="task_external",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class TaskWords(TenantOwned):
    """What a task was called before and after a rename. The ledger points here, so that people's words can be erased."""

    task_id = models.IntegerField()
    words = models.TextField()

    class Meta:
        db_table = "task_words"
        indexes = [models.Index(fields=["tenant", "task_id"], name="task_words_task")]

    def __str__(self) -> str:
        return self.words


class DeletedTask(TenantOwned):
    """What is left of a task whose row was deleted by SQL: its ledger rows still need a key to be read by."""

    task_id = models.IntegerField()
    key = models.TextField()
    title = models.TextField()
    project_id = models.IntegerField()
    external_id = models.TextField(blank=True, default="")
    source_id = models.IntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "deleted_task"
        constraints = [models.UniqueConstraint(fields=["tenant", "task_id"], name="deleted_task_once")]

    def __str__(self) -> str:
        return self.key
