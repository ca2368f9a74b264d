"""Which changes of memberships and keys are recorded, and which are refused."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0007_access_ledger")]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_identity",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((OLD.id, OLD.tenant_id, OLD.prefix, OLD.sha256, OLD.owner_id, OLD.created_at) IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.prefix, NEW.sha256, NEW.owner_id, NEW.created_at))",
                    execute="refuse_new_identity()",
                    func="RETURN NULL;",
                    hash="5c15d29181122cc5c8d324fcd7bd168ca6d51284",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_identity_60b2f",
                    table="api_key",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="stays_revoked",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NULL)",
                    execute="refuse_new_identity()",
                    func="RETURN NULL;",
                    hash="bec6db74e4145eefd9e1158cdf72ab5dce9a18ed",
                    operation="UPDATE",
                    pgid="pgtrigger_stays_revoked_f8e13",
                    table="api_key",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="created",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((true) AND current_user <> 'fl_ledger')",
                    execute="api_key_changed()",
                    func="RETURN NULL;",
                    hash="aad17a7e75ff187972d62b9ceca461edca13ae1d",
                    operation="INSERT",
                    pgid="pgtrigger_created_95c30",
                    table="api_key",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="changed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (((OLD.scopes, OLD.expires_at, OLD.revoked_at, OLD.allowed_cidrs, OLD.replaced_by_id) IS DISTINCT FROM (NEW.scopes, NEW.expires_at, NEW.revoked_at, NEW.allowed_cidrs, NEW.replaced_by_id)) AND current_user <> 'fl_ledger')",
                    execute="api_key_changed()",
                    func="RETURN NULL;",
                    hash="d57db817fbe61dec08362acf24e9a37917e68699",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_eaa00",
                    table="api_key",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="apikey",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_removal",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="793bf4debf63bc3aacb44259ee2b67d6a509fb21",
                    level="STATEMENT",
                    operation="DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_removal_446ad",
                    table="api_key",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_identity",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((OLD.id, OLD.tenant_id, OLD.user_id) IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.user_id))",
                    execute="refuse_new_identity()",
                    func="RETURN NULL;",
                    hash="0c5151e346408ede6aaf3da9e45f5031853c21d6",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_identity_efc7a",
                    table="membership",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="joined",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((true) AND current_user <> 'fl_ledger')",
                    execute="membership_changed()",
                    func="RETURN NULL;",
                    hash="b1d7935a44915111e8a854cc236678bef11619b1",
                    operation="INSERT",
                    pgid="pgtrigger_joined_20f31",
                    table="membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="role_changed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((OLD.role IS DISTINCT FROM NEW.role) AND current_user <> 'fl_ledger')",
                    execute="membership_changed()",
                    func="RETURN NULL;",
                    hash="cb09583b2fbe894a3b8b920a8d980765f9d7a17c",
                    operation="UPDATE",
                    pgid="pgtrigger_role_changed_a5b22",
                    table="membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="membership",
            trigger=pgtrigger.compiler.Trigger(
                name="left_tenant",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN ((true) AND current_user <> 'fl_ledger')",
                    execute="membership_changed()",
                    func="RETURN NULL;",
                    hash="a4091ddc5dbea13115c6d80d913896a6ae9e6836",
                    operation="DELETE",
                    pgid="pgtrigger_left_tenant_a0eeb",
                    table="membership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accessledger",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_change",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="b3c5406e84a9c379d1d99a5f35a4cb139b51e502",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE OR TRUNCATE",
                    pgid="pgtrigger_refuse_change_fc94d",
                    table="access_ledger",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accessledger",
            trigger=pgtrigger.compiler.Trigger(
                name="refuse_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (current_user <> 'fl_ledger')",
                    execute="refuse_change()",
                    func="RETURN NULL;",
                    hash="1090861d4e02f3e6397c432f14a092cf7bcae3c6",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_refuse_insert_0115e",
                    table="access_ledger",
                    when="BEFORE",
                ),
            ),
        ),
    ]
