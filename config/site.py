"""Puts the auditors' admin site in the place of Django's own."""

from django.contrib.admin.apps import SimpleAdminConfig


class AuditSiteConfig(SimpleAdminConfig):
    """`admin.site` is the site of tasks_app.admin: its own pages, and no models.

    Its pages are collected where the site gets its addresses, in config.urls: commands do without them.
    """

    default_site = "tasks_app.admin.site.AuditSite"
