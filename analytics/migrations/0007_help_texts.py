"""Sentences of columns, for auditors and the API. Nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0006_drift_stages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="analyticsjob",
            name="actual_cost",
            field=models.BigIntegerField(
                help_text="What it took, in microseconds; null while it is not over.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="analyticsjob",
            name="estimated_cost",
            field=models.BigIntegerField(help_text="What it was expected to cost."),
        ),
        migrations.AlterField(
            model_name="analyticsjob",
            name="expires_at",
            field=models.DateTimeField(help_text="Until when its answer is kept, UTC."),
        ),
        migrations.AlterField(
            model_name="analyticsjob",
            name="finished_at",
            field=models.DateTimeField(help_text="When it ended, UTC.", null=True),
        ),
        migrations.AlterField(
            model_name="analyticsjob",
            name="progress",
            field=models.FloatField(db_default=0, default=0, help_text="The share of its figures that are counted."),
        ),
        migrations.AlterField(
            model_name="analyticsjob",
            name="started_at",
            field=models.DateTimeField(help_text="When a worker first took it, UTC.", null=True),
        ),
        migrations.AlterField(
            model_name="analyticsjob",
            name="state",
            field=models.TextField(
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
                help_text="How far it is.",
            ),
        ),
        migrations.AlterField(
            model_name="analyticsjob",
            name="submitted_at",
            field=models.DateTimeField(help_text="When it was asked for, UTC."),
        ),
        migrations.AlterField(
            model_name="driftcomparison",
            name="capability",
            field=models.TextField(help_text="What was compared."),
        ),
        migrations.AlterField(
            model_name="driftcomparison",
            name="compared_at",
            field=models.DateTimeField(help_text="When it was made, UTC."),
        ),
        migrations.AlterField(
            model_name="driftcomparison",
            name="legacy_as_of",
            field=models.DateTimeField(
                help_text="Up to when the older side counted, UTC; of several cut-offs the last. null: nobody knows.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="driftcomparison",
            name="verdict",
            field=models.TextField(help_text="What it says."),
        ),
    ]
