"""What the triggers call. Each function runs as the ledger's owner and can be called by nobody else.

The text is part of the database's history: to change a function, add a migration with its new text.
"""

from django.db import migrations

from tasks_app.policies import LedgerFunction

REFUSE_CHANGE = """
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are written by triggers alone and never change. To correct a fact, report the right one; it gets a row of its own.',
        TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
"""

# Who is writing: the actor that the transaction names, or the database login. A row of another tenant than the transaction's
# can only come from a login that row level security does not bind; its tenant is then taken from the row.
LEDGER_ACTOR = """
DECLARE
    named text := current_setting('app.actor_id', true);
    actor_found int;
BEGIN
    IF current_setting('app.tenant_id', true) IS DISTINCT FROM of_tenant::text THEN
        PERFORM set_config('app.tenant_id', of_tenant::text, true);
    END IF;
    IF named <> '' THEN
        SELECT id INTO actor_found FROM actor WHERE tenant_id = of_tenant AND id = named::int;
        IF actor_found IS NULL THEN
            RAISE EXCEPTION 'app.actor_id names no actor of this tenant: %', named USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN actor_found;
    END IF;
    SELECT id INTO actor_found FROM actor
     WHERE tenant_id = of_tenant AND kind = 'SQL' AND name = session_user AND user_id IS NULL AND api_key_id IS NULL;
    IF actor_found IS NULL THEN
        INSERT INTO actor (tenant_id, kind, name) VALUES (of_tenant, 'SQL', session_user)
            ON CONFLICT (tenant_id, kind, name) WHERE user_id IS NULL AND api_key_id IS NULL
            DO UPDATE SET name = excluded.name RETURNING id INTO actor_found;
    END IF;
    RETURN actor_found;
END
"""

LEDGER_CORRELATION = """
BEGIN
    RETURN coalesce(nullif(current_setting('app.correlation_id', true), '')::bigint, txid_current());
END
"""

