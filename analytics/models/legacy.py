"""What the older side keeps: the daily counts of the midnight job, and where an older system of somebody else is."""

from django.db import models

from tasks_app.models.tenant import TenantOwned


class LegacyDailyMetric(TenantOwned):
    """The board as it was counted for a day. `date` is the day that began: counted at its midnight, it shows the day before.

    `counted_at` is when the job ran by its own clock, `known_at` the database's then. `snapshot` is the txid_snapshot that it
    counted in, "" where nobody knows. `invented`: filled in later, from the board of that later day.
    """

    pk = models.CompositePrimaryKey("tenant_id", "date")
    date = models.DateField()
    todo = models.IntegerField()
    in_progress = models.IntegerField()
    review = models.IntegerField()
    done = models.IntegerField()
    counted_at = models.DateTimeField()
    known_at = models.DateTimeField()
    snapshot = models.TextField(default="", db_default="")
    invented = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "legacy_daily_metric"

    def __str__(self) -> str:
        return str(self.date)


class CutoffRule(models.TextChoices):
    """How the cut-off of another system's figures is found."""

    FIXED = "FIXED"
    FIELD = "FIELD"
    UNKNOWN = "UNKNOWN"


class LegacyEndpoint(TenantOwned):
    """Another system that is asked for a capability; see analytics.drift.endpoints.Endpoint.

    `headers` is JSON of names and the environment variables that hold their values. From `called_on` on: what was asked
    today, how often in a row it failed, and until when it is left alone.
    """

    pk = models.CompositePrimaryKey("tenant_id", "capability")
    capability = models.TextField()
    url = models.TextField()
    headers = models.TextField(default="{}", db_default="{}")
    mapping = models.TextField()
    organisation = models.TextField()
    cutoff_rule = models.TextField(choices=CutoffRule)
    cutoff_time = models.TimeField(null=True)
    cutoff_field = models.TextField(default="", db_default="")
    uncertain_seconds = models.IntegerField(default=0, db_default=0)
    most_calls_a_day = models.IntegerField()
    seconds = models.FloatField()
    called_on = models.DateField(null=True)
    calls = models.IntegerField(default=0, db_default=0)
    failures = models.IntegerField(default=0, db_default=0)
    open_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "legacy_endpoint"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cutoff_rule__in=CutoffRule.values), name="legacy_endpoint_cutoff_rule"
            ),
        ]

    def __str__(self) -> str:
        return self.capability
