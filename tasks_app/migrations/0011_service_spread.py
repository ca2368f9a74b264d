"""How the times of the answers that were counted are spread."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tasks_app", "0010_plans_and_kept_responses")]

    operations = [
        migrations.AddField(
            model_name=model,
            name="spread",
            field=ArrayField(base_field=models.BigIntegerField(), default=list, size=None),
        )
        for model in ("serviceday", "serviceminute", "servicetotal")
    ]