# One function for all that an UPDATE changes. The clock is read after the row locks were taken: transaction or statement time
# could put a change before one that it waited for. Old and new rows are brought together by GROUP BY: the plan of a join is
# cached when the tables have one row, and is then a nested loop for 10,000. A single row that only moves, which is nearly
# every save, goes a shorter way: 30 us instead of 85. EXCEPT lets an update leave early that changes nothing of this.
TASK_CHANGED = """
DECLARE
    seen timestamptz := clock_timestamp();
    owner bigint;
    last_owner bigint;
    who int;
    frozen text;
    o task%ROWTYPE;
    n task%ROWTYPE;
    place bigint;
BEGIN
    IF TG_RELID <> 'public.task'::regclass THEN
        RAISE EXCEPTION 'Only the table task records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (SELECT count(*) FROM after) = 1 THEN
        SELECT * INTO o FROM before;
        SELECT * INTO n FROM after;
        IF (o.tenant_id, o.id, o.key, o.created_at, o.external_id, o.title) = (n.tenant_id, n.id, n.key, n.created_at, n.external_id, n.title)
           AND (o.origin_id, o.source_id, o.assignee_id) IS NOT DISTINCT FROM (n.origin_id, n.source_id, n.assignee_id)
           AND (o.discarded_at IS NULL OR n.discarded_at IS NULL) THEN
            IF (o.state_id, o.project_id, o.discarded_at IS NULL) = (n.state_id, n.project_id, n.discarded_at IS NULL) THEN
                RETURN NULL;
            END IF;
            place := nextval('ledger_seq');
            INSERT INTO task_ledger (seq, tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id, kind)
            VALUES (place, n.tenant_id, coalesce(nullif(current_setting('app.correlation_id', true), '')::bigint, txid_current()),
                    txid_current(), seen, seen, n.id, n.project_id,
                    CASE WHEN o.discarded_at IS NULL THEN o.state_id ELSE 0 END,
                    CASE WHEN n.discarded_at IS NULL THEN n.state_id ELSE 0 END, ledger_actor(n.tenant_id),
                    CASE WHEN n.discarded_at IS NOT NULL THEN 4 WHEN o.discarded_at IS NOT NULL THEN 5
                         WHEN o.project_id <> n.project_id THEN 3 ELSE 2 END);
            INSERT INTO task_tail (tenant_id, seq) VALUES (n.tenant_id, place);
            RETURN NULL;
        END IF;
    END IF;
    IF EXISTS (
        SELECT tenant_id, id, key, created_at, origin_id, source_id, external_id FROM after
        EXCEPT
        SELECT tenant_id, id, key, created_at, origin_id, source_id, external_id FROM before
    ) THEN
        RAISE EXCEPTION 'A task keeps its id, tenant, key, origin, source and external id for life, and created_at follows its facts.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT tenant_id, id, state_id, project_id, discarded_at IS NULL, assignee_id, title FROM after
        EXCEPT
        SELECT tenant_id, id, state_id, project_id, discarded_at IS NULL, assignee_id, title FROM before
    ) THEN
        RETURN NULL;
    END IF;
    SELECT min(tenant_id), max(tenant_id) INTO owner, last_owner FROM after;
    WHILE owner IS NOT NULL LOOP
        who := ledger_actor(owner);
        WITH changed AS MATERIALIZED (
            SELECT id, max(key) AS key, max(new_project) AS project_id, max(old_state) AS old_state, max(new_state) AS new_state,
                   max(old_assignee) AS old_assignee, max(new_assignee) AS new_assignee,
                   max(old_title) AS old_title, max(new_title) AS new_title,
                   CASE WHEN max(old_gone) < max(new_gone) THEN 4
                        WHEN max(old_gone) > max(new_gone) THEN 5
                        WHEN max(old_project) <> max(new_project) THEN 3
                        WHEN max(old_state) <> max(new_state) THEN 2 END AS what,
                   max(old_gone) = 1 AND max(new_gone) = 1 AS gone
              FROM (SELECT tenant_id, id, NULL AS key, state_id AS old_state, NULL::int AS new_state,
                           project_id AS old_project, NULL::int AS new_project,
                           (discarded_at IS NOT NULL)::int AS old_gone, NULL::int AS new_gone,
                           coalesce(assignee_id, 0) AS old_assignee, NULL::int AS new_assignee,
                           title AS old_title, NULL AS new_title FROM before
                     UNION ALL
                    SELECT tenant_id, id, key, NULL, state_id, NULL, project_id, NULL, (discarded_at IS NOT NULL)::int,
                           NULL, coalesce(assignee_id, 0), NULL, title FROM after) sides
             WHERE tenant_id = owner
             GROUP BY id
            HAVING max(old_state) <> max(new_state) OR max(old_project) <> max(new_project) OR max(old_gone) <> max(new_gone)
                OR max(old_assignee) <> max(new_assignee) OR max(old_title) <> max(new_title)
        ),
        renamed AS MATERIALIZED (
            SELECT id, project_id, old_title, new_title, nextval('task_words_id_seq')::int AS old_words,
                   nextval('task_words_id_seq')::int AS new_words
              FROM changed WHERE old_title <> new_title
        ),
        words AS (
            INSERT INTO task_words (id, tenant_id, task_id, words)
            SELECT w.id, owner, r.id, w.words
              FROM renamed r CROSS JOIN LATERAL (VALUES (r.old_words, r.old_title), (r.new_words, r.new_title)) AS w (id, words)
        ),
        fact AS (
            INSERT INTO task_ledger (tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id, kind)
            SELECT owner, coalesce(nullif(current_setting('app.correlation_id', true), '')::bigint, txid_current()),
                   txid_current(), seen, seen, f.id, f.project_id, f.from_id, f.to_id, who, f.kind
              FROM (SELECT id, project_id, what AS kind, CASE WHEN what = 5 THEN 0 ELSE old_state END AS from_id,
                           CASE WHEN what = 4 THEN 0 ELSE new_state END AS to_id
                      FROM changed WHERE what IS NOT NULL
                     UNION ALL
                    SELECT id, project_id, 7, old_assignee, new_assignee FROM changed WHERE old_assignee <> new_assignee
                     UNION ALL
                    SELECT id, project_id, 8, old_words, new_words FROM renamed) f
             ORDER BY f.id, f.kind
            RETURNING tenant_id, seq
        ),
        tail AS (
            INSERT INTO task_tail (tenant_id, seq) SELECT tenant_id, seq FROM fact
        )
        SELECT min(key) INTO frozen FROM changed WHERE what IS NOT NULL AND gone;
        IF frozen IS NOT NULL THEN
            RAISE EXCEPTION 'Task % is discarded: restore it before it is moved.', frozen USING ERRCODE = 'check_violation';
        END IF;
        EXIT WHEN owner = last_owner;
        SELECT min(tenant_id) INTO owner FROM after WHERE tenant_id > owner;
    END LOOP;
    RETURN NULL;
END
"""

