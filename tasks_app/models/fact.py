"""Columns of an append-only fact and of its tail, for the ledgers of families; tasks_app.ledgered_table makes their tables."""

from django.db import models
from django.db.models import Func
from django.db.models.functions import Now

from tasks_app.models.ledger import next_seq


class Fact(models.Model):
    """A fact that the application inserts and that never changes.

    `seq` is its place in the order of recording, `xact` the transaction that recorded it, `happened_at` when it was true,
    `recorded_at` when we learned it. Of an insert by a request the database itself fills in all but `happened_at`.
    A family's own columns follow, in order of width, none of them null.
    """

    seq = models.BigIntegerField(primary_key=True, db_default=next_seq())
    tenant_id = models.BigIntegerField()
    xact = models.BigIntegerField(db_default=Func(function="txid_current", output_field=models.BigIntegerField()))
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class Tail(models.Model):
    """The facts of a ledger that no rollup has folded yet."""

    pk = models.CompositePrimaryKey("tenant_id", "seq")
    tenant_id = models.BigIntegerField()
    seq = models.BigIntegerField()

    class Meta:
        abstract = True
