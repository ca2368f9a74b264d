"""Seals of the ledgers: appended by workers, read by the tenant, changed by nobody."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, Grant, TenantReference, TenantTable


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
        TenantTable("ledger_seal", key=""),
        TenantReference("ledger_seal"),
        Grant("SELECT", on=("ledger_seal",), to=TENANT_ROLES),
        Grant("INSERT", on=("ledger_seal",), to=("fl_worker",)),
        pgtrigger.migrations.AddTrigger(
            model_name="ledgerseal",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="83c0a518bc05afb314d2d3ecdf938e32bde30233",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_change_e44c6",
                    table="ledger_seal",
                    when="BEFORE",
                ),
            ),
        ),
    ]
