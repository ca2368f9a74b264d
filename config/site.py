"""Puts the auditors' admin site in the place of Django's own."""

from django.contrib.admin.apps import AdminConfig


class AuditSiteConfig(AdminConfig):
    """Every `admin.register` goes to the read-only site of tasks_app.admin."""

    default_site = "tasks_app.admin.site.AuditSite"
