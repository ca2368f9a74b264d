"""Counts of answers by objective: a tenant's minutes (unlogged) and days, and the installation's days."""

import django.db.models.deletion
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, WEB_LOGIN, Execute, Grant, TenantTable

COUNTS = [("good", models.BigIntegerField()), ("valid", models.BigIntegerField())]


def tenant() -> models.Field:  # type: ignore[type-arg]
    """The column of the tenant. Whoever writes counts is in the tenant already: no look-up for each."""
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="tasks_app.tenant",
    )


def key(*columns: str) -> models.CompositePrimaryKey:
    return models.CompositePrimaryKey(*columns, blank=True, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0008_access_triggers")]

    operations = [
        migrations.CreateModel(
            name="ServiceTotal",
            fields=[
                ("pk", key("objective", "day")),
                ("objective", models.TextField()),
                ("day", models.DateField()),
                *COUNTS,
            ],
            options={"db_table": "service_total"},
        ),
        migrations.CreateModel(
            name="ServiceDay",
            fields=[
                ("pk", key("tenant_id", "objective", "day")),
                ("objective", models.TextField()),
                ("day", models.DateField()),
                *COUNTS,
                ("tenant", tenant()),
            ],
            options={"db_table": "service_day"},
        ),
        migrations.CreateModel(
            name="ServiceMinute",
            fields=[
                ("pk", key("tenant_id", "objective", "minute")),
                ("objective", models.TextField()),
                ("minute", models.DateTimeField()),
                *COUNTS,
                ("tenant", tenant()),
            ],
            options={"db_table": "service_minute"},
        ),
        *(TenantTable(table, key="") for table in ("service_day", "service_minute")),
        # A minute's row is overwritten every few seconds and dropped after two days: not worth a line in the log each time.
        Execute("ALTER TABLE service_minute SET UNLOGGED"),
        *(
            Execute(f"ALTER TABLE {table} SET (fillfactor = 50)")
            for table in ("service_minute", "service_day", "service_total")
        ),
        Grant("SELECT", on=("service_day", "service_minute"), to=TENANT_ROLES),
        Grant("INSERT, UPDATE, DELETE", on=("service_day", "service_minute"), to=("fl_worker",)),
        Grant("SELECT, INSERT, UPDATE, DELETE", on=("service_total",), to=(WEB_LOGIN,)),
    ]
