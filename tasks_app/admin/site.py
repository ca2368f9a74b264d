"""The auditors' admin site."""

from django.contrib.admin import AdminSite


class AuditSite(AdminSite):
    """Read-only."""
