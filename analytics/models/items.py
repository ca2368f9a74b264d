from django.contrib.postgres.fields import ArrayField
from django.db import models


class TaskFact(models.Model):
    """A folded fact in its place: what it changed, by the order of its task's history.

    States (0: off the board) and holders (actors, 0: nobody) before and after; `entered_at` is when the state before was
    entered, `held_since` when its holder got it. A late fact rewrites its successor's row.
    """

    pk = models.CompositePrimaryKey("tenant_id", "task_id", "happened_at", "seq")
    tenant_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    happened_at = models.DateTimeField()
    entered_at = models.DateTimeField()
    held_since = models.DateTimeField()
    task_id = models.IntegerField()
    actor_id = models.IntegerField()
    before_id = models.IntegerField()
    after_id = models.IntegerField()
    before_holder = models.IntegerField()
    after_holder = models.IntegerField()
    kind = models.SmallIntegerField()

    class Meta:
        db_table = "task_fact"
        indexes = [models.Index(fields=["tenant_id", "happened_at"], name="task_fact_instant")]

    def __str__(self) -> str:
        return str(self.seq)


class TaskCorrection(models.Model):
    """A time in which a task was behind the furthest place that it had reached in a project; `end_at` null while it is."""

    pk = models.CompositePrimaryKey("tenant_id", "task_id", "begin_at", "seq")
    tenant_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True)
    task_id = models.IntegerField()
    project_id = models.IntegerField()

    class Meta:
        db_table = "task_correction"
        indexes = [models.Index(fields=["tenant_id", "project_id", "begin_at"], name="task_correction_project")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.begin_at}"


class TaskItem(models.Model):
    """One task as far as it is folded: where it is, who holds it, to which states it has been, how long its history is."""

    pk = models.CompositePrimaryKey("tenant_id", "task_id")
    tenant_id = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    last_seq = models.BigIntegerField()
    task_id = models.IntegerField()
    state_id = models.IntegerField()
    holder = models.IntegerField()
    facts = models.IntegerField()
    visited = ArrayField(models.IntegerField())

    class Meta:
        db_table = "task_item"

    def __str__(self) -> str:
        return str(self.task_id)
