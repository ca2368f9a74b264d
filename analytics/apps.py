from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AnalyticsConfig(AppConfig):
    """Everything derived from the record; nothing here is a source of truth."""

    name = "analytics"
    verbose_name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from analytics.jobs import keep_schedules

        post_migrate.connect(keep_schedules, sender=self)
