"""Visits of the audit site: who looks, and at which tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from tasks_app.access.callers import NotAdmitted, caller_of_user
from tasks_app.models import Scope, User
from tasks_app.tenancy import Caller, TenantFacts

CHOSEN = "audited_tenant"
NOBODY = (
    "The ledger is open to a tenant's owners, administrators and auditors, and you are none of these: "
    "ask an owner of your tenant for the role AUDITOR."
)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request for a page, inside the read-only transaction of its tenant. `now` is one instant for all of it."""

    request: HttpRequest
    caller: Caller
    now: datetime
    frame: Mapping[str, Any]

    @property
    def tenant(self) -> TenantFacts:
        """The tenant looked at: the only one whose rows there are."""
        return self.caller.tenant

    def asked(self, name: str) -> str:
        """A field of the page's form, without the blanks around it; empty when it was not sent."""
        return self.request.GET.get(name, "").strip()

    def page(self, template: str, *, status: int = 200, **context: Any) -> TemplateResponse:
        """The page, in the frame that all pages of the site have."""
        return TemplateResponse(self.request, template, {**self.frame, **context}, status=status)


def tenants_to_audit(*, user: User) -> list[Caller]:
    """What the person is in each tenant whose ledger they may read, by slug."""
    slugs = user.tenants.order_by("slug").values_list("slug", flat=True)
    return [caller for slug in list(slugs) if (caller := _auditing(user=user, slug=slug))]


def visitor(*, request: HttpRequest, user: User) -> Caller | None:
    """What the person is in the tenant that the session has chosen, or in the only one they may audit.

    None when they must choose first; NotAdmitted when there is no tenant that they may audit. The role is read anew
    each time, so that who loses it is out at once. Not to be called inside a transaction of a tenant.
    """
    slug = request.session.get(CHOSEN)
    if slug and (caller := _auditing(user=user, slug=slug)):
        return caller
    callers = tenants_to_audit(user=user)
    if not callers:
        raise NotAdmitted(NOBODY, code="FORBIDDEN")
    if len(callers) > 1:
        return None
    choose(request=request, caller=callers[0])
    return callers[0]


def choose(*, request: HttpRequest, caller: Caller) -> None:
    """From now on the session looks at that tenant."""
    request.session[CHOSEN] = caller.tenant.slug


def _auditing(*, user: User, slug: str) -> Caller | None:
    try:
        caller = caller_of_user(user=user, tenant_slug=slug)
    except NotAdmitted:
        return None
    return caller if Scope.AUDIT_READ in caller.scopes else None
