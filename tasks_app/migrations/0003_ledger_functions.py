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

# A fact older than all that a project knew: what was there from the start was there then, too. A state that a fact uses before
# its first definition is taken to have been there from the start. The definitions are copied with the older instant, never edited.
REACH_BACK = """
DECLARE
    old_since timestamptz;
BEGIN
    SELECT recorded_since INTO old_since FROM project WHERE tenant_id = of_tenant AND id = of_project FOR UPDATE;
    since := least(since, old_since);
    UPDATE project SET recorded_since = since WHERE tenant_id = of_tenant AND id = of_project AND recorded_since > since;
    INSERT INTO definition_ledger (tenant_id, correlation, xact, happened_at, recorded_at, project_id, state_id, actor_id,
                                   position, waiting, needs_validation, archived, slug, name, category, timezone)
    SELECT d.tenant_id, ledger_correlation(), txid_current(), since, clock_timestamp(), d.project_id, d.state_id,
           ledger_actor(of_tenant), d.position, d.waiting, d.needs_validation, d.archived, d.slug, d.name, d.category, d.timezone
      FROM (SELECT DISTINCT ON (state_id) * FROM definition_ledger
             WHERE tenant_id = of_tenant AND project_id = of_project ORDER BY state_id, happened_at, seq) d
     WHERE d.happened_at > since
       AND (d.happened_at <= old_since
            OR EXISTS (SELECT FROM task_ledger l WHERE l.tenant_id = of_tenant AND l.project_id = of_project AND l.kind <= 5
                          AND l.to_id = d.state_id AND l.happened_at < d.happened_at));
END
"""

