"""Memberships and keys get a ledger; keys may be bound to networks, and be replaced by others."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from tasks_app.policies import LEDGER_ROLE, TENANT_ROLES, Grant, LedgerFunction, Reference, TenantTable

# What the ledger calls a row by, and what ends a key. The text of migration 0003 with two tables more.
REFUSE_NEW_IDENTITY = """
BEGIN
    RAISE EXCEPTION '%', CASE TG_TABLE_NAME
        WHEN 'project' THEN 'A project keeps its id and tenant for life, and recorded_since follows its facts.'
        WHEN 'membership' THEN 'A membership keeps its id, tenant and person for life: end it and begin another.'
        WHEN 'api_key' THEN 'A key keeps its id, tenant, secret and owner for life, and a revoked one stays revoked: make another.'
        ELSE 'A state keeps its id, tenant and project for life: archive it and add another.'
        END USING ERRCODE = 'check_violation';
END
"""

MEMBERSHIP_CHANGED = """
DECLARE
    seen timestamptz := clock_timestamp();
    m membership%ROWTYPE;
    who int;
BEGIN
    IF TG_RELID <> 'public.membership'::regclass THEN
        RAISE EXCEPTION 'Only the table membership records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN m := OLD; ELSE m := NEW; END IF;
    who := ledger_actor(m.tenant_id);
    INSERT INTO access_ledger (tenant_id, correlation, xact, happened_at, recorded_at, user_id, key_id, actor_id, kind, role,
                               scopes, allowed_cidrs)
    VALUES (m.tenant_id, ledger_correlation(), txid_current(), seen, seen, m.user_id, 0, who,
            CASE TG_OP WHEN 'INSERT' THEN 1 WHEN 'UPDATE' THEN 2 ELSE 3 END,
            CASE TG_OP WHEN 'DELETE' THEN '' ELSE m.role END, '{}', '{}');
    RETURN NULL;
END
"""

API_KEY_CHANGED = """
DECLARE
    seen timestamptz := clock_timestamp();
    who int := ledger_actor(NEW.tenant_id);
    what int := 4;
BEGIN
    IF TG_RELID <> 'public.api_key'::regclass THEN
        RAISE EXCEPTION 'Only the table api_key records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        what := CASE WHEN OLD.revoked_at IS DISTINCT FROM NEW.revoked_at THEN 7
                     WHEN OLD.replaced_by_id IS DISTINCT FROM NEW.replaced_by_id THEN 6 ELSE 5 END;
    END IF;
    INSERT INTO access_ledger (tenant_id, correlation, xact, happened_at, recorded_at, expires_at, user_id, key_id, actor_id,
                               kind, role, scopes, allowed_cidrs)
    VALUES (NEW.tenant_id, ledger_correlation(), txid_current(), seen, seen, NEW.expires_at, coalesce(NEW.owner_id, 0), NEW.id,
            who, what, '', NEW.scopes, NEW.allowed_cidrs);
    RETURN NULL;
END
"""


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0006_rate_bucket")]

    operations = [
        migrations.CreateModel(
            name="AccessLedger",
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
                ("correlation", models.BigIntegerField()),
                ("xact", models.BigIntegerField()),
                ("happened_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("user_id", models.IntegerField()),
                ("key_id", models.IntegerField()),
                ("actor_id", models.IntegerField()),
                (
                    "kind",
                    models.SmallIntegerField(
                        choices=[
                            (1, "Joined"),
                            (2, "Role Changed"),
                            (3, "Left"),
                            (4, "Key Created"),
                            (5, "Key Changed"),
                            (6, "Key Replaced"),
                            (7, "Key Revoked"),
                        ]
                    ),
                ),
                ("role", models.TextField(blank=True)),
                ("scopes", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("allowed_cidrs", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
            ],
            options={
                "db_table": "access_ledger",
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="allowed_cidrs",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), blank=True, db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="replaced_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tasks_app.apikey",
            ),
        ),
        TenantTable("access_ledger", key="seq"),
        Reference("api_key", "replaced_by_id", "api_key"),
        Grant("SELECT", on=("access_ledger",), to=(*TENANT_ROLES, LEDGER_ROLE)),
        Grant("INSERT", on=("access_ledger",), to=(LEDGER_ROLE,)),
        LedgerFunction("refuse_new_identity()", REFUSE_NEW_IDENTITY, definer=False),
        LedgerFunction("membership_changed()", MEMBERSHIP_CHANGED),
        LedgerFunction("api_key_changed()", API_KEY_CHANGED),
    ]
