from django.db import models

from tasks_app.models import Actor
from tasks_app.models.tenant import ForeignKeyInTenant, TenantOwned


class JobState(models.TextChoices):
    """How far a job is. The last four are its end."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


ACTIVE = (JobState.PENDING, JobState.RUNNING)


class AnalyticsJob(TenantOwned):
    """A query that is answered apart from a request, and its answer until it expires.

    `attempt` is the fencing token: whoever claims the job raises it, and may write to the row only while it is still theirs.
    Until `lease_until` nobody else claims a running job;
    `losses` counts the leases that ran out. `fingerprint` names asker, document, variables and the position of
    the record: there is one active job of each. `lasting`: the answer stays right until more is recorded.
    """

    id = models.BigAutoField(primary_key=True)
    actor = ForeignKeyInTenant(Actor, related_name="+")
    submitted_at = models.DateTimeField(help_text="When it was asked for, UTC.")
    started_at = models.DateTimeField(null=True, help_text="When a worker first took it, UTC.")
    finished_at = models.DateTimeField(null=True, help_text="When it ended, UTC.")
    expires_at = models.DateTimeField(help_text="Until when its answer is kept, UTC.")
    lease_until = models.DateTimeField(null=True)
    estimated_cost = models.BigIntegerField(help_text="What it was expected to cost.")
    actual_cost = models.BigIntegerField(
        null=True, help_text="What it took, in microseconds; null while it is not over."
    )
    progress = models.FloatField(default=0, db_default=0, help_text="The share of its figures that are counted.")
    attempt = models.SmallIntegerField(default=0, db_default=0)
    losses = models.SmallIntegerField(default=0, db_default=0)
    lasting = models.BooleanField()
    retryable = models.BooleanField(default=False, db_default=False)
    state = models.TextField(
        choices=JobState, default=JobState.PENDING, db_default=JobState.PENDING, help_text="How far it is."
    )
    fingerprint = models.BinaryField(max_length=32)
    rights = models.BinaryField(max_length=32)
    document = models.TextField()
    variables = models.TextField(default="{}", db_default="{}")
    error_code = models.TextField(default="", db_default="")
    error_message = models.TextField(default="", db_default="")
    # Text, not jsonb: that would put the keys of an answer into another order.
    result = models.TextField(null=True)

    class Meta:
        db_table = "analytics_job"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "fingerprint"], condition=models.Q(state__in=ACTIVE), name="analytics_job_once"
            ),
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="analytics_job_state"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "submitted_at"], condition=models.Q(state__in=ACTIVE), name="analytics_job_active"
            ),
            models.Index(fields=["tenant", "fingerprint"], name="analytics_job_fingerprint"),
            models.Index(fields=["tenant", "expires_at"], name="analytics_job_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"
