"""Seals of the ledgers: appended by workers, read by the tenant, changed by nobody."""

import django.db.models.deletion
from django.db import migrations, models

from tasks_app.ledgered_table import Kind, LedgeredTable


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0015_record_epoch")]

    operations = [
        migrations.CreateModel(
            name="LedgerSeal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("last_xact", models.BigIntegerField()),
                ("last_seq", models.BigIntegerField()),
                ("from_position", models.BigIntegerField()),
                ("to_position", models.BigIntegerField()),
                ("sealed_at", models.DateTimeField()),
                ("rows", models.IntegerField()),
                ("epoch", models.SmallIntegerField()),
                ("root", models.BinaryField(max_length=32)),
                ("previous", models.BinaryField(max_length=32)),
                ("head", models.BinaryField(max_length=32)),
                ("places", models.BinaryField()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tasks_app.tenant",
                    ),
                ),
            ],
            options={"db_table": "ledger_seal"},
        ),
        LedgeredTable("LedgerSeal", Kind.APPEND_ONLY, grants={"fl_worker": "INSERT"}),
    ]
