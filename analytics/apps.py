from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Everything derived from the record; nothing here is a source of truth."""

    name = "analytics"
    verbose_name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"