# What the ledger calls a row by, and the beginnings that only facts may move: a change of these would rewrite the past unrecorded.
REFUSE_NEW_IDENTITY = """
BEGIN
    RAISE EXCEPTION '%', CASE TG_TABLE_NAME
        WHEN 'project' THEN 'A project keeps its id and tenant for life, and recorded_since follows its facts.'
        ELSE 'A state keeps its id, tenant and project for life: archive it and add another.'
        END USING ERRCODE = 'check_violation';
END
"""

# One statement for all rows of an INSERT, by the clock once: a bulk_create of 10,000 costs half of what a row trigger would.
TASK_CREATED = """
DECLARE
    seen timestamptz := clock_timestamp();
    owner record;
    behind record;
    who int;
    what_for bigint := ledger_correlation();
BEGIN
    IF TG_RELID <> 'public.task'::regclass THEN
        RAISE EXCEPTION 'Only the table task records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR owner IN SELECT DISTINCT tenant_id FROM arrived LOOP
        who := ledger_actor(owner.tenant_id);
        IF EXISTS (SELECT FROM arrived WHERE tenant_id = owner.tenant_id AND created_at > seen) THEN
            RAISE EXCEPTION 'A task cannot have been created in the future.' USING ERRCODE = 'check_violation';
        END IF;
        WITH fact AS (
            INSERT INTO task_ledger (tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id, kind)
            SELECT a.tenant_id, what_for, txid_current(), f.happened_at, seen, a.id, a.project_id, f.from_id, f.to_id, who, f.kind
              FROM arrived a
             CROSS JOIN LATERAL (VALUES
                    (1::smallint, 0, a.state_id, a.created_at),
                    (7::smallint, 0, a.assignee_id, a.created_at),
                    (4::smallint, a.state_id, 0, greatest(a.created_at, least(a.discarded_at, seen)))
                   ) AS f (kind, from_id, to_id, happened_at)
             WHERE a.tenant_id = owner.tenant_id
               AND (f.kind = 1 OR (f.kind = 7 AND a.assignee_id IS NOT NULL) OR (f.kind = 4 AND a.discarded_at IS NOT NULL))
             ORDER BY a.created_at, a.id, f.kind
            RETURNING tenant_id, seq
        )
        INSERT INTO task_tail (tenant_id, seq) SELECT tenant_id, seq FROM fact;
        FOR behind IN
            SELECT a.project_id, min(a.created_at) AS since FROM arrived a
              JOIN project p ON p.tenant_id = a.tenant_id AND p.id = a.project_id
             WHERE a.tenant_id = owner.tenant_id GROUP BY a.project_id HAVING min(a.created_at) < min(p.recorded_since)
        LOOP
            PERFORM reach_back(owner.tenant_id, behind.project_id, behind.since);
        END LOOP;
    END LOOP;
    RETURN NULL;
END
"""

