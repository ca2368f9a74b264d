"""The commands that make tenants, people and keys, run as a person runs them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError

from tasks_app.access.callers import caller_of_key
from tasks_app.management.commands.create_tenant import Command as CreateTenant
from tasks_app.models import Actor, ApiKey, Membership, Tenant, User
from tasks_app.refusals import Refused

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Ran:
    out: str
    err: str
    code: int


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def in_a_process(*arguments: str, given: bytes = b"") -> Ran:
    """As the shell does it. Only for what needs no database: the tests' own is not the process's."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "DJANGO_SECRET_KEY": "x" * 50},
        input=given,
        capture_output=True,
        check=False,
    )
    return Ran(out=done.stdout.decode(), err=done.stderr.decode(), code=done.returncode)


def refusal(name: str, *arguments: str) -> str:
    with pytest.raises(Refused) as caught:
        run(name, *arguments)
    return caught.value.message


def say(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(line))


@pytest.mark.django_db
def test_create_tenant() -> None:
    out = run("create_tenant", "acme", "--name", "Acme", "--timezone", "Asia/Kolkata", "--fiscal-year-start", "4")
    assert out == '{"tenant": "acme"}\n'
    tenant = Tenant.objects.get()
    assert (tenant.slug, tenant.name, tenant.timezone, tenant.fiscal_year_start_month) == (
        "acme",
        "Acme",
        "Asia/Kolkata",
        4,
    )


@pytest.mark.django_db
def test_a_tenant_of_defaults() -> None:
    run("create_tenant", "acme")
    tenant = Tenant.objects.get()
    assert (tenant.name, tenant.timezone, tenant.fiscal_year_start_month) == ("acme", "UTC", 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["taken"], "There is already a tenant 'taken'."),
        (
            ["Not A Slug"],
            "The slug 'Not A Slug' must be 1 to 63 lower-case letters, digits and hyphens,"
            " with no hyphen at either end.",
        ),
        (
            ["new", "--timezone", "Mars"],
            "There is no time zone 'Mars'; use an IANA name such as Europe/Stockholm.",
        ),
        (["new", "--fiscal-year-start", "13"], "The fiscal year starts in a month from 1 to 12, not 13."),
        (["new", "--name", "\udcff"], "name: this is not UTF-8 text; check the terminal's encoding."),
    ],
)
def test_create_tenant_refuses(arguments: list[str], sentence: str) -> None:
    run("create_tenant", "taken")
    assert refusal("create_tenant", *arguments) == sentence
    assert [tenant.slug for tenant in Tenant.objects.all()] == ["taken"]


@pytest.mark.django_db
def test_create_user_with_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    run("create_tenant", "acme")
    say(monkeypatch, "correct horse battery\nnot this line\n")
    out = run(
        "create_user", "Ada@Example.org", "--tenant", "acme", "--role", "Auditor", "--name", "Ada", "--password-stdin"
    )
    assert json.loads(out) == {"user": "ada@example.org"}
    assert authenticate(username="ada@example.org", password="correct horse battery") is not None
    membership = Membership.objects.get()
    assert (membership.tenant.slug, membership.role) == ("acme", "AUDITOR")
    assert [tenant.slug for tenant in User.objects.get().tenants.all()] == ["acme"]
    assert Actor.objects.get(kind="USER").name == "Ada"


@pytest.mark.django_db
def test_without_a_password_nobody_can_sign_in() -> None:
    run("create_tenant", "acme")
    run("create_user", "ada@example.org", "--tenant", "acme", "--role", "owner")
    assert not User.objects.get().has_usable_password()
    assert authenticate(username="ada@example.org", password="") is None


@pytest.mark.django_db
def test_create_user_again_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run("create_tenant", "acme")
    run("create_tenant", "globex")
    for tenant, password in (("acme", "correct horse"), ("acme", "another horse"), ("globex", "a third horse")):
        say(monkeypatch, f"{password}\n")
        run("create_user", "ada@example.org", "--tenant", tenant, "--role", "member", "--password-stdin")
    assert authenticate(username="ada@example.org", password="correct horse") is not None
    assert Membership.objects.count() == 2
    assert refusal("create_user", "ada@example.org", "--tenant", "acme", "--role", "owner") == (
        "ada@example.org is a member already, with the role MEMBER."
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ada@example.org", "--tenant", "none", "--role", "owner"], "There is no tenant 'none'."),
        (
            ["ada@example.org", "--tenant", "acme", "--role", "king"],
            "There is no role 'KING'; the roles are OWNER, ADMIN, MANAGER, MEMBER, AUDITOR, BILLING.",
        ),
        (["ada", "--tenant", "acme", "--role", "owner"], "'ada' is not an email address."),
        (
            ["ada@example.org", "--tenant", "acme", "--role", "owner", "--password-stdin"],
            "--password-stdin: This password is too short. It must contain at least 8 characters.",
        ),
    ],
)
def test_create_user_refuses(monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str) -> None:
    run("create_tenant", "acme")
    say(monkeypatch, "short\n")
    assert refusal("create_user", *arguments) == sentence
    assert not User.objects.exists()


