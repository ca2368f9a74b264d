"""The older side: the daily counts of the midnight job, and where other systems are."""

import django.db.models.deletion
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, Grant, TenantReference, TenantTable

TENANT = models.ForeignKey(
    db_constraint=False,
    db_index=False,
    on_delete=django.db.models.deletion.PROTECT,
    related_name="+",
    to="tasks_app.tenant",
)
ALL = ("legacy_daily_metric", "legacy_endpoint")


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0004_drift"),
        ("tasks_app", "0011_service_spread"),
    ]

    operations = [
        migrations.CreateModel(
            name="LegacyDailyMetric",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "date", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("date", models.DateField()),
                ("todo", models.IntegerField()),
                ("in_progress", models.IntegerField()),
                ("review", models.IntegerField()),
                ("done", models.IntegerField()),
                ("counted_at", models.DateTimeField()),
                ("known_at", models.DateTimeField()),
                ("snapshot", models.TextField(db_default="", default="")),
                ("invented", models.BooleanField(db_default=False, default=False)),
                ("tenant", TENANT.clone()),
            ],
            options={"db_table": "legacy_daily_metric"},
        ),
        migrations.CreateModel(
            name="LegacyEndpoint",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "capability", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("capability", models.TextField()),
                ("url", models.TextField()),
                ("headers", models.TextField(db_default="{}", default="{}")),
                ("mapping", models.TextField()),
                ("organisation", models.TextField()),
                (
                    "cutoff_rule",
                    models.TextField(choices=[("FIXED", "Fixed"), ("FIELD", "Field"), ("UNKNOWN", "Unknown")]),
                ),
                ("cutoff_time", models.TimeField(null=True)),
                ("cutoff_field", models.TextField(db_default="", default="")),
                ("uncertain_seconds", models.IntegerField(db_default=0, default=0)),
                ("most_calls_a_day", models.IntegerField()),
                ("seconds", models.FloatField()),
                ("called_on", models.DateField(null=True)),
                ("calls", models.IntegerField(db_default=0, default=0)),
                ("failures", models.IntegerField(db_default=0, default=0)),
                ("open_until", models.DateTimeField(null=True)),
                ("tenant", TENANT.clone()),
            ],
            options={
                "db_table": "legacy_endpoint",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("cutoff_rule__in", ["FIXED", "FIELD", "UNKNOWN"])),
                        name="legacy_endpoint_cutoff_rule",
                    ),
                ],
            },
        ),
        *(TenantTable(table, key="") for table in ALL),
        *(TenantReference(table) for table in ALL),
        Grant("SELECT", on=ALL, to=TENANT_ROLES),
        Grant("INSERT, UPDATE, DELETE", on=("legacy_daily_metric",), to=("fl_worker",)),
        # Where another system is, and with which secrets it is asked, is the owner's to say.
        Grant("UPDATE (called_on, calls, failures, open_until)", on=("legacy_endpoint",), to=("fl_worker",)),
    ]
