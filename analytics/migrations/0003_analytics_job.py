"""Jobs: a request submits and cancels them, the worker does the rest."""

import django.db.models.deletion
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, Grant, Reference, TenantReference, TenantTable

SUBMITTED = (
    "tenant_id, actor_id, submitted_at, expires_at, estimated_cost, lasting, fingerprint, rights, document, variables"
)


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0002_policies"),
        ("tasks_app", "0005_triggers"),
    ]

    operations = [
        migrations.CreateModel(
            name="AnalyticsJob",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("submitted_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("estimated_cost", models.BigIntegerField()),
                ("actual_cost", models.BigIntegerField(null=True)),
                ("progress", models.FloatField(db_default=0, default=0)),
                ("attempt", models.SmallIntegerField(db_default=0, default=0)),
                ("losses", models.SmallIntegerField(db_default=0, default=0)),
                ("lasting", models.BooleanField()),
                ("retryable", models.BooleanField(db_default=False, default=False)),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("PENDING", "Pending"),
                            ("RUNNING", "Running"),
                            ("SUCCEEDED", "Succeeded"),
                            ("FAILED", "Failed"),
                            ("CANCELLED", "Cancelled"),
                            ("EXPIRED", "Expired"),
                        ],
                        db_default="PENDING",
                        default="PENDING",
                    ),
                ),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("rights", models.BinaryField(max_length=32)),
                ("document", models.TextField()),
                ("variables", models.TextField(db_default="{}", default="{}")),
                ("error_code", models.TextField(db_default="", default="")),
                ("error_message", models.TextField(db_default="", default="")),
                ("result", models.TextField(null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tasks_app.actor",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tasks_app.tenant",
                    ),
                ),
            ],
            options={
                "db_table": "analytics_job",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("PENDING", "RUNNING"))),
                        fields=["tenant", "submitted_at"],
                        name="analytics_job_active",
                    ),
                    models.Index(fields=["tenant", "fingerprint"], name="analytics_job_fingerprint"),
                    models.Index(fields=["tenant", "expires_at"], name="analytics_job_expiry"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("PENDING", "RUNNING"))),
                        fields=("tenant", "fingerprint"),
                        name="analytics_job_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"])
                        ),
                        name="analytics_job_state",
                    ),
                ],
            },
        ),
        TenantTable("analytics_job"),
        TenantReference("analytics_job"),
        Reference("analytics_job", "actor_id", "actor"),
        Grant("SELECT", on=("analytics_job",), to=TENANT_ROLES),
        # A request can neither answer a job nor take it for its own.
        Grant(f"INSERT ({SUBMITTED}), UPDATE (state, finished_at)", on=("analytics_job",), to=("fl_tenant",)),
        Grant("INSERT, UPDATE, DELETE", on=("analytics_job",), to=("fl_worker",)),
    ]
