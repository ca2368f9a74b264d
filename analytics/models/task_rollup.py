from django.db import models


class TaskRollup(models.Model):
    """Transitions counted by bucket; analytics.flow.family says what a row means.

    The key is what a reader asks by, the bucket last but for the states: one range of the index for each stretch of time.
    """

    pk = models.CompositePrimaryKey(
        "tenant_id", "project_id", "facet", "subject", "grain", "bucket", "before_id", "after_id"
    )
    tenant_id = models.BigIntegerField()
    bucket = models.DateTimeField()
    subject = models.BigIntegerField()
    facts = models.BigIntegerField()
    project_id = models.IntegerField()
    before_id = models.IntegerField()
    after_id = models.IntegerField()
    facet = models.SmallIntegerField()
    grain = models.SmallIntegerField()

    class Meta:
        db_table = "task_rollup"
        indexes = [
            # What taking back has emptied: a rebuild would not make these rows, so folding deletes them.
            models.Index(fields=["tenant_id"], name="task_rollup_empty", condition=models.Q(facts=0)),
        ]

    def __str__(self) -> str:
        return f"{self.bucket} {self.before_id}->{self.after_id}"
