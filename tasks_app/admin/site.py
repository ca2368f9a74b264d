"""Admin site of auditors: every page reads one tenant, in a read-only transaction of the role fl_auditor."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse, reverse_lazy
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from psycopg.errors import QueryCanceled

from tasks_app.access.callers import NotAdmitted
from tasks_app.admin import keys, records
from tasks_app.admin.pages import Page, View
from tasks_app.admin.sign_in import SignInForm
from tasks_app.admin.visits import NOBODY, Visit, choose, tenants_to_audit, visitor
from tasks_app.errors import ApiError
from tasks_app.models import User
from tasks_app.observing.watch import admitted
from tasks_app.refusals import Refused
from tasks_app.tenancy import Caller, DatabaseRole, entered

STATUS = {"NOT_FOUND": 404, "FORBIDDEN": 403}
TITLES = {403: "Not open to you", 404: "Not found", 503: "This took too long"}
TOO_LONG = "The database worked on this page for 30 seconds and gave up: ask for less, for example a shorter time."
INDEX = Page(route="", name="index", view=records.projects, label="Projects")
OWN_PAGES = (
    Page(route="members/", name="members", view=records.members, label="Members"),
    Page(route="keys/", name="api_keys", view=keys.api_keys, label="API keys"),
)


class AuditSite(AdminSite):
    """Pages that show and never change. Other apps add theirs with `add_pages`; nothing else gets an address."""

    site_title = "Flowledger"
    site_header = "Flowledger audit"
    site_url = None
    enable_nav_sidebar = False
    login_form = SignInForm

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._added: list[str] = []

    def add_pages(self, dotted_name: str) -> None:
        """Puts another app's pages on the site, in the menu between the projects and the members.

        The name is of a sequence of Page. It is imported when the first address is looked up, so that a command which
        serves no pages does not load them.
        """
        self._added.append(dotted_name)

    def register(self, *args: Any, **kwargs: Any) -> None:
        """Takes no model. Apps register theirs by habit; django_q has its schedules, and a schedule is code to run."""

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """Every page, in the order of the menu."""
        added: list[Sequence[Page]] = [import_string(name) for name in self._added]
        return (INDEX, *chain.from_iterable(added), *OWN_PAGES)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Signing in and out, choosing a tenant, and the pages."""
        return [
            path("login/", self.login, name="login"),
            path("logout/", LogoutView.as_view(next_page=reverse_lazy("admin:login")), name="logout"),
            path("tenant/", never_cache(require_http_methods(["GET", "HEAD", "POST"])(self.tenant)), name="tenant"),
            *(path(page.route, self._visited(page.view), name=page.name) for page in self.pages),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether somebody is signed in. What they may see is found out inside the tenant, on every request."""
        return isinstance(request.user, User) and request.user.is_active

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the frame around every page shows. Asks the database nothing."""
        return {
            "site_title": self.site_title,
            "site_header": self.site_header,
            "has_permission": self.has_permission(request),
            "is_popup": False,
            "is_nav_sidebar_enabled": False,
            "menu": [page for page in self.pages if page.label and not page.of_project],
            "project_pages": [page for page in self.pages if page.label and page.of_project],
        }

    def tenant(self, request: HttpRequest) -> HttpResponseBase:
        """Where a person of several tenants says which one to look at."""
        if not isinstance(request.user, User):
            return _to_login(request)
        callers = {caller.tenant.slug: caller for caller in tenants_to_audit(user=request.user)}
        if not callers:
            return self._refusal(request, NOBODY, status=403)
        if request.method != "POST":
            context = {**self.each_context(request), "title": "Choose a tenant", "callers": callers.values()}
            return TemplateResponse(request, "admin/tenant.html", context)
        caller = callers.get(request.POST.get("tenant", ""))
        if caller is None:
            return self._refusal(request, "You are an auditor of no such tenant: choose one of the list.", status=404)
        choose(request=request, caller=caller)
        return HttpResponseRedirect(reverse("admin:index"))

    def _visited(self, view: View) -> View:
        """The page, for people who may see it, inside their tenant's transaction."""

        @never_cache
        @require_safe
        def visited(request: HttpRequest, **names: str) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _to_login(request)
            try:
                caller = visitor(request=request, user=request.user)
            except NotAdmitted as refused:
                return self._refusal(request, refused.message, status=403)
            if caller is None:
                return HttpResponseRedirect(reverse("admin:tenant"))
            return self._answered(request, view=view, caller=caller, names=names)

        return visited

    def _answered(self, request: HttpRequest, *, view: View, caller: Caller, names: dict[str, str]) -> HttpResponseBase:
        admitted(caller)
        try:
            return self._inside(request, view=view, caller=caller, names=names)
        except (Refused, ApiError) as refused:
            return self._refusal(request, refused.message, status=STATUS.get(refused.code, 400))
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
            return self._refusal(request, TOO_LONG, status=503)

    def _inside(self, request: HttpRequest, *, view: View, caller: Caller, names: dict[str, str]) -> HttpResponseBase:
        several = isinstance(request.user, User) and request.user.tenants.count() > 1
        frame = {**self.each_context(request), "tenant": caller.tenant, "role": caller.role, "several": several}
        now = datetime.now(UTC)  # noqa: TID251 - this is the edge: every page is given this instant
        with entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, role=DatabaseRole.AUDITOR, read_only=True):
            response = view(Visit(request=request, caller=caller, now=now, frame=frame), **names)
            # A template asks the database, too: it is rendered before the transaction is over.
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        return response

    def _refusal(self, request: HttpRequest, sentence: str, *, status: int) -> HttpResponse:
        context = {**self.each_context(request), "title": TITLES.get(status, "This cannot be shown")}
        return TemplateResponse(request, "admin/refusal.html", {**context, "sentence": sentence}, status=status)


def _to_login(request: HttpRequest) -> HttpResponseRedirect:
    return redirect_to_login(request.get_full_path(), reverse("admin:login"))
