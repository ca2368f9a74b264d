"""Puts the auditors' admin site in the place of Django's own."""

from django.contrib.admin.apps import AdminConfig


class AuditSiteConfig(AdminConfig):
    """`admin.site` is the site of tasks_app.admin: its own pages, and no models."""

    default_site = "tasks_app.admin.site.AuditSite"
