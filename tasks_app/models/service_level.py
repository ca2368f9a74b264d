from django.contrib.postgres.fields import ArrayField
from django.db import models

from tasks_app.models.tenant import TenantOwned


class Answers(models.Model):
    """What is kept of answers, of whatever time and whomever."""

    objective = models.TextField()
    good = models.BigIntegerField()
    valid = models.BigIntegerField()
    spread = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        abstract = True


class ServiceMinute(TenantOwned, Answers):
    """How many of a tenant's answers counted for an objective in a minute, how many were good, and how their times are
    spread by the steps of tasks_app.observing.latency_histogram.

    Unlogged: a crash of the server empties it. Kept for two days, for what the last hours were like.
    """

    pk = models.CompositePrimaryKey("tenant_id", "objective", "minute")
    minute = models.DateTimeField()

    class Meta:
        db_table = "service_minute"

    def __str__(self) -> str:
        return f"{self.objective} {self.minute}"


class ServiceDay(TenantOwned, Answers):
    """The same of a day of UTC. Written together with the minutes, so that nothing has to be rolled up later."""

    pk = models.CompositePrimaryKey("tenant_id", "objective", "day")
    day = models.DateField()

    class Meta:
        db_table = "service_day"

    def __str__(self) -> str:
        return f"{self.objective} {self.day}"


class ServiceTotal(Answers):
    """The same of a day of UTC over the whole installation, answers to nobody known included. Belongs to no tenant."""

    pk = models.CompositePrimaryKey("objective", "day")
    day = models.DateField()

    class Meta:
        db_table = "service_total"

    def __str__(self) -> str:
        return f"{self.objective} {self.day}"
