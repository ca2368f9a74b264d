"""Sentences of columns, for auditors and the API. Nothing changes in the database."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tasks_app", "0012_plan_ledger"),
    ]

    operations = [
        migrations.AlterField(
            model_name="actor",
            name="kind",
            field=models.TextField(
                choices=[
                    ("USER", "User"),
                    ("API_KEY", "Api Key"),
                    ("IMPORT", "Import"),
                    ("JOB", "Job"),
                    ("SQL", "Sql"),
                ],
                help_text="What sort of hand it was.",
            ),
        ),
        migrations.AlterField(
            model_name="actor",
            name="name",
            field=models.TextField(help_text="The name of the person, key, import or database login."),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="allowed_cidrs",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                blank=True,
                db_default=[],
                default=list,
                help_text="The networks that it may be used from; empty for everywhere.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, help_text="When it was made."),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="expires_at",
            field=models.DateTimeField(
                blank=True, help_text="From this instant on it is refused; null: never.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="last_used_at",
            field=models.DateTimeField(
                blank=True, help_text="Its last use, to the minute; null when it was never used.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="name",
            field=models.TextField(help_text="What it is for."),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="prefix",
            field=models.TextField(help_text="How its secret begins: tells keys apart and opens nothing."),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="replaced_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="The id of the key that it was rotated into.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tasks_app.apikey",
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="revoked_at",
            field=models.DateTimeField(
                blank=True, help_text="From this instant on it is refused; null: not revoked.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(
                    choices=[
                        ("TASKS_READ", "Tasks Read"),
                        ("TASKS_WRITE", "Tasks Write"),
                        ("ANALYTICS_READ", "Analytics Read"),
                        ("TIME_READ", "Time Read"),
                        ("TIME_WRITE", "Time Write"),
                        ("BILLING_READ", "Billing Read"),
                        ("FINDINGS_READ", "Findings Read"),
                        ("FINDINGS_WRITE", "Findings Write"),
                        ("SAMPLES_READ", "Samples Read"),
                        ("SAMPLES_WRITE", "Samples Write"),
                        ("AUDIT_READ", "Audit Read"),
                        ("ADMIN", "Admin"),
                    ]
                ),
                help_text="What it may do, as far as its owner's role allows when it is used; in alphabetical order.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="project",
            name="key",
            field=models.TextField(help_text="Names the project within its tenant; task keys begin with it."),
        ),
        migrations.AlterField(
            model_name="project",
            name="name",
            field=models.TextField(help_text="What people call it."),
        ),
        migrations.AlterField(
            model_name="project",
            name="recorded_since",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                help_text="Before this instant nothing is known: charts are null there, never 0.",
            ),
        ),
        migrations.AlterField(
            model_name="project",
            name="timezone",
            field=models.TextField(help_text="IANA zone of its days, unless a question names another."),
        ),
        migrations.AlterField(
            model_name="task",
            name="created_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), help_text="When it came to be, UTC."
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="key",
            field=models.TextField(help_text="Names the task within its tenant, for life."),
        ),
        migrations.AlterField(
            model_name="task",
            name="title",
            field=models.TextField(help_text="What people call it, as of now."),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="fiscal_year_start_month",
            field=models.SmallIntegerField(
                default=1,
                help_text="The month, 1 to 12, in which its quarters begin.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)],
            ),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="name",
            field=models.TextField(help_text="What people call it."),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="slug",
            field=models.SlugField(
                help_text="Its name in addresses and in the header X-Tenant.", max_length=63, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="timezone",
            field=models.TextField(
                default="UTC", help_text="The IANA zone of its days where no project names another."
            ),
        ),
        migrations.AlterField(
            model_name="tenantplan",
            name="at_once",
            field=models.IntegerField(help_text="How many of the tenant's requests may run at the same time."),
        ),
        migrations.AlterField(
            model_name="tenantplan",
            name="burst",
            field=models.IntegerField(
                help_text="The most that one key, or one person, can spend at once, after a rest."
            ),
        ),
        migrations.AlterField(
            model_name="tenantplan",
            name="points_a_minute",
            field=models.IntegerField(help_text="Points that come back to one key, or one person, in a minute."),
        ),
        migrations.AlterField(
            model_name="tenantplan",
            name="tenant_burst",
            field=models.IntegerField(help_text="The most that all callers together can spend at once."),
        ),
        migrations.AlterField(
            model_name="tenantplan",
            name="tenant_points_a_minute",
            field=models.IntegerField(help_text="Points that come back to all callers together."),
        ),
        migrations.AlterField(
            model_name="workflowstate",
            name="category",
            field=models.TextField(
                choices=[
                    ("TODO", "Todo"),
                    ("IN_PROGRESS", "In Progress"),
                    ("DONE", "Done"),
                    ("CANCELLED", "Cancelled"),
                ],
                help_text="What it means for flow.",
            ),
        ),
        migrations.AlterField(
            model_name="workflowstate",
            name="name",
            field=models.TextField(help_text="What people call it."),
        ),
        migrations.AlterField(
            model_name="workflowstate",
            name="needs_validation",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether items here wait for a manager's validation."
            ),
        ),
        migrations.AlterField(
            model_name="workflowstate",
            name="position",
            field=models.IntegerField(help_text="Its place in the order, from 0."),
        ),
        migrations.AlterField(
            model_name="workflowstate",
            name="slug",
            field=models.TextField(help_text="Names the state within its project, whatever it is called."),
        ),
        migrations.AlterField(
            model_name="workflowstate",
            name="waiting",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether it is a queue or buffer, for flow efficiency."
            ),
        ),
    ]
