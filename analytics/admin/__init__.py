"""Admin pages of derived data: jobs, service levels, limits, the dual run. Django loads this with the site."""

from typing import cast

from django.contrib import admin

from tasks_app.admin.site import AuditSite

cast(AuditSite, admin.site).add_pages("analytics.admin.pages.PAGES")
