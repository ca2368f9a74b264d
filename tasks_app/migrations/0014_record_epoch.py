"""Epochs of the record: a ledger row says on which server it was written, as far as transaction numbers go.

Runs before the new code. A column with a constant default is added without rewriting the table, and costs nothing when a row is
written: opening an epoch changes the default.
"""

from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, WEB_LOGIN, Execute, Grant

# Where the record is: the cluster, and the timeline, which a promotion or a recovery to a point in time begins anew.
WHERE_IT_IS = """
CREATE FUNCTION record_whereabouts(OUT system_id text, OUT timeline int) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.system_identifier::text, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c
$$
"""

# What is asked with each new connection: the number of the epoch, which is opened where the record is not where it was. A
# standby writes nothing and keeps the epoch of its primary.
SETTLE = """
CREATE FUNCTION settle_epoch() RETURNS smallint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    known record_epoch%ROWTYPE;
    here record;
    last_seq bigint;
    stray bigint;
    ledgers CONSTANT text[] := ARRAY['task_ledger', 'definition_ledger', 'access_ledger'];
    ledger text;
BEGIN
    SELECT * INTO here FROM record_whereabouts();
    SELECT * INTO known FROM record_epoch ORDER BY number DESC LIMIT 1;
    IF (known.system_id, known.timeline) = (here.system_id, here.timeline) OR pg_is_in_recovery() THEN
        RETURN known.number;
    END IF;
    -- One opens it; the others wait here and find it open.
    LOCK TABLE record_epoch IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO known FROM record_epoch ORDER BY number DESC LIMIT 1;
    IF (known.system_id, known.timeline) = (here.system_id, here.timeline) THEN
        RETURN known.number;
    END IF;
    -- The policies are forced upon the owner, too, who looks at all tenants here.
    FOREACH ledger IN ARRAY ledgers LOOP
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', ledger);
    END LOOP;
    -- Rows that somebody wrote here before this was noticed, past the product: those at the end whose transaction's number
    -- is really the one that wrote them. A restored row was written by the restore.
    WITH written AS (
        SELECT l.seq, l.xact, l.xmin::text::bigint AS writer FROM task_ledger l WHERE l.epoch = known.number
         UNION ALL
        SELECT l.seq, l.xact, l.xmin::text::bigint FROM definition_ledger l WHERE l.epoch = known.number
         UNION ALL
        SELECT l.seq, l.xact, l.xmin::text::bigint FROM access_ledger l WHERE l.epoch = known.number
    )
    SELECT min(w.seq) INTO stray FROM written w
     WHERE w.xact & 4294967295 = w.writer
       AND w.seq > coalesce((SELECT max(r.seq) FROM written r WHERE r.xact & 4294967295 <> r.writer), 0)
       AND known.system_id <> here.system_id;
    SELECT s.last_value INTO last_seq FROM ledger_seq s;
    known.number := coalesce(known.number, 0);
    INSERT INTO record_epoch (number, system_id, timeline, opened_at, opened_xact, opened_seq, strays_from)
    VALUES (known.number + 1, here.system_id, here.timeline, clock_timestamp(), txid_current(), last_seq, stray);
    FOREACH ledger IN ARRAY ledgers LOOP
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', ledger);
        EXECUTE format('ALTER TABLE %I ALTER COLUMN epoch SET DEFAULT %s', ledger, known.number + 1);
    END LOOP;
    RETURN known.number + 1;
END
$$
"""
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
SELECT 1, w.system_id, w.timeline, clock_timestamp(), txid_current(), 0 FROM record_whereabouts() w
"""


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0013_help_texts")]

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
                ("strays_from", models.BigIntegerField(null=True)),
            ],
            options={"db_table": "record_epoch"},
        ),
        Grant("SELECT", on=("record_epoch",), to=(*TENANT_ROLES, WEB_LOGIN)),
        *(
            migrations.AddField(model_name=model, name="epoch", field=models.SmallIntegerField(db_default=1))
            for model in ("taskledger", "definitionledger", "accessledger")
        ),
        Execute(WHERE_IT_IS),
        Execute(SETTLE),
        Execute(FIRST),
        Execute(BACKUP_ROLE),
    ]
