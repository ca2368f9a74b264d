"""Session endpoints, /api/v2/session: who is signed in, signing in and out, and new passwords. JSON in, JSON out."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import login, logout
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.utils.http import urlsafe_base64_decode
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tasks_app.access.callers import NotAdmitted, caller_of_user
from tasks_app.errors import Code
from tasks_app.http.reading import HTTPError
from tasks_app.models import User
from tasks_app.networks import client_address
from tasks_app.sessions.forms import AskForReset, SignIn
from tasks_app.sessions.mail import send_resets
from tasks_app.sessions.reading import answered, check_csrf, refused, texts
from tasks_app.sessions.throttle import CONFIRM, RESET, Door, too_often, wait_seconds

WRONG = "The email or the password is wrong."
TOO_OLD = "This token is wrong, was used, or is too old: ask for a new one."
ON_ITS_WAY = "If there is a login with this email, a message to it is on its way."
SAFE = ("GET", "HEAD", "OPTIONS")


# Not by the middleware, which answers a page: `check_csrf` is the same check.
@method_decorator(csrf_exempt, name="dispatch")
class JsonView(View):
    """A view that refuses in JSON, and changes nothing without a CSRF token."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The method's answer, or its error."""
        try:
            if request.method not in SAFE:
                check_csrf(request)
            return super().dispatch(request, *args, **kwargs)
        except Exception as error:
            return refused(error)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """405, with the methods that there are."""
        allowed = ", ".join(method.upper() for method in self.http_method_names if hasattr(self, method))
        raise HTTPError(f"This is served by {allowed}.", status=405, headers={"Allow": allowed})


class SessionView(JsonView):
    """Who is signed in; POST signs in, DELETE out."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The login and its tenants, null and none for a stranger, with the token that every change needs."""
        return answered(_told(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Signs in. 401 for whatever is wrong with email or password, 429 when it was tried too often."""
        email, password = texts(request, "email", "password")
        form = SignIn(request, data={"username": email, "password": password})
        if not form.is_valid():
            if form.wait:
                raise _too_often(form.wait)
            challenge = {"WWW-Authenticate": 'Session realm="flowledger"'}
            raise HTTPError(WRONG, status=401, code=Code.UNAUTHENTICATED, headers=challenge)
        login(request, form.get_user())
        return answered(_told(request))

    def delete(self, request: HttpRequest) -> HttpResponse:
        """Signs out, whoever was signed in."""
        logout(request)
        return answered(_told(request))


class PasswordResetView(JsonView):
    """Sends a message with which a password is set anew."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """The same answer whether there is such a login or not."""
        (email,) = texts(request, "email")
        _check_not_too_often(request, RESET, account=email)
        form = AskForReset(data={"email": email})
        if not form.is_valid():
            raise HTTPError("email: this is not an email address.", status=400)
        send_resets(form.people())
        return answered({"message": ON_ITS_WAY}, status=202)


class ConfirmView(JsonView):
    """Sets the new password."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """With the token of the message, once. Every session of the login ends; nobody is signed in by it."""
        name, token, password = texts(request, "user", "token", "password")
        _check_not_too_often(request, CONFIRM, account=name)
        user = _user_named(name)
        if user is None or not default_token_generator.check_token(user, token):
            raise HTTPError(TOO_OLD, status=400)
        form = SetPasswordForm(user, data={"new_password1": password, "new_password2": password})
        if not form.is_valid():
            reasons = " ".join(str(reason) for errors in form.errors.values() for reason in errors)
            raise HTTPError(f"password: {reasons}", status=400)
        form.save(commit=False)
        user.save(update_fields=["password"])
        return answered(_told(request))


def _told(request: HttpRequest) -> dict[str, Any]:
    user = request.user if isinstance(request.user, User) else None
    return {
        "user": {"email": user.email, "name": user.name} if user else None,
        "tenants": _tenants(user) if user else [],
        "csrfToken": get_token(request),
    }


def _tenants(user: User) -> list[dict[str, Any]]:
    """Where the login may work: what X-Tenant takes, with the role there. A tenant where it has none is left out."""
    found = []
    for slug in user.tenants.order_by("slug").values_list("slug", flat=True):
        try:
            caller = caller_of_user(user=user, tenant_slug=slug)
        except NotAdmitted:
            continue
        tenant = caller.tenant
        found.append({"slug": slug, "name": tenant.name, "role": caller.role, "scopes": sorted(caller.scopes)})
    return found


def _user_named(name: str) -> User | None:
    """The active login that a message has named; None for any other text."""
    try:
        pk = int(urlsafe_base64_decode(name))
    except (ValueError, OverflowError):
        return None
    return User.objects.filter(pk=pk, is_active=True).first() if 0 < pk < 2**31 else None


def _check_not_too_often(request: HttpRequest, door: Door, *, account: str) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - a view is an edge
    wait = wait_seconds(door.claims(account=account, address=client_address(request)), now=now)
    if wait:
        raise _too_often(wait)


def _too_often(wait: int) -> HTTPError:
    return HTTPError(
        too_often(wait),
        status=429,
        code=Code.RATE_LIMITED,
        headers={"Retry-After": str(wait)},
        extensions={"retryAfter": wait},
    )
