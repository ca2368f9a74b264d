"""The rate limiter's buckets: unlogged, and the login's alone."""

from django.db import migrations, models

from tasks_app.policies import WEB_LOGIN, Execute, Grant


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0005_triggers")]

    operations = [
        migrations.CreateModel(
            name="RateBucket",
            fields=[
                ("bucket", models.BinaryField(max_length=16, primary_key=True, serialize=False)),
                ("full_at", models.BigIntegerField()),
                ("depth", models.BigIntegerField()),
            ],
            options={"db_table": "rate_bucket"},
        ),
        Execute("ALTER TABLE rate_bucket SET UNLOGGED"),
        # Rows are overwritten all the time and are in no other index: with room in its page a row's new version stays there.
        Execute(
            "ALTER TABLE rate_bucket SET (fillfactor = 50, autovacuum_vacuum_threshold = 1000,"
            " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0)"
        ),
        Grant("SELECT, INSERT, UPDATE, DELETE", on=("rate_bucket",), to=(WEB_LOGIN,)),
    ]
