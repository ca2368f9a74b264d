"""manage.py create_api_key: a key for an integration."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from tasks_app.management.refusing import RefusingCommand, owner_login
from tasks_app.models import Scope, User, email_of_login
from tasks_app.operations.keys import create_api_key
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused, not_found
from tasks_app.tenancy import entered


class Command(RefusingCommand):
    """Prints the key's secret, alone on one line: it is not kept, and nobody can read it again."""

    help = "Makes an API key and prints its secret, which is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG", help="the tenant that the key enters")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument("--owner", metavar="EMAIL", help="a member whose role bounds the key; default: nobody")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            help=f"what the key may do, once for each: {', '.join(scope.lower() for scope in Scope.values)}",
        )
        parser.add_argument("--expires", metavar="ISO", help="an instant with an offset, as 2027-01-31T00:00:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)  # noqa: TID251 - a command is an edge
        expires_at = _instant(options["expires"]) if options["expires"] is not None else None
        with owner_login():
            tenant = tenant_named(slug=options["tenant"])
            owner = _login(options["owner"]) if options["owner"] is not None else None
            with entered(tenant_id=tenant.id, role=None):
                _, secret = create_api_key(
                    tenant_id=tenant.id,
                    name=options["name"],
                    scopes=[_scope(scope) for scope in options["scope"]],
                    owner=owner,
                    expires_at=expires_at,
                    now=now,
                )
        self.stdout.write(secret)


def _login(email: str) -> User:
    """The login of that email. One that is not there reads like one that is no member."""
    user = User.objects.filter(email=email_of_login(email)).first()
    if user is None:
        raise not_found(what="member", name=email)
    return user


def _scope(name: str) -> str:
    if name.upper() not in Scope.values:
        known = ", ".join(scope.lower() for scope in Scope.values)
        raise Refused(f"--scope: there is no scope {name!r}; the scopes are {known}.")
    return name.upper()


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"--expires: {text!r} is not an instant; write it as 2027-01-31T00:00:00Z.") from None
    if instant.tzinfo is None:
        raise Refused(f"--expires: {text!r} has no offset; add one, such as Z or +01:00.")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise Refused(f"--expires: {text!r} is out of range; check its year.") from None
