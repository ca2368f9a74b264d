"""Tenants' plans, and the answers to requests with an Idempotency-Key."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from tasks_app.policies import TENANT_ROLES, Grant, TenantReference, TenantTable

WRITERS = ("fl_tenant", "fl_worker")


def owned_by_a_tenant(*fields: tuple[str, Any]) -> list[tuple[str, Any]]:
    """The fields of a row of one tenant."""
    tenant = models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="tasks_app.tenant",
    )
    return [
        ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        *fields,
        ("tenant", tenant),
    ]


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0009_service_levels")]

    operations = [
        migrations.CreateModel(
            name="TenantPlan",
            fields=owned_by_a_tenant(
                ("points_a_minute", models.IntegerField()),
                ("burst", models.IntegerField()),
                ("tenant_points_a_minute", models.IntegerField()),
                ("tenant_burst", models.IntegerField()),
                ("at_once", models.IntegerField()),
            ),
            options={
                "db_table": "tenant_plan",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant",), name="tenant_plan_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("at_once__gte", 1),
                            ("burst__gte", 1),
                            ("points_a_minute__gte", 1),
                            ("tenant_burst__gte", 1),
                            ("tenant_points_a_minute__gte", 1),
                        ),
                        name="tenant_plan_positive",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptResponse",
            fields=owned_by_a_tenant(
                ("actor_id", models.IntegerField()),
                ("name", models.TextField()),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField()),
            ),
            options={
                "db_table": "kept_response",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "actor_id", "name"), name="kept_response_once")
                ],
            },
        ),
        *(TenantTable(table) for table in ("tenant_plan", "kept_response")),
        *(TenantReference(table) for table in ("tenant_plan", "kept_response")),
        # Plans are the owner's to write: a tenant does not give itself more.
        Grant("SELECT", on=("tenant_plan", "kept_response"), to=TENANT_ROLES),
        Grant("INSERT, UPDATE, DELETE", on=("kept_response",), to=WRITERS),
    ]
