"""Stages: which side answers, their ledger, the decisions on them, and the drills of the way back."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from tasks_app.policies import LEDGER_ROLE, TENANT_ROLES, Grant, LedgerFunction, TenantReference, TenantTable

OWNED = ("drift_stage", "drift_gate", "drift_drill")
CHANGED = "stage, percent, version, changed_at, cause, overridden, reason"
DECIDED = "tenant_id, capability, stage, next_stage, passes, reasons, inputs, inputs_digest, evaluated_at, evidence"

STEPS = """
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.version <> 1 THEN
            RAISE EXCEPTION 'The first version of a stage is 1.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.tenant_id, OLD.capability, OLD.version + 1) IS DISTINCT FROM (NEW.tenant_id, NEW.capability, NEW.version) THEN
        RAISE EXCEPTION 'A stage keeps its tenant and capability, and its version grows by one with each change.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage = 'COMPLETE' THEN
        RAISE EXCEPTION 'The switch is complete, and there is no way back from there.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
"""

RECORDED = """
DECLARE
    stage_then text := 'OFF';
    percent_then int := 100;
BEGIN
    IF TG_RELID <> 'public.drift_stage'::regclass THEN
        RAISE EXCEPTION 'Only the table drift_stage records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        stage_then := OLD.stage;
        percent_then := OLD.percent;
    END IF;
    INSERT INTO drift_stage_change (tenant_id, capability, version, stage_before, percent_before, stage, percent, actor_id,
                                    cause, overridden, reason, changed_at, recorded_at)
    VALUES (NEW.tenant_id, NEW.capability, NEW.version, stage_then, percent_then, NEW.stage, NEW.percent,
            ledger_actor(NEW.tenant_id), NEW.cause, NEW.overridden, NEW.reason, NEW.changed_at, clock_timestamp());
    RETURN NULL;