TASK_DELETED = """
DECLARE
    seen timestamptz := clock_timestamp();
    place bigint := nextval('ledger_seq');
    who int := ledger_actor(OLD.tenant_id);
BEGIN
    IF TG_RELID <> 'public.task'::regclass THEN
        RAISE EXCEPTION 'Only the table task records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO deleted_task (tenant_id, task_id, key, title, project_id, external_id, source_id, created_at)
    VALUES (OLD.tenant_id, OLD.id, OLD.key, OLD.title, OLD.project_id, OLD.external_id, OLD.source_id, OLD.created_at);
    IF OLD.discarded_at IS NULL THEN
        INSERT INTO task_ledger (seq, tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id, kind)
        VALUES (place, OLD.tenant_id, ledger_correlation(), txid_current(), seen, seen, OLD.id, OLD.project_id, OLD.state_id, 0, who, 4);
        INSERT INTO task_tail (tenant_id, seq) VALUES (OLD.tenant_id, place);
    END IF;
    RETURN NULL;
END
"""

# All definitions that one transaction changes happen at one instant, and never before one that is recorded already.
# A state that comes with its project was there as long as the project is known.
STATE_DEFINED = """
DECLARE
    seen timestamptz := clock_timestamp();
    since timestamptz;
    who int := ledger_actor(NEW.tenant_id);
BEGIN
    IF TG_RELID <> 'public.workflow_state'::regclass THEN
        RAISE EXCEPTION 'Only the table workflow_state records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' AND EXISTS (
        SELECT FROM definition_ledger d WHERE d.tenant_id = NEW.tenant_id AND d.project_id = NEW.project_id AND d.state_id = 0
           AND d.xact = txid_current()
    ) THEN
        SELECT least(p.recorded_since, seen) INTO since FROM project p WHERE p.tenant_id = NEW.tenant_id AND p.id = NEW.project_id;
    ELSE
        SELECT greatest(now(), max(d.happened_at)) INTO since FROM definition_ledger d
         WHERE d.tenant_id = NEW.tenant_id AND d.project_id = NEW.project_id;
    END IF;
    INSERT INTO definition_ledger (tenant_id, correlation, xact, happened_at, recorded_at, project_id, state_id, actor_id,
                                   position, waiting, needs_validation, archived, slug, name, category, timezone)
    VALUES (NEW.tenant_id, ledger_correlation(), txid_current(), since, seen, NEW.project_id, NEW.id, who,
            NEW.position, NEW.waiting, NEW.needs_validation, NEW.archived, NEW.slug, NEW.name, NEW.category, '');
    RETURN NULL;
END
"""

PROJECT_DEFINED = """
DECLARE
    seen timestamptz := clock_timestamp();
    since timestamptz := least(NEW.recorded_since, seen);
    who int := ledger_actor(NEW.tenant_id);
BEGIN
    IF TG_RELID <> 'public.project'::regclass THEN
        RAISE EXCEPTION 'Only the table project records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT greatest(now(), max(d.happened_at)) INTO since FROM definition_ledger d
         WHERE d.tenant_id = NEW.tenant_id AND d.project_id = NEW.id;
    END IF;
    INSERT INTO definition_ledger (tenant_id, correlation, xact, happened_at, recorded_at, project_id, state_id, actor_id,
                                   position, waiting, needs_validation, archived, slug, name, category, timezone)
    VALUES (NEW.tenant_id, ledger_correlation(), txid_current(), since, seen, NEW.id, 0, who,
            0, false, false, false, NEW.key, NEW.name, '', NEW.timezone);
    RETURN NULL;
END
"""


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0002_roles_and_policies")]

    operations = [
        LedgerFunction("refuse_change()", REFUSE_CHANGE, definer=False),
        LedgerFunction("ledger_actor(of_tenant bigint)", LEDGER_ACTOR, returns="int", definer=False),
        LedgerFunction("ledger_correlation()", LEDGER_CORRELATION, returns="bigint", definer=False),
        LedgerFunction("task_changed()", TASK_CHANGED),
        LedgerFunction("refuse_new_identity()", REFUSE_NEW_IDENTITY, definer=False),
        LedgerFunction("task_created()", TASK_CREATED),
        LedgerFunction("task_deleted()", TASK_DELETED),
        LedgerFunction("state_defined()", STATE_DEFINED),
        LedgerFunction("project_defined()", PROJECT_DEFINED),
    ]