# Reported events. Locks the tasks first: what a concurrent change wrote to their rows is then committed and seen. Only of tasks
# that were there before is anything read back; a new case is known by its reports alone.
# EXECUTE plans each statement afresh: a cached plan, made for a report of one event, would be a nested loop for an import.
# (SELECT $1) hides the tenant's number: of a tenant that was never analysed the planner would expect one row, and read all
# that the tenant has for each task (measured: 23 s instead of 0.2 s).
# A report that is in the ledger follows itself in the order, as a row of the same seq: that is no change and goes nowhere.
EVENTS_REPORTED = """
DECLARE
    seen timestamptz := clock_timestamp();
    owner bigint;
    other bigint;
    latest timestamptz;
    creates boolean;
    assigns boolean;
    nameless boolean;
    tasks int;
    made int := 0;
    already int[];
    behind record;
BEGIN
    IF TG_RELID <> 'public.reported_event'::regclass THEN
        RAISE EXCEPTION 'Only the table reported_event records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT min(tenant_id), max(tenant_id), max(happened_at), bool_or(kind = 1), bool_or(kind = 7), count(DISTINCT task_id)
      INTO owner, other, latest, creates, assigns, tasks FROM reported;
    IF owner IS NULL THEN
        RETURN NULL;
    END IF;
    IF owner <> other THEN
        RAISE EXCEPTION 'One statement reports the events of one tenant.' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM ledger_actor(owner);
    IF latest > seen THEN
        RAISE EXCEPTION 'An event cannot have happened in the future.' USING ERRCODE = 'check_violation';
    END IF;

    EXECUTE $sql$ /* ledger.names_in_reports */
        SELECT EXISTS (SELECT FROM (SELECT DISTINCT project_id, to_id FROM reported WHERE kind IN (1, 2, 3, 5, 6)) n
                        WHERE NOT EXISTS (SELECT FROM workflow_state w
                                           WHERE w.tenant_id = $1 AND w.project_id = n.project_id AND w.id = n.to_id))
            OR EXISTS (SELECT FROM (SELECT DISTINCT project_id FROM reported) n
                        WHERE NOT EXISTS (SELECT FROM project p WHERE p.tenant_id = $1 AND p.id = n.project_id))
            OR EXISTS (SELECT FROM (SELECT actor_id FROM reported UNION SELECT source_id FROM reported
                                     UNION SELECT to_id FROM reported WHERE kind = 7 AND to_id <> 0) n (id)
                        WHERE NOT EXISTS (SELECT FROM actor a WHERE a.tenant_id = $1 AND a.id = n.id))
    $sql$ INTO nameless USING owner;
    IF nameless THEN
        RAISE EXCEPTION 'An event names a project, a state of that project or an actor that the tenant does not have.'
            USING ERRCODE = 'foreign_key_violation';
    END IF;

    EXECUTE $sql$ /* ledger.lock_reported_tasks */
        SELECT coalesce(array_agg(locked.id), '{}')
          FROM (SELECT t.id FROM task t JOIN (SELECT DISTINCT task_id FROM reported) r ON r.task_id = t.id
                 WHERE t.tenant_id = (SELECT $1) ORDER BY t.id FOR UPDATE OF t) locked
    $sql$ INTO already USING owner;

    EXECUTE $sql$ /* ledger.reported_facts */
        WITH known AS (
            SELECT r.seq, r.task_id, r.project_id, r.to_id, r.kind, r.actor_id, r.happened_at, true AS fresh
              FROM reported r
             UNION ALL
            SELECT l.seq, l.task_id, l.project_id, l.to_id, l.kind, l.actor_id, l.happened_at, false
              FROM unnest($4) AS t (id)
              JOIN task_ledger l ON l.tenant_id = (SELECT $1) AND l.task_id = t.id
             UNION ALL
            SELECT r.seq, r.task_id, r.project_id, r.to_id, r.kind, r.actor_id, r.happened_at, true
              FROM unnest($4) AS t (id)
              JOIN reported_event r ON r.tenant_id = (SELECT $1) AND r.task_id = t.id
        ),
        ordered AS (
            SELECT k.*, lag(k.to_id) OVER history AS before_id, lag(k.project_id) OVER history AS before_project,
                   lag(k.seq) OVER history AS before_seq
              FROM known k
            WINDOW history AS (
                PARTITION BY k.task_id, CASE WHEN k.kind <= 5 THEN 0 ELSE k.kind END ORDER BY k.happened_at, k.seq, k.fresh)
        ),
        fact AS (
            INSERT INTO task_ledger (seq, tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id,
                                     from_id, to_id, actor_id, kind)
            SELECT o.seq, $1, $2, txid_current(), o.happened_at, $3, o.task_id, o.project_id,
                   CASE WHEN o.kind = 6 THEN o.to_id ELSE coalesce(o.before_id, 0) END, o.to_id, o.actor_id, o.kind
              FROM ordered o
             WHERE o.fresh AND o.seq IS DISTINCT FROM o.before_seq
               AND (o.kind = 6
                    OR (o.kind = 7 AND coalesce(o.before_id, 0) <> o.to_id)
                    OR (o.kind <= 5 AND (o.before_id IS NULL OR o.before_id <> o.to_id
                                         OR (o.before_project <> o.project_id AND o.to_id <> 0))))
             ORDER BY o.seq
            RETURNING tenant_id, seq
        )
        INSERT INTO task_tail (tenant_id, seq) SELECT tenant_id, seq FROM fact
    $sql$ USING owner, ledger_correlation(), seen, already;

    IF already <> '{}' THEN
        EXECUTE $sql$ /* ledger.tasks_after_report */
            UPDATE task t
               SET project_id = now_at.project_id, state_id = now_at.state_id, discarded_at = now_at.discarded_at,
                   created_at = now_at.first_at
              FROM (SELECT h.task_id, min(h.happened_at) AS first_at,
                           max(h.happened_at) FILTER (WHERE h.latest = 1 AND h.kind = 4) AS discarded_at,
                           (array_agg(h.project_id ORDER BY h.latest) FILTER (WHERE h.kind <> 4))[1] AS project_id,
                           (array_agg(h.to_id ORDER BY h.latest) FILTER (WHERE h.kind <> 4))[1] AS state_id
                      FROM (SELECT l.task_id, l.project_id, l.to_id, l.kind, l.happened_at,
                                   row_number() OVER (PARTITION BY l.task_id ORDER BY l.happened_at DESC, l.seq DESC) AS latest
                              FROM unnest($2) AS r (id)
                              JOIN task_ledger l ON l.tenant_id = (SELECT $1) AND l.task_id = r.id AND l.kind <= 5) h
                     GROUP BY h.task_id) now_at
             WHERE t.tenant_id = (SELECT $1) AND t.id = now_at.task_id AND now_at.state_id IS NOT NULL
               AND (t.created_at <> now_at.first_at OR (t.discarded_at IS NULL) <> (now_at.discarded_at IS NULL)
                    OR (t.state_id, t.project_id) <> (now_at.state_id, now_at.project_id))
        $sql$ USING owner, already;
    END IF;

    IF creates THEN
        EXECUTE $sql$ /* ledger.tasks_of_new_cases */
            WITH arrived AS (
                SELECT r.task_id, r.project_id, min(r.source_id) AS source_id, max(r.case_id) AS case_id, max(r.title) AS title,
                       (array_agg(r.to_id ORDER BY r.happened_at DESC, r.seq DESC) FILTER (WHERE r.kind <= 5 AND r.kind <> 4))[1] AS state_id,
                       (array_agg(CASE WHEN r.kind = 4 THEN r.happened_at END ORDER BY r.happened_at DESC, r.seq DESC)
                           FILTER (WHERE r.kind <= 5))[1] AS discarded_at,
                       min(r.happened_at) AS created_at,
                       row_number() OVER (PARTITION BY r.project_id ORDER BY min(r.seq)) AS place
                  FROM reported r GROUP BY r.task_id, r.project_id HAVING bool_or(r.kind = 1)
            ),
            numbered AS (
                UPDATE project p SET next_task_number = p.next_task_number + c.tasks
                  FROM (SELECT project_id, count(*) AS tasks FROM arrived GROUP BY project_id) c
                 WHERE p.tenant_id = $1 AND p.id = c.project_id
                RETURNING p.id, p.key, p.next_task_number - c.tasks AS first_number
            )
            INSERT INTO task (tenant_id, id, project_id, origin_id, state_id, discarded_at, key, title, created_at, source_id, external_id)
            SELECT $1, a.task_id, a.project_id, a.project_id, a.state_id, a.discarded_at, n.key || '-' || (n.first_number + a.place - 1),
                   a.title, a.created_at, a.source_id, a.case_id
              FROM arrived a JOIN numbered n ON n.id = a.project_id
        $sql$ USING owner;
        GET DIAGNOSTICS made = ROW_COUNT;
    END IF;
    IF cardinality(already) + made <> tasks THEN
        RAISE EXCEPTION 'An event names a task that is not there; the first event of a new case must create it.'
            USING ERRCODE = 'foreign_key_violation';
    END IF;

    IF assigns THEN
        EXECUTE $sql$ /* ledger.assignees_after_report */
            UPDATE task t SET assignee_id = nullif(now_with.to_id, 0)
              FROM (SELECT DISTINCT ON (l.task_id) l.task_id, l.to_id
                      FROM (SELECT DISTINCT task_id FROM reported WHERE kind = 7) r
                      JOIN task_ledger l ON l.tenant_id = (SELECT $1) AND l.task_id = r.task_id AND l.kind = 7
                     ORDER BY l.task_id, l.happened_at DESC, l.seq DESC) now_with
             WHERE t.tenant_id = (SELECT $1) AND t.id = now_with.task_id AND coalesce(t.assignee_id, 0) <> now_with.to_id
        $sql$ USING owner;
    END IF;

    FOR behind IN EXECUTE $sql$ /* ledger.projects_behind */
        WITH used AS (
            SELECT r.project_id, CASE WHEN r.kind <= 6 THEN r.to_id ELSE 0 END AS state_id, min(r.happened_at) AS since
              FROM reported r GROUP BY 1, 2
        )
        SELECT u.project_id, min(u.since) AS since
          FROM used u JOIN project p ON p.tenant_id = $1 AND p.id = u.project_id
         GROUP BY u.project_id, p.recorded_since
        HAVING min(u.since) < p.recorded_since
            OR bool_or(u.state_id <> 0 AND u.since < (
                   SELECT min(d.happened_at) FROM definition_ledger d
                    WHERE d.tenant_id = $1 AND d.project_id = u.project_id AND d.state_id = u.state_id))
    $sql$ USING owner
    LOOP
        PERFORM reach_back(owner, behind.project_id, behind.since);
    END LOOP;
    RETURN NULL;
END
"""


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0002_roles_and_policies")]

    operations = [
        LedgerFunction("refuse_change()", REFUSE_CHANGE, definer=False),
        LedgerFunction("ledger_actor(of_tenant bigint)", LEDGER_ACTOR, returns="int", definer=False),
        LedgerFunction("ledger_correlation()", LEDGER_CORRELATION, returns="bigint", definer=False),
        LedgerFunction(
            "reach_back(of_tenant bigint, of_project int, since timestamptz)", REACH_BACK, returns="void", definer=False
        ),
        LedgerFunction("task_changed()", TASK_CHANGED),
        LedgerFunction("refuse_new_identity()", REFUSE_NEW_IDENTITY, definer=False),
        LedgerFunction("task_created()", TASK_CREATED),
        LedgerFunction("task_deleted()", TASK_DELETED),
        LedgerFunction("state_defined()", STATE_DEFINED),
        LedgerFunction("project_defined()", PROJECT_DEFINED),
        LedgerFunction("events_reported()", EVENTS_REPORTED),
    ]
