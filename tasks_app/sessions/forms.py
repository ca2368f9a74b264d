"""Forms of signing in and of new passwords, Django's own, throttled."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.core.exceptions import ValidationError

from tasks_app.models import User, email_of_login
from tasks_app.networks import client_address
from tasks_app.sessions.throttle import LOGIN, forgive, too_often, wait_seconds

THROTTLED = "throttled"


class SignIn(AuthenticationForm):
    """Email and password. Logins are kept in lower case, so an email is found however it is typed.

    An unknown email, a wrong password and a login that is switched off read the same and take as long: Django hashes the
    password of nobody, too. `wait` are the seconds to wait when there were too many attempts.
    """

    wait = 0

    def clean_username(self) -> str:
        """The email as logins have it."""
        return email_of_login(str(self.cleaned_data["username"]))

    def clean(self) -> dict[str, Any]:
        """Tries the password, unless it is tried too often; a right one is not counted."""
        now = datetime.now(UTC)  # noqa: TID251 - a form stands at the edge
        account = self.cleaned_data.get("username", "")
        address = client_address(self.request) if self.request is not None else None
        claims = LOGIN.claims(account=account, address=address)
        self.wait = wait_seconds(claims, now=now)
        if self.wait:
            raise ValidationError(too_often(self.wait), code=THROTTLED)
        cleaned: dict[str, Any] = super().clean()
        forgive(claims, now=now)
        return cleaned


class AskForReset(PasswordResetForm):
    """Whose password is to be set anew. Whether there is such a login is for nobody to know."""

    def clean_email(self) -> str:
        """The email as logins have it."""
        return email_of_login(str(self.cleaned_data["email"]))

    def people(self) -> Iterable[User]:
        """The logins that get a message: active, and with a password that can be used."""
        found: Iterable[User] = self.get_users(self.cleaned_data["email"])
        return list(found)
