"""Changes of a tenant's plan are recorded in the access ledger, with the numbers before and after."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from tasks_app.policies import LedgerFunction

# The text of migration 0007 with one table more.
REFUSE_NEW_IDENTITY = """
BEGIN
    RAISE EXCEPTION '%', CASE TG_TABLE_NAME
        WHEN 'project' THEN 'A project keeps its id and tenant for life, and recorded_since follows its facts.'
        WHEN 'membership' THEN 'A membership keeps its id, tenant and person for life: end it and begin another.'
        WHEN 'api_key' THEN 'A key keeps its id, tenant, secret and owner for life, and a revoked one stays revoked: make another.'
        WHEN 'tenant_plan' THEN 'A plan keeps its id and tenant for life: give the other tenant one of its own.'
        ELSE 'A state keeps its id, tenant and project for life: archive it and add another.'
        END USING ERRCODE = 'check_violation';
END
"""

TENANT_PLAN_CHANGED = """
DECLARE
    seen timestamptz := clock_timestamp();
    of_tenant bigint;
    before jsonb;
    after jsonb;
    who int;
BEGIN
    IF TG_RELID <> 'public.tenant_plan'::regclass THEN
        RAISE EXCEPTION 'Only the table tenant_plan records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP <> 'INSERT' THEN
        of_tenant := OLD.tenant_id;
        before := to_jsonb(OLD) - 'id' - 'tenant_id';
    END IF;
    IF TG_OP <> 'DELETE' THEN
        of_tenant := NEW.tenant_id;
        after := to_jsonb(NEW) - 'id' - 'tenant_id';
    END IF;
    who := ledger_actor(of_tenant);
    INSERT INTO access_ledger (tenant_id, correlation, xact, happened_at, recorded_at, user_id, key_id, actor_id, kind, role,
                               scopes, allowed_cidrs, plan, plan_before)
    VALUES (of_tenant, ledger_correlation(), txid_current(), seen, seen, 0, 0, who,
            CASE TG_OP WHEN 'INSERT' THEN 8 WHEN 'UPDATE' THEN 9 ELSE 10 END, '', '{}', '{}', after, before);
    RETURN NULL;
END
"""


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0011_service_spread")]

    operations = [
        migrations.AddField(
            model_name="accessledger",
            name="plan",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="accessledger",
            name="plan_before",
            field=models.JSONField(null=True),
        ),
        migrations.AlterField(
            model_name="accessledger",
            name="kind",
            field=models.SmallIntegerField(
                choices=[
                    (1, "Joined"),
                    (2, "Role Changed"),
                    (3, "Left"),
                    (4, "Key Created"),
                    (5, "Key Changed"),
                    (6, "Key Replaced"),
                    (7, "Key Revoked"),
                    (8, "Plan Given"),
                    (9, "Plan Changed"),
                    (10, "Plan Taken Back"),
                ]
            ),
        ),
        LedgerFunction("refuse_new_identity()", REFUSE_NEW_IDENTITY, definer=False),
        LedgerFunction("tenant_plan_changed()", TENANT_PLAN_CHANGED),
        pgtrigger.migrations.AddTrigger(
            model_name="tenantplan",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_identity",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((OLD.id, OLD.tenant_id) IS DISTINCT FROM (NEW.id, NEW.tenant_id))",
                    execute="refuse_new_identity()",
                    func="RETURN NULL;",
                    hash="ae32ccad67d670e10cca829756589c385ffd1865",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_identity_c6838",
                    table="tenant_plan",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tenantplan",
            trigger=pgtrigger.compiler.Trigger(
                name="given",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((true) AND current_user <> 'fl_ledger')",
                    execute="tenant_plan_changed()",
                    func="RETURN NULL;",
                    hash="a7aa5a0617e8f41b1f9c8c371a2a6038d47e7b49",
                    operation="INSERT",
                    pgid="pgtrigger_given_8cf64",
                    table="tenant_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tenantplan",
            trigger=pgtrigger.compiler.Trigger(
                name="changed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (((OLD.points_a_minute, OLD.burst, OLD.tenant_points_a_minute, OLD.tenant_burst, OLD.at_once) IS DISTINCT FROM (NEW.points_a_minute, NEW.burst, NEW.tenant_points_a_minute, NEW.tenant_burst, NEW.at_once)) AND current_user <> 'fl_ledger')",
                    execute="tenant_plan_changed()",
                    func="RETURN NULL;",
                    hash="53a74f3712828c194296d07d8aa8d67e164e2289",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_7ab87",
                    table="tenant_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tenantplan",
            trigger=pgtrigger.compiler.Trigger(
                name="taken_back",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((true) AND current_user <> 'fl_ledger')",
                    execute="tenant_plan_changed()",
                    func="RETURN NULL;",
                    hash="df50d16d1c4fd491e96869519745755ea60f1fc4",
                    operation="DELETE",
                    pgid="pgtrigger_taken_back_ff321",
                    table="tenant_plan",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tenantplan",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="d6bb8aca05af7138992622ecc5101f80944af91b",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_refuse_truncate_14016",
                    table="tenant_plan",
                    when="BEFORE",
                ),
            ),
        ),
    ]
