from django.contrib.postgres.fields import ArrayField
from django.db import models

from tasks_app.models.tenant import TenantOwned


class ServiceMinute(TenantOwned):
    """How many of a tenant's answers counted for an objective in a minute, how many were good, and how their times are
    spread by the steps of tasks_app.observing.spread.

    Unlogged: a crash of the server empties it. Kept for two days, for what the last hours were like.
    """

    pk = models.CompositePrimaryKey("tenant_id", "objective", "minute")
    objective = models.TextField()
    minute = models.DateTimeField()
    good = models.BigIntegerField()
    valid = models.BigIntegerField()
    spread = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        db_table = "service_minute"

    def __str__(self) -> str:
        return f"{self.objective} {self.minute}"


class ServiceDay(TenantOwned):
    """The same of a day of UTC. Written together with the minutes, so that nothing has to be rolled up later."""

    pk = models.CompositePrimaryKey("tenant_id", "objective", "day")
    objective = models.TextField()
    day = models.DateField()
    good = models.BigIntegerField()
    valid = models.BigIntegerField()
    spread = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        db_table = "service_day"

    def __str__(self) -> str:
        return f"{self.objective} {self.day}"


class ServiceTotal(models.Model):
    """The same of a day of UTC over the whole installation, answers to nobody known included. Belongs to no tenant."""

    pk = models.CompositePrimaryKey("objective", "day")
    objective = models.TextField()
    day = models.DateField()
    good = models.BigIntegerField()
    valid = models.BigIntegerField()
    spread = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        db_table = "service_total"

    def __str__(self) -> str:
        return f"{self.objective} {self.day}"
