from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from tasks_app.models.tenant import TenantOwned


class Folded(TenantOwned):
    """How far one family of one tenant is folded. Whoever folds locks its row: compactors take turns.

    `facts` counts the facts folded so far; `generation` the times that rollups were made anew, `definitions` the position of
    the last definition that they follow. Folds only add and are serial, so equal numbers mean equal rollups.
    """

    pk = models.CompositePrimaryKey("tenant_id", "family")
    family = models.TextField()
    facts = models.BigIntegerField(default=0, db_default=0)
    definitions = models.BigIntegerField(default=0, db_default=0)
    generation = models.BigIntegerField(default=0, db_default=0)
    folded_at = models.DateTimeField(null=True)
    last_recorded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "folded"

    def __str__(self) -> str:
        return self.family


class KeptSince(TenantOwned):
    """Rows of that grain that began before `since` were dropped from the family's rollups, and are made by no late fact."""

    pk = models.CompositePrimaryKey("tenant_id", "family", "grain")
    family = models.TextField()
    since = models.DateTimeField()
    grain = models.SmallIntegerField()

    class Meta:
        db_table = "kept_since"

    def __str__(self) -> str:
        return f"{self.family} {self.grain} {self.since}"


class Retention(TenantOwned):
    """For how many `days` the tenant keeps rows of that grain (null: for ever), where it is not as the family declares."""

    pk = models.CompositePrimaryKey("tenant_id", "family", "grain")
    family = models.TextField()
    days = models.IntegerField(null=True)
    grain = models.SmallIntegerField()

    class Meta:
        db_table = "retention"
        constraints = [models.CheckConstraint(condition=models.Q(days__gte=1), name="retention_days")]

    def __str__(self) -> str:
        return f"{self.family} {self.grain} {self.days}"


class RollupBasis(TenantOwned):
    """What a project's rollups were cut and counted by. A reader who finds another basis reads the ledger instead.

    `zone` is the one of its days and months; `breaks` are the instants at which its definitions changed; `orders` names
    the orders of its states that FURTHEST rows are counted by. Before `since` nothing is folded.
    """

    pk = models.CompositePrimaryKey("tenant_id", "family", "project_id")
    family = models.TextField()
    project_id = models.IntegerField()
    zone = models.TextField()
    breaks = ArrayField(models.DateTimeField())
    orders = ArrayField(models.BigIntegerField())
    since = models.DateTimeField(null=True)

    class Meta:
        db_table = "rollup_basis"

    def __str__(self) -> str:
        return f"{self.family} {self.project_id}"


class Heartbeat(models.Model):
    """One row: at that instant no transaction had `next_xid` or a later number. See engine.reading.ledger_position."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField(db_default=Now())
    next_xid = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "heartbeat"

    def __str__(self) -> str:
        return str(self.at)
