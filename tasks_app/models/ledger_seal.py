from django.db import models

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned


class LedgerSeal(TenantOwned):
    """A sealed range of a tenant's ledgers, all of them together: see tasks_app.seals. Append-only.

    It covers the rows that transactions of `epoch` up to (`last_xact`, `last_seq`) wrote, after those of the seal before.
    `places` has 16 bytes for each row, its position and the first eight bytes of its hash: they name the row that was
    changed where the root only says that one was.
    """

    pk = models.CompositePrimaryKey("tenant_id", "number")
    number = models.BigIntegerField()
    last_xact = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    from_position = models.BigIntegerField()
    to_position = models.BigIntegerField()
    sealed_at = models.DateTimeField()
    rows = models.IntegerField()
    epoch = models.SmallIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    head = models.BinaryField(max_length=32)
    places = models.BinaryField()

    class Meta:
        db_table = "ledger_seal"
        triggers = triggers.append_only()

    def __str__(self) -> str:
        return str(self.number)
