"""Legacy views, GET /api/v1/analytics/cfd and /summary, for whoever has a key. Each answer says that they are deprecated.

Who answers is decided elsewhere: a Switch is given the old side as a function, and says whose answer it is.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, ClassVar, Final, Protocol

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from graphql import OperationType

from analytics.legacy.answers import cfd, stored_days, summary
from analytics.legacy.midnight import Organisation
from tasks_app.errors import ApiError, Code
from tasks_app.graphql.asking import Asking
from tasks_app.graphql.fields import require
from tasks_app.http.costs import Bill
from tasks_app.http.reading import HTTPError, has_api_key
from tasks_app.http.view import Admit, Answer, GraphQLHTTPView, OpenRequest
from tasks_app.models import Scope
from tasks_app.tenancy import TenantFacts

logger = logging.getLogger(__name__)

DEPRECATED_SINCE: Final = datetime(2026, 11, 1, tzinfo=UTC)
SUNSET: Final = datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)
SUCCESSOR: Final = "/api/v2/analytics/cumulative-flow"
DEFAULT_DAYS, MOST_DAYS = 30, 3_660
PRICE: Final = Bill(fixed=1_000, objects=0)
STATUSES: Final[Mapping[str, int]] = {
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.RATE_LIMITED: 429,
    Code.INTERNAL: 500,
}
NOTHING_STORED: Final = "No day is stored yet: the job counts the board at midnight."

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """An answer in the old shape, and who gave it. `owed` is called once the answer has been sent."""

    body: Body
    answered_by: str = "LEGACY"
    stage: str = "OFF"
    flag_version: int = 0
    owed: Callable[[], object] = lambda: None

    @property
    def headers(self) -> dict[str, str]:
        """Who answered, as each answer of these endpoints says it."""
        return {
            "X-Answered-By": self.answered_by,
            "X-Stage": self.stage,
            "X-Flag-Version": str(self.flag_version),
        }


class Switch(Protocol):
    """Decides who answers the diagram."""

    def __call__(self, *, tenant: TenantFacts, days: int, now: datetime, old: Callable[[], Body]) -> Switched:
        """Called in the request's read-only transaction of the tenant. `old` is the old side, if it is to answer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OldView:
    """A view for GET. `path("api/v1/analytics/cfd", OldView(read=cfd_of, ...))`: `read` answers one request.

    Whoever may ask GraphQL by a key may ask here, under the same limits.
    """

    read: Callable[[HttpRequest, Asking, Switch], Switched]
    open_request: OpenRequest
    admit: Admit
    graphql: GraphQLHTTPView
    switch: Switch
    csrf_exempt: ClassVar[bool] = True

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The old answer, or an error with its status."""
        try:
            self.admit(request)
            _check(request)
            found, headers = self._found(request)
        except Exception as error:
            return _refusal(self.graphql.refused(error))
        return _response(found.body, headers={**headers, **found.headers}, owed=found.owed)

    def _found(self, request: HttpRequest) -> tuple[Switched, Mapping[str, str]]:
        with self.open_request(request, OperationType.QUERY, lambda: PRICE) as asking:
            assert isinstance(asking, Asking)  # noqa: S101 - the product's own, for the type checker
            require(asking.caller, Scope.ANALYTICS_READ, what="The first version of the endpoints")
            return self.read(request, asking, self.switch), asking.headers


class OldResponse(HttpResponse):
    """A web server closes a response once its last byte is sent: whoever asked does not wait for what is owed."""

    def __init__(self, *args: Any, owed: Callable[[], object] = lambda: None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owed = owed

    def close(self) -> None:
        """Does what is owed, once."""
        owed, self.owed = self.owed, lambda: None
        try:
            owed()
        except Exception:
            logger.exception("What is owed for an answer of the old endpoints could not be done.")
        super().close()


def cfd_of(request: HttpRequest, asking: Asking, switch: Switch) -> Switched:
    """The diagram of the last `days` local dates: one element for each that is stored."""
    days = _days(request)
    organisation = _organisation(asking.tenant)

    def old() -> Body:
        stored = stored_days(organisation=organisation, days=days, now=asking.now)
        return cfd(organisation=organisation, days=stored)

    return switch(tenant=asking.tenant, days=days, now=asking.now, old=old)


def summary_of(request: HttpRequest, asking: Asking, switch: Switch) -> Switched:
    """The newest stored day. It is the old side's whatever is switched."""
    found = summary(organisation=_organisation(asking.tenant))
    if found is None:
        raise ApiError(NOTHING_STORED, code=Code.NOT_FOUND)
    return Switched(body=found)


def _organisation(tenant: TenantFacts) -> Organisation:
    return Organisation(id=tenant.id, slug=tenant.slug, timezone=tenant.timezone)


def _check(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise HTTPError("These endpoints are served by GET.", status=405, headers={"Allow": "GET, HEAD"})
    if not has_api_key(request):
        raise ApiError("Send an API key as Authorization: Bearer <key>.", code=Code.UNAUTHENTICATED)


def _days(request: HttpRequest) -> int:
    text = request.GET.get("days", str(DEFAULT_DAYS))
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= MOST_DAYS):
        raise HTTPError(f"days: give a whole number from 1 to {MOST_DAYS}.", status=400)
    return int(text)


def _refusal(answer: Answer) -> HttpResponse:
    first = json.loads(answer.content)["errors"][0]
    code = first["extensions"]["code"]
    status = STATUSES.get(code, 400 if answer.status == 200 else answer.status)
    body = {"version": 1, "error": {"code": code, "message": first["message"]}}
    return _response(body, headers=answer.headers, status=status)


def _response(
    body: Body, *, headers: Mapping[str, str], status: int = 200, owed: Callable[[], object] = lambda: None
) -> HttpResponse:
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    response = OldResponse(text, status=status, content_type="application/json; charset=utf-8", owed=owed)
    deprecation = {
        "Cache-Control": "no-store",
        "Deprecation": f"@{int(DEPRECATED_SINCE.timestamp())}",
        "Sunset": format_datetime(SUNSET, usegmt=True),
        "Link": f'<{SUCCESSOR}>; rel="successor-version"',
    }
    for name, value in {**headers, **deprecation}.items():
        response[name] = value
    patch_vary_headers(response, ["Authorization"])
    return response
