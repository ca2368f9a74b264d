"""What the dual run keeps: due comparisons, comparisons, their counts, rules, stored figures that were compared."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, Grant, LedgerFunction, Reference, TenantReference, TenantTable

KEYED = ("drift_due", "drift_comparison", "drift_rule")
COUNTED = ("drift_count", "drift_rest", "drift_rule_end")
ALL = (*KEYED, *COUNTED)
# An expected difference keeps an alarm quiet: nothing but the owner's command writes one.
RULES = ("drift_rule", "drift_rule_end")

SIGNED = """
BEGIN
    IF TG_RELID <> 'public.drift_rule'::regclass AND TG_RELID <> 'public.drift_rule_end'::regclass THEN
        RAISE EXCEPTION 'Only expected differences are signed here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.actor_id := ledger_actor(NEW.tenant_id);
    RETURN NEW;
END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_analytics_job"),
        ("tasks_app", "0011_service_spread"),
    ]

    operations = [
        migrations.CreateModel(
            name="DriftCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "capability",
                        "day",
                        "stratum",
                        "basis",
                        "verdict",
                        "signature",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("capability", models.TextField()),
                ("day", models.DateField()),
                ("stratum", models.TextField()),
                ("basis", models.TextField()),
                ("verdict", models.TextField()),
                ("signature", models.TextField(db_default="", default="")),
                ("comparisons", models.BigIntegerField()),
                ("last_at", models.DateTimeField()),
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
            options={
                "db_table": "drift_count",
            },
        ),
        migrations.CreateModel(
            name="DriftDue",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("capability", models.TextField()),
                ("days", models.IntegerField()),
                ("stage", models.TextField()),
                ("flag_version", models.IntegerField()),
                ("asked_at", models.DateTimeField()),
                ("position", models.TextField(db_default="", default="")),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(db_default=0, default=0)),
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
            options={
                "db_table": "drift_due",
            },
        ),
        migrations.CreateModel(
            name="DriftRest",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "capability", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("capability", models.TextField()),
                ("day", models.DateField()),
                ("verdict", models.TextField()),
                ("figures", models.TextField()),
                ("until", models.DateTimeField()),
                ("known_at", models.DateTimeField()),
                ("snapshot", models.TextField(db_default="", default="")),
                ("compared_at", models.DateTimeField()),
                ("restated", models.TextField(db_default="", default="")),
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
            options={
                "db_table": "drift_rest",
            },
        ),
        migrations.CreateModel(
            name="DriftRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("capability", models.TextField()),
                ("field", models.TextField()),
                ("direction", models.TextField()),
                ("bound", models.FloatField()),
                ("owner", models.TextField()),
                ("reason", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("actor_id", models.IntegerField(db_default=0, default=0)),
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
            options={
                "db_table": "drift_rule",
            },
        ),
        migrations.CreateModel(
            name="DriftRuleEnd",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "rule_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("rule_id", models.BigIntegerField()),
                ("reason", models.TextField()),
                ("ended_at", models.DateTimeField()),
                ("actor_id", models.IntegerField(db_default=0, default=0)),
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
            options={
                "db_table": "drift_rule_end",
            },
        ),
        migrations.CreateModel(
            name="DriftComparison",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("capability", models.TextField()),
                ("stratum", models.TextField()),
                ("verdict", models.TextField()),
                ("reason", models.TextField(db_default="", default="")),
                ("signature", models.TextField(db_default="", default="")),
                ("definition", models.TextField()),
                ("basis", models.TextField()),
                ("stage", models.TextField()),
                ("flag_version", models.IntegerField()),
                ("asked_at", models.DateTimeField()),
                ("compared_at", models.DateTimeField()),
                ("legacy_as_of", models.DateTimeField(null=True)),
                ("position", models.TextField(db_default="", default="")),
                ("legacy_ms", models.FloatField()),
                ("candidate_ms", models.FloatField()),
                ("ours_first", models.BooleanField()),
                ("detail", models.TextField(db_default="{}", default="{}")),
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
            options={
                "db_table": "drift_comparison",
                "indexes": [
                    models.Index(fields=["tenant", "compared_at"], name="drift_comparison_time"),
                    models.Index(fields=["tenant", "capability", "verdict", "id"], name="drift_comparison_verdict"),
                    models.Index(
                        fields=["tenant", "signature", "id"],
                        name="drift_comparison_cause",
                        condition=~models.Q(signature=""),
                    ),
                    models.Index(
                        fields=["tenant", "capability", "verdict", "id"],
                        name="drift_comparison_at_rest",
                        condition=models.Q(stratum="AT_REST"),
                    ),
                ],
            },
        ),
        *(TenantTable(table) for table in KEYED),
        *(TenantTable(table, key="") for table in COUNTED),
        *(TenantReference(table) for table in ALL),
        Reference("drift_rule_end", "rule_id", "drift_rule"),
        Grant("SELECT", on=ALL, to=TENANT_ROLES),
        # A request can say that it was answered, and nothing of what came of it.
        Grant(
            "INSERT (tenant_id, capability, days, stage, flag_version, asked_at, position)",
            on=("drift_due",),
            to=("fl_tenant",),
        ),
        Grant(
            "INSERT, UPDATE, DELETE",
            on=tuple(table for table in ALL if table not in RULES),
            to=("fl_worker",),
        ),
        LedgerFunction("drift_rule_signed()", SIGNED),
        pgtrigger.migrations.AddTrigger(
            model_name="driftrule",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="1b34fb11db0b0d90fe2feebc3487327edb0512a0",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_change_1e229",
                    table="drift_rule",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftrule",
            trigger=pgtrigger.compiler.Trigger(
                name="signed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="drift_rule_signed()",
                    func="RETURN NULL;",
                    hash="a2906201fcf0967d2b7a07b1aa0e49b6b2f3baeb",
                    operation="INSERT",
                    pgid="pgtrigger_signed_f77bd",
                    table="drift_rule",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftruleend",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="daad07dbae955ccf29919e280d70826d2751c944",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_change_2f2dd",
                    table="drift_rule_end",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftruleend",
            trigger=pgtrigger.compiler.Trigger(
                name="signed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="drift_rule_signed()",
                    func="RETURN NULL;",
                    hash="50e8bd7017e6ae5e2c2587b77976440c9c7c6382",
                    operation="INSERT",
                    pgid="pgtrigger_signed_58d2a",
                    table="drift_rule_end",
                    when="BEFORE",
                ),
            ),
        ),
    ]
