# ruff: noqa: E501  the SQL is as wide as the ledger's own functions
"""The function bodies of each form. In all of them the actor is the tenant's, and no setting switches recording off."""

from dataclasses import dataclass

ROW = "AFTER UPDATE ON {table} FOR EACH ROW WHEN ({changed})"
STATEMENT = (
    "AFTER UPDATE ON {table} REFERENCING OLD TABLE AS before NEW TABLE AS after"
    " FOR EACH STATEMENT WHEN (current_user <> 'fl_ledger')"
)
ANY_CHANGE = "AFTER UPDATE ON {table} FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.* AND current_user <> 'fl_ledger')"
CHANGED = (
    "(OLD.state_id IS DISTINCT FROM NEW.state_id OR OLD.project_id IS DISTINCT FROM NEW.project_id"
    " OR (OLD.discarded_at IS NULL) <> (NEW.discarded_at IS NULL)) AND current_user <> 'fl_ledger'"
)


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a form is triggered, and what its function does.

    `alone`: no other trigger of the task runs on update. The WHEN of each is read anew by every statement, so this shows what
    one trigger for moves, assignments, renames and refusals would save; the function itself still records moves only.
    """

    trigger: str
    body: str
    alone: bool = False


GUARD = """
    IF TG_RELID <> 'public.task'::regclass THEN
        RAISE EXCEPTION 'Only the table task records its changes here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
"""

# As little as a row trigger can do: the INSERT itself looks the actor up, ledger and tail are one statement. It only shows
# the limit of row triggers: a login that names no actor is refused here, where the product writes the login's name.
ROW_LEAN = (
    "BEGIN"
    + GUARD
    + """
    IF OLD.discarded_at IS NOT NULL AND NEW.discarded_at IS NOT NULL THEN
        RAISE EXCEPTION 'Task % is discarded: restore it before it is moved.', NEW.key USING ERRCODE = 'check_violation';
    END IF;
    WITH fact AS (
        INSERT INTO task_ledger (tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id, kind)
        SELECT NEW.tenant_id,
               coalesce(nullif(current_setting('app.correlation_id', true), '')::bigint, txid_current()),
               txid_current(), clock.seen, clock.seen, NEW.id, NEW.project_id,
               CASE WHEN OLD.discarded_at IS NULL THEN OLD.state_id ELSE 0 END,
               CASE WHEN NEW.discarded_at IS NULL THEN NEW.state_id ELSE 0 END, a.id,
               CASE WHEN OLD.discarded_at IS NULL AND NEW.discarded_at IS NOT NULL THEN 4
                    WHEN OLD.discarded_at IS NOT NULL AND NEW.discarded_at IS NULL THEN 5
                    WHEN OLD.project_id <> NEW.project_id THEN 3 ELSE 2 END
          FROM (SELECT clock_timestamp() AS seen OFFSET 0) clock, actor a
         WHERE a.tenant_id = NEW.tenant_id AND a.id = nullif(current_setting('app.actor_id', true), '')::int
        RETURNING tenant_id, seq
    )
    INSERT INTO task_tail (tenant_id, seq) SELECT tenant_id, seq FROM fact;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'app.actor_id names no actor of this tenant.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
"""
)

# GROUP BY instead of a join: a cached plan of a join, made when the tables had one row, is a nested loop for 10,000.
GROUPED = (
    """
DECLARE
    seen timestamptz := clock_timestamp();
    owner bigint;
    last_owner bigint;
    who int;
    frozen text;
BEGIN
"""
    + GUARD
    + """
    {first}
    SELECT min(tenant_id), max(tenant_id) INTO owner, last_owner FROM after;
    WHILE owner IS NOT NULL LOOP
        who := ledger_actor(owner);
        WITH moved AS MATERIALIZED (
            SELECT id, max(key) AS key, max(old_state) AS old_state, max(new_state) AS new_state, max(new_project) AS project,
                   CASE WHEN max(old_gone) IS NOT NULL AND max(new_gone) IS NOT NULL THEN 0
                        WHEN max(new_gone) IS NOT NULL THEN 4
                        WHEN max(old_gone) IS NOT NULL THEN 5
                        WHEN max(old_project) <> max(new_project) THEN 3
                        ELSE 2 END AS what
              FROM (SELECT tenant_id, id, NULL AS key, state_id AS old_state, NULL::int AS new_state, project_id AS old_project,
                           NULL::int AS new_project, discarded_at AS old_gone, NULL::timestamptz AS new_gone FROM before
                     UNION ALL
                    SELECT tenant_id, id, key, NULL, state_id, NULL, project_id, NULL, discarded_at FROM after) sides
             WHERE tenant_id = owner
             GROUP BY id
            HAVING max(old_state) <> max(new_state) OR max(old_project) <> max(new_project)
                OR (max(old_gone) IS NULL) <> (max(new_gone) IS NULL)
        ), fact AS (
            INSERT INTO task_ledger (tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id, kind)
            SELECT owner, coalesce(nullif(current_setting('app.correlation_id', true), '')::bigint, txid_current()),
                   txid_current(), seen, seen, id, project,
                   CASE WHEN what = 5 THEN 0 ELSE old_state END, CASE WHEN what = 4 THEN 0 ELSE new_state END, who, what
              FROM moved WHERE what > 0 ORDER BY id
            RETURNING tenant_id, seq
        ), tail AS (
            INSERT INTO task_tail (tenant_id, seq) SELECT tenant_id, seq FROM fact
        )
        SELECT min(key) INTO frozen FROM moved WHERE what = 0;
        IF frozen IS NOT NULL THEN
            RAISE EXCEPTION 'Task % is discarded: restore it before it is moved.', frozen USING ERRCODE = 'check_violation';
        END IF;
        EXIT WHEN owner = last_owner;
        SELECT min(tenant_id) INTO owner FROM after WHERE tenant_id > owner;
    END LOOP;
    RETURN NULL;
END
"""
)
# Updates that move nothing leave early. EXCEPT hashes; it has no plan that 10,000 rows would turn bad.
SIDE = "SELECT tenant_id, id, state_id, project_id, discarded_at IS NULL FROM"
LEAVE_IF_SAME = f"IF NOT EXISTS ({SIDE} after EXCEPT {SIDE} before) THEN RETURN NULL; END IF;"

AFTER_EXCEPT = GROUPED.replace("{first}", LEAVE_IF_SAME)

FORMS: dict[str, Form] = {
    "row_lean": Form(trigger=ROW, body=ROW_LEAN),
    "row_lean_alone": Form(trigger=ANY_CHANGE, body=ROW_LEAN, alone=True),
    "statement_grouped": Form(trigger=STATEMENT, body=GROUPED.replace("{first}", "")),
    "statement_after_except": Form(trigger=STATEMENT, body=AFTER_EXCEPT),
    "statement_after_except_alone": Form(trigger=STATEMENT, body=AFTER_EXCEPT, alone=True),
}
