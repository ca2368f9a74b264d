"""Retention by family and grain: how long a tenant keeps rows, and since when there are any."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, Execute, Grant, TenantReference, TenantTable

TABLES = ("kept_since", "retention")
# Minutes are grain 1, hours 3. The owner reads all tenants' rows at once, which a forced policy forbids.
MOVE = """
INSERT INTO kept_since (tenant_id, family, grain, since)
SELECT f.tenant_id, f.family, k.grain, k.since
  FROM folded f CROSS JOIN LATERAL (VALUES (1, f.minute_since), (3, f.hour_since)) k (grain, since)
 WHERE k.since IS NOT NULL ON CONFLICT DO NOTHING
"""


def key() -> models.CompositePrimaryKey:
    """Each family's grain once a tenant."""
    columns = ("tenant_id", "family", "grain")
    return models.CompositePrimaryKey(*columns, blank=True, editable=False, primary_key=True, serialize=False)


def tenant() -> "models.ForeignKey[Any, Any]":
    """As every tenant's table has it; the constraint is made apart."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="tasks_app.tenant",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0007_help_texts"),
        ("tasks_app", "0011_service_spread"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptSince",
            fields=[
                ("pk", key()),
                ("family", models.TextField()),
                ("since", models.DateTimeField()),
                ("grain", models.SmallIntegerField()),
                ("tenant", tenant()),
            ],
            options={"db_table": "kept_since"},
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("pk", key()),
                ("family", models.TextField()),
                ("days", models.IntegerField(null=True)),
                ("grain", models.SmallIntegerField()),
                ("tenant", tenant()),
            ],
            options={
                "db_table": "retention",
                "constraints": [models.CheckConstraint(condition=models.Q(days__gte=1), name="retention_days")],
            },
        ),
        Execute("ALTER TABLE folded NO FORCE ROW LEVEL SECURITY"),
        Execute(MOVE),
        Execute("ALTER TABLE folded FORCE ROW LEVEL SECURITY"),
        *(TenantTable(table, key="") for table in TABLES),
        *(TenantReference(table) for table in TABLES),
        Grant("SELECT", on=TABLES, to=TENANT_ROLES),
        Grant("INSERT, UPDATE, DELETE", on=TABLES, to=("fl_worker",)),
        migrations.RemoveField(model_name="folded", name="minute_since"),
        migrations.RemoveField(model_name="folded", name="hour_since"),
    ]
