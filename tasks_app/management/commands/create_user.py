"""manage.py create_user: a person who may enter a tenant."""

import json
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from tasks_app.management.refusing import RefusingCommand, owner_login
from tasks_app.models import User, email_of_login
from tasks_app.operations.members import create_user
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import entered


class Command(RefusingCommand):
    """Prints `{"user": email}`. Again with the same role it changes nothing."""

    help = "Makes a person a member of a tenant, and the login when there is none with that email."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the login")
        parser.add_argument("--tenant", required=True, metavar="SLUG", help="the tenant to enter")
        parser.add_argument("--role", required=True, help="owner, admin, manager, member, auditor or billing")
        parser.add_argument("--name", default="", help="the person's name; default: the email")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of standard input; without it, nobody can sign in",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = email_of_login(options["email"])
        password = _password_line() if options["password_stdin"] else None
        with owner_login():
            tenant = tenant_named(slug=options["tenant"])
            if password is not None and User.objects.filter(email=email).exists():
                self.stderr.write(f"{email} has a login already: its password stays as it is.")
            with entered(tenant_id=tenant.id, role=None):
                user = create_user(
                    email=email,
                    tenant_id=tenant.id,
                    role=options["role"].upper(),
                    password=password,
                    name=options["name"],
                )
        self.stdout.write(json.dumps({"user": user.email}))


def _password_line() -> str:
    try:
        password = sys.stdin.readline().rstrip("\r\n")
        password.encode()  # in some locales, bytes that are no text come through as surrogates
    except UnicodeError:
        raise Refused("--password-stdin: the password is not UTF-8 text.") from None
    try:
        validate_password(password)
    except ValidationError as error:
        raise Refused(f"--password-stdin: {error.messages[0]}") from None
    return password