@pytest.mark.django_db
def test_create_api_key_prints_the_secret_alone() -> None:
    """P77: shown once, hashed at rest, with scopes and expiry."""
    run("create_tenant", "acme")
    out = run(
        "create_api_key", "--tenant", "acme", "--name", "BI", "--scope", "tasks_read", "--scope", "analytics_read",
        "--expires", "2100-01-31T00:00:00+01:00",
    )  # fmt: skip
    secret = out.rstrip("\n")
    assert out == f"{secret}\n"
    key = ApiKey.objects.get()
    assert secret.encode() not in bytes(key.sha256)
    assert key.expires_at == datetime(2100, 1, 30, 23, tzinfo=UTC)
    caller = caller_of_key(secret=secret, now=NOW)
    assert (caller.name, caller.tenant.slug, caller.role) == ("BI", "acme", None)
    assert caller.scopes == {"TASKS_READ", "ANALYTICS_READ"}


@pytest.mark.django_db
def test_an_owners_key_is_bounded_by_the_role() -> None:
    run("create_tenant", "acme")
    run("create_user", "ada@example.org", "--tenant", "acme", "--role", "billing")
    arguments = ["--tenant", "acme", "--name", "BI", "--owner", "Ada@example.org"]
    secret = run("create_api_key", *arguments, "--scope", "tasks_write", "--scope", "time_read").strip()
    caller = caller_of_key(secret=secret, now=NOW)
    assert (caller.role, caller.scopes) == ("BILLING", frozenset({"TIME_READ"}))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--tenant", "none"], "There is no tenant 'none'."),
        (["--owner", "ada@example.org"], "There is no member 'ada@example.org'."),
        (["--owner", "stranger@example.org"], "There is no member 'stranger@example.org'."),
        (["--name", " "], "A key needs a name, so that people know what it is for."),
        (["--expires", "2026-01-01T00:00:00Z"], "The key would have expired already: give an instant in the future."),
        (["--expires", "2100-01-01"], "--expires: '2100-01-01' has no offset; add one, such as Z or +01:00."),
        (["--expires", "soon"], "--expires: 'soon' is not an instant; write it as 2027-01-31T00:00:00Z."),
        (
            ["--expires", "9999-12-31T23:59:59-12:00"],
            "--expires: '9999-12-31T23:59:59-12:00' is out of range; check its year.",
        ),
        (
            ["--scope", "everything"],
            "--scope: there is no scope 'everything'; the scopes are tasks_read, tasks_write, analytics_read,"
            " time_read, time_write, billing_read, findings_read, findings_write, samples_read,"
            " samples_write, audit_read, admin.",
        ),
    ],
)
def test_create_api_key_refuses(change: list[str], sentence: str) -> None:
    run("create_tenant", "acme")
    User.objects.create_user(email="stranger@example.org")
    plain = ["--tenant", "acme", "--name", "BI", "--scope", "tasks_read"]
    assert refusal("create_api_key", *plain, *change) == sentence
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "arguments", [["create_tenant"], ["create_user", "a@b.org"], ["create_api_key", "--tenant", "a"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    ran = in_a_process(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "the following arguments are required" in ran.err


def test_a_refusal_is_one_sentence_on_stderr_and_exits_with_1() -> None:
    ran = in_a_process(
        "create_user", "a@b.org", "--tenant", "a", "--role", "owner", "--password-stdin", given=b"correct horse \xff\n"
    )
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "--password-stdin: the password is not UTF-8 text.\n"


def test_wrong_usage_from_python_is_an_exception() -> None:
    with pytest.raises(CommandError, match="arguments are required"):
        call_command(CreateTenant())


def test_the_schema_is_exported_without_a_database() -> None:
    assert in_a_process("export_schema", "--check") == Ran(out="", err="", code=0)


def test_an_export_that_is_out_of_date_is_refused(settings: Any, tmp_path: Any) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "config").mkdir()
    assert refusal("export_schema", "--check") == (
        "config/schema.graphql is not the schema that is served: run manage.py export_schema."
    )
    run("export_schema")
    assert run("export_schema", "--check") == ""


def test_a_setting_that_is_missing_is_one_sentence() -> None:
    """With DATABASE_URL a secret key is needed; no traceback says so."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SECRET_KEY"}
    ran = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=settings.BASE_DIR,
        env={**environment, "DATABASE_URL": "postgresql://somebody:secret@127.0.0.1:1/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = "DJANGO_SECRET_KEY is not set: with DATABASE_URL a secret key of your own is needed.\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", sentence)
