"""What reported events do: the facts that they are, the tasks they bring up to date, the beginnings they move back.

As in the migration before, the text is part of the database's history and changes by a new migration.
"""

from django.db import migrations

from tasks_app.policies import LedgerFunction

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
    dependencies = [("tasks_app", "0003_ledger_functions")]

    operations = [
        LedgerFunction(
            "reach_back(of_tenant bigint, of_project int, since timestamptz)", REACH_BACK, returns="void", definer=False
        ),
        LedgerFunction("events_reported()", EVENTS_REPORTED),
    ]
