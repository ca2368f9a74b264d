"""Epochs of the record: a ledger row says on which server it was written, as far as transaction numbers go.

Runs before the new code. A column with a constant default is added without rewriting the table, and costs nothing when a row is
written: opening an epoch changes the default.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, WEB_LOGIN, Execute, Grant

# Who may dump: row level security would refuse pg_dump, or leave it with half of the tables. A role to be taken, not a login, by
# `pg_dump --role=fl_backup`. Only a superuser can make one that policies do not bind; without one, README.md has the statements.
BACKUP_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fl_backup') THEN
        CREATE ROLE fl_backup NOLOGIN INHERIT BYPASSRLS;
    END IF;
    GRANT pg_read_all_data TO fl_backup;
    -- A superuser is asked for no membership, but the owner may be none later.
    EXECUTE format('GRANT fl_backup TO %I', current_user);
EXCEPTION
    WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END $$
"""
FIRST = """
INSERT INTO record_epoch (number, system_id, timeline, opened_at, opened_xact, opened_seq)
SELECT 1, s.system_identifier::text, c.timeline_id, clock_timestamp(), txid_current(), 0
  FROM pg_control_system() s CROSS JOIN pg_control_checkpoint() c
"""


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0014_inserts_by_requests")]

    operations = [
        migrations.CreateModel(
            name="RecordEpoch",
            fields=[
                ("number", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("system_id", models.TextField()),
                ("timeline", models.IntegerField()),
                ("opened_at", models.DateTimeField()),
                ("opened_xact", models.BigIntegerField()),
                ("opened_seq", models.BigIntegerField()),
                (
                    "strays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), db_default=[], size=None
                    ),
                ),
            ],
            options={"db_table": "record_epoch"},
        ),
        Grant("SELECT", on=("record_epoch",), to=(*TENANT_ROLES, WEB_LOGIN)),
        *(
            migrations.AddField(model_name=model, name="epoch", field=models.SmallIntegerField(db_default=1))
            for model in ("taskledger", "definitionledger", "accessledger")
        ),
        Execute(FIRST),
        Execute(BACKUP_ROLE),
    ]
