"""Row level security and grants of the derived tables. Only the worker writes them; everybody else reads."""

from django.db import migrations

from tasks_app.policies import TENANT_ROLES, WEB_LOGIN, Execute, Grant, TenantReference, TenantTable

DERIVED = ("folded", "rollup_basis", "task_rollup", "task_fact", "task_correction", "task_item")


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial"), ("tasks_app", "0005_triggers")]

    operations = [
        *(TenantTable(table, key="") for table in DERIVED),
        *(TenantReference(table) for table in ("folded", "rollup_basis")),
        Grant("SELECT", on=(*DERIVED, "heartbeat"), to=TENANT_ROLES),
        Grant("INSERT, UPDATE, DELETE", on=DERIVED, to=("fl_worker",)),
        Grant("SELECT", on=("heartbeat",), to=(WEB_LOGIN,)),
        Grant("UPDATE", on=("heartbeat",), to=("fl_worker", WEB_LOGIN)),
        Execute("INSERT INTO heartbeat (id) VALUES (1)"),
        # Folding rewrites the newest rows again and again: room on the page keeps those updates off the index.
        Execute("ALTER TABLE task_rollup SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)"),
    ]
