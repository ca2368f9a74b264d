"""Tenants, made and found. The list of tenants is the owner's to write."""

import re

from django.db import IntegrityError, transaction

from tasks_app.models import Tenant
from tasks_app.refusals import Refused, not_found
from tasks_app.tenancy import TenantFacts
from tasks_app.timezones import known_timezone

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def create_tenant(*, slug: str, name: str, timezone: str, fiscal_year_start_month: int) -> Tenant:
    """A new, empty tenant. Run with the owner's login. Refuses a slug that is taken or that is no host name label."""
    if not SLUG.fullmatch(slug):
        raise Refused(
            f"The slug {slug!r} must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end."
        )
    if not 1 <= fiscal_year_start_month <= 12:
        raise Refused(f"The fiscal year starts in a month from 1 to 12, not {fiscal_year_start_month}.")
    try:
        with transaction.atomic():
            return Tenant.objects.create(
                slug=slug,
                name=name or slug,
                timezone=known_timezone(timezone),
                fiscal_year_start_month=fiscal_year_start_month,
            )
    except IntegrityError:
        raise Refused(f"There is already a tenant {slug!r}.") from None


def tenant_named(*, slug: str) -> TenantFacts:
    """The tenant of that slug; NOT_FOUND otherwise."""
    tenant = Tenant.objects.filter(slug=slug).first() if "\x00" not in slug else None
    if tenant is None:
        raise not_found(what="tenant", name=slug)
    return facts_of(tenant)


def facts_of(tenant: Tenant) -> TenantFacts:
    """What requests need of the row, read while it is in reach."""
    return TenantFacts(
        id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        timezone=tenant.timezone,
        fiscal_year_start_month=tenant.fiscal_year_start_month,
    )