END
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0005_legacy"),
        ("tasks_app", "0011_service_spread"),
    ]

    operations = [
        migrations.CreateModel(
            name="DriftDrill",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("capability", models.TextField()),
                ("stage", models.TextField()),
                ("drilled_at", models.DateTimeField()),
                ("ok", models.BooleanField()),
                ("seconds", models.FloatField()),
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
                "db_table": "drift_drill",
            },
        ),
        migrations.CreateModel(
            name="DriftGate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("capability", models.TextField()),
                ("stage", models.TextField()),
                ("next_stage", models.TextField(db_default="", default="")),
                ("passes", models.BooleanField()),
                ("reasons", models.TextField()),
                ("inputs", models.TextField()),
                ("inputs_digest", models.TextField()),
                ("evaluated_at", models.DateTimeField()),
                ("evidence", models.TextField(db_default="", default="")),
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
                "db_table": "drift_gate",
            },
        ),
        migrations.CreateModel(
            name="DriftStage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "capability", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("capability", models.TextField()),
                (
                    "stage",
                    models.TextField(
                        choices=[
                            ("OFF", "OFF"),
                            ("SHADOW", "SHADOW"),
                            ("LIVE_WITH_SHADOW", "LIVE_WITH_SHADOW"),
                            ("RAMPDOWN", "RAMPDOWN"),
                            ("COMPLETE", "COMPLETE"),
                        ]
                    ),
                ),
                ("percent", models.SmallIntegerField(db_default=100, default=100)),
                ("version", models.IntegerField()),
                ("changed_at", models.DateTimeField()),
                ("cause", models.TextField(choices=[("ASKED", "Asked"), ("BREACH", "Breach"), ("DRILL", "Drill")])),
                ("overridden", models.BooleanField(db_default=False, default=False)),
                ("reason", models.TextField()),
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
                "db_table": "drift_stage",
            },
        ),
        migrations.CreateModel(
            name="DriftStageChange",
            fields=[
                (
                    "seq",
                    models.BigIntegerField(
                        db_default=models.Func(
                            models.Value("ledger_seq"), function="nextval", output_field=models.BigIntegerField()
                        ),
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.BigIntegerField()),
                ("capability", models.TextField()),
                ("version", models.IntegerField()),
                ("stage_before", models.TextField()),
                ("percent_before", models.SmallIntegerField()),
                ("stage", models.TextField()),
                ("percent", models.SmallIntegerField()),
                ("actor_id", models.IntegerField()),
                ("cause", models.TextField()),
                ("overridden", models.BooleanField()),
                ("reason", models.TextField()),
                ("changed_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "db_table": "drift_stage_change",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "capability", "version"), name="drift_stage_change_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="driftdrill",
            index=models.Index(fields=["tenant", "capability", "drilled_at"], name="drift_drill_time"),
        ),
        migrations.AddIndex(
            model_name="driftgate",
            index=models.Index(fields=["tenant", "capability", "evaluated_at"], name="drift_gate_time"),
        ),
        migrations.AddConstraint(
            model_name="driftstage",
            constraint=models.CheckConstraint(
                condition=models.Q(("stage__in", ["OFF", "SHADOW", "LIVE_WITH_SHADOW", "RAMPDOWN", "COMPLETE"])),
                name="drift_stage_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="driftstage",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent__gte", 0), ("percent__lte", 100)), name="drift_stage_percent"
            ),
        ),
        *(TenantTable(table) for table in ("drift_gate", "drift_drill")),
        TenantTable("drift_stage", key=""),
        TenantTable("drift_stage_change", key="seq"),
        *(TenantReference(table) for table in OWNED),
        Grant("SELECT", on=OWNED, to=TENANT_ROLES),
        Grant("SELECT", on=("drift_stage_change",), to=(*TENANT_ROLES, LEDGER_ROLE)),
        Grant("INSERT", on=("drift_stage_change",), to=(LEDGER_ROLE,)),
        Grant(f"INSERT (tenant_id, capability, {CHANGED}), UPDATE ({CHANGED})", on=("drift_stage",), to=("fl_tenant",)),
        Grant(f"INSERT ({DECIDED})", on=("drift_gate",), to=("fl_tenant",)),
        Grant("INSERT, UPDATE", on=("drift_stage",), to=("fl_worker",)),
        Grant("INSERT", on=("drift_gate", "drift_drill"), to=("fl_worker",)),
        LedgerFunction("drift_stage_steps()", STEPS, definer=False),
        LedgerFunction("drift_stage_recorded()", RECORDED),
        pgtrigger.migrations.AddTrigger(
            model_name="driftstagechange",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="65feaf04c85addbdca34c5684727455aa604da0b",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_change_812de",
                    table="drift_stage_change",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftstagechange",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'fl_ledger')",
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="1bf23941e5d65b3094bb64b6e3192189d5372b96",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_refuse_insert_4421b",
                    table="drift_stage_change",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftdrill",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="d158aa62ab3aaa6102afc4a8169512b151364f99",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_change_a5a28",
                    table="drift_drill",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftgate",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="dcc2af751cbfd82decd5ee5a89c87854db84fabd",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_change_6d125",
                    table="drift_gate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftstage",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_removal",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="6cda007392ba1b430bfd816fc9e6ee19d1f5f42b",
                    level="STATEMENT",
                    operation="DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_removal_6e72e",
                    table="drift_stage",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftstage",
            trigger=pgtrigger.compiler.Trigger(
                name="steps",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="drift_stage_steps()",
                    func="RETURN NULL;",
                    hash="54ea7796e90cb5fd91f266a35492e26754fdf7e0",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_steps_074e7",
                    table="drift_stage",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="driftstage",
            trigger=pgtrigger.compiler.Trigger(
                name="recorded",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="drift_stage_recorded()",
                    func="RETURN NULL;",
                    hash="280dd7e18019eca6325be8916f11460351e1268a",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_recorded_4d08c",
                    table="drift_stage",
                    when="AFTER",
                ),
            ),
        ),
    ]
