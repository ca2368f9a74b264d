from django.contrib.postgres.fields import ArrayField
from django.db import models


class RecordEpoch(models.Model):
    """A stretch of the record's life on one server. Transaction numbers mean something within their epoch alone.

    A new one opens when the record is found on another cluster (`system_id`) or on another timeline of it: restored from a
    dump, upgraded, promoted. Rows name the epoch that they were written in. `strays`: the positions of rows that were written
    here before anybody noticed, and so belong to this epoch though they name the one before.
    """

    number = models.SmallIntegerField(primary_key=True)
    system_id = models.TextField()
    timeline = models.IntegerField()
    opened_at = models.DateTimeField()
    opened_xact = models.BigIntegerField()
    opened_seq = models.BigIntegerField()
    strays = ArrayField(models.BigIntegerField(), db_default=[])

    class Meta:
        db_table = "record_epoch"

    def __str__(self) -> str:
        return str(self.number)
