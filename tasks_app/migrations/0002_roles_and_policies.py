"""Roles, composite keys, row level security, grants, and the tail's vacuum settings."""

from django.db import migrations

from tasks_app.policies import (
    LEDGER_ROLE,
    TENANT_ROLES,
    WEB_LOGIN,
    CreateRoles,
    Execute,
    Grant,
    Reference,
    TenantReference,
    TenantTable,
)

READERS = TENANT_ROLES
WRITERS = ("fl_tenant", "fl_worker")

NAMED_BY_ID = (
    "membership",
    "actor",
    "api_key",
    "project",
    "workflow_state",
    "task",
    "task_words",
    "deleted_task",
    "client_mutation",
)
NAMED_BY_SEQ = ("task_ledger", "definition_ledger", "reported_event", "fact_note")
TENANT_TABLES = (*NAMED_BY_ID, *NAMED_BY_SEQ, "task_tail")

DJANGO_READS = (
    "django_migrations",
    "django_session",
    "django_content_type",
    "django_admin_log",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
)

REPORTED_COLUMNS = (
    "tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity, case_id, title"
)


class Migration(migrations.Migration):
    dependencies = [
        ("tasks_app", "0001_initial"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sessions", "0001_initial"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [
        CreateRoles(),
        *(TenantTable(table) for table in NAMED_BY_ID),
        *(TenantTable(table, key="seq") for table in NAMED_BY_SEQ),
        TenantTable("task_tail", key=""),
        *(TenantReference(table) for table in NAMED_BY_ID),
        Reference("actor", "api_key_id", "api_key"),
        Reference("workflow_state", "project_id", "project"),
        Reference("task", "project_id", "project"),
        Reference("task", "project_id, state_id", "workflow_state", "project_id, id", at_once=True),
        Reference("task", "assignee_id", "actor", at_once=True),
        Reference("task", "origin_id", "project"),
        Reference("task", "source_id", "actor"),
        # Reports outlive a task that SQL deletes, so they have no reference to it; their trigger asks whether it is there.
        # A report is of a task's state or assignee; only a discard leads nowhere. Before 1900 there is no board.
        Execute(
            "ALTER TABLE reported_event ADD CONSTRAINT reported_event_kind CHECK (kind BETWEEN 1 AND 7),"
            " ADD CONSTRAINT reported_event_target CHECK (kind = 7 OR (kind = 4) = (to_id = 0)),"
            " ADD CONSTRAINT reported_event_instant CHECK (happened_at >= '1900-01-01 00:00+00')"
        ),
        # What a tenant's requests may do. Nothing is deleted, and nobody writes a ledger by hand.
        Grant("SELECT", on=TENANT_TABLES, to=READERS),
        Grant(
            "INSERT, UPDATE",
            on=("membership", "api_key", "project", "workflow_state", "task", "client_mutation"),
            to=WRITERS,
        ),
        # An actor may be renamed. To become another would give away what it did: the ledger knows only its id.
        Grant("INSERT, UPDATE (name)", on=("actor",), to=WRITERS),
        Grant("DELETE", on=("client_mutation",), to=WRITERS),
        Grant("INSERT", on=("fact_note",), to=WRITERS),
        # Not its seq: the place in the order of recording is the sequence's to give.
        Grant(f"INSERT ({REPORTED_COLUMNS})", on=("reported_event",), to=WRITERS),
        Grant("USAGE", on=("SEQUENCE ledger_seq",), to=(*WRITERS, LEDGER_ROLE)),
        Grant("USAGE", on=("SEQUENCE task_id_seq",), to=WRITERS),
        Grant("USAGE", on=("SEQUENCE task_words_id_seq",), to=(LEDGER_ROLE,)),
        Grant("DELETE", on=("task_tail",), to=("fl_worker",)),
        # What the ledger's functions may do.
        Grant("SELECT", on=TENANT_TABLES, to=(LEDGER_ROLE,)),
        Grant(
            "INSERT",
            on=("task_ledger", "task_tail", "definition_ledger", "task_words", "deleted_task"),
            to=(LEDGER_ROLE,),
        ),
        Grant("INSERT, UPDATE", on=("actor", "task", "project"), to=(LEDGER_ROLE,)),
        # What the login reads before it knows whose request this is, and Django's own tables.
        Grant("SELECT", on=("tenant", "account", "account_tenant", *DJANGO_READS), to=(WEB_LOGIN,)),
        Grant("SELECT", on=("account_groups", "account_user_permissions"), to=(WEB_LOGIN,)),
        Grant("UPDATE (last_login, password)", on=("account",), to=(WEB_LOGIN,)),
        Grant("INSERT, UPDATE, DELETE", on=("django_session",), to=(WEB_LOGIN,)),
        Grant(
            "SELECT, INSERT, UPDATE, DELETE",
            on=("django_q_ormq", "django_q_task", "django_q_schedule"),
            to=(WEB_LOGIN,),
        ),
        Grant("SELECT", on=("django_content_type", "django_admin_log", "auth_permission"), to=("fl_auditor",)),
        # A ledger only grows: statistics must follow soon, or new tenants are planned for as if they had one row.
        *(
            Execute(
                f"ALTER TABLE {table} SET (autovacuum_analyze_threshold = 20000, autovacuum_analyze_scale_factor = 0,"
                " autovacuum_vacuum_insert_threshold = 100000, autovacuum_vacuum_insert_scale_factor = 0)"
            )
            for table in ("task_ledger", "reported_event")
        ),
        # The tail is written and emptied all the time: its dead rows are what a reader would wade through.
        Execute(
            "ALTER TABLE task_tail SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0,"
            " autovacuum_vacuum_insert_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0,"
            " autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_threshold = 5000)"
        ),
    ]
