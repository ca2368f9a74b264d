"""The system checks: each says what is wrong and what to do, and none stands in the way of an empty database."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from tasks_app.checks import Login, check_logins, login_messages, pool_errors, read_login
from tests.tasks_app.recording import sql

PROJECT = Path(__file__).resolve().parents[2]
PLAIN = {"ENGINE": "config.database", "OPTIONS": {}}
POOLED = {"ENGINE": "config.database", "OPTIONS": {"pool": {"max_size": 4}}}


@contextmanager
def as_login(*options: str) -> Iterator[None]:
    """The connection is a new login with these options, until all is rolled back."""
    with transaction.atomic():
        sql(f"CREATE ROLE fl_of_a_test LOGIN {options[0]}")
        for statement in options[1:]:
            sql(statement)
        sql("SET SESSION AUTHORIZATION fl_of_a_test")
        yield
        sql("RESET SESSION AUTHORIZATION")
        transaction.set_rollback(True)


def codes() -> list[str | None]:
    """The findings on this connection, but that the tests' own superuser opened it."""
    login = read_login(connection)
    assert login is not None
    return [message.id for message in login_messages(login) if message.id != "flowledger.W001"]


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["SUPERUSER", "BYPASSRLS"])
def test_a_login_that_bypasses_row_level_security_is_refused(option: str) -> None:
    """It would show every tenant to everybody."""
    with as_login(option):
        assert codes() == ["flowledger.E001"]


@pytest.mark.django_db
def test_a_login_that_inherits_is_refused() -> None:
    """The policies of a role that it inherits apply to it without SET ROLE."""
    with as_login("INHERIT", "GRANT fl_tenant TO fl_of_a_test", "GRANT fl_auditor TO fl_of_a_test"):
        login = read_login(connection)
        assert login is not None
        assert login.inherits == ("fl_auditor", "fl_tenant")
        assert codes() == ["flowledger.E003"]
        assert "inherits the rights of fl_auditor, fl_tenant" in login_messages(login)[0].msg


@pytest.mark.django_db
def test_an_owner_for_the_web_is_refused() -> None:
    """Forced policies bind an owner, who can take the force away."""
    give = ("GRANT ALL ON SCHEMA public TO fl_of_a_test", "ALTER TABLE task_ledger OWNER TO fl_of_a_test")
    with as_login("INHERIT", *give):
        assert codes() == ["flowledger.E004"]


@pytest.mark.django_db
@pytest.mark.usefixtures("as_web_login")
def test_the_webs_own_login_passes() -> None:
    """What migrate makes is what the checks ask for."""
    assert codes() == []


def test_a_login_that_steps_down_is_warned_of() -> None:
    """Not refused: on a development machine it is convenient."""
    login = Login(name="fl_app", superuser=False, bypasses=False, inherits=(), owner=False, began_as_superuser=True)
    (message,) = login_messages(login)
    assert (message.id, message.level) == ("flowledger.W001", 30)
    assert message.hint == "In production set DATABASE_WEB_URL to a login of the web's own."


@pytest.mark.django_db
def test_the_owner_of_the_tests_is_not_the_web() -> None:
    """The check looks at the web's connections alone, and only where databases are checked."""
    assert check_logins(databases=["default"]) == []
    assert check_logins(databases=None) == []


@pytest.mark.parametrize(
    ("databases", "command", "found"),
    [
        ({"default": POOLED}, "qcluster", ["flowledger.E002"]),
        ({"default": POOLED}, "demo", ["flowledger.E002"]),
        ({"default": POOLED, "replica": POOLED}, "qcluster", ["flowledger.E002", "flowledger.E002"]),
        ({"default": POOLED}, "runserver", []),
        ({"default": POOLED}, "", []),
        ({"default": PLAIN}, "qcluster", []),
    ],
)
def test_a_pool_is_refused_where_workers_fork(
    databases: dict[str, dict[str, object]], command: str, found: list[str]
) -> None:
    """Two processes on one connection read one another's answers."""
    assert [message.id for message in pool_errors(databases=databases, command=command)] == found


def test_every_message_has_a_hint() -> None:
    """A refusal says what to do."""
    worst = Login(name="x", superuser=True, bypasses=True, inherits=("fl_tenant",), owner=True, began_as_superuser=True)
    better = Login(name="x", superuser=False, bypasses=True, inherits=("a",), owner=True, began_as_superuser=True)
    messages = [*login_messages(worst), *login_messages(better), *pool_errors(databases={"d": POOLED}, command="demo")]
    assert {message.id for message in messages} == {
        f"flowledger.{code}" for code in ("E001", "E002", "E003", "E004", "W001")
    }
    assert all(message.hint and message.hint.endswith(".") for message in messages)


@pytest.mark.own_server
def test_an_empty_database_does_not_fail_a_check() -> None:
    """Before the first migrate the web's login does not exist: there is nothing to judge yet."""
    with tempfile.TemporaryDirectory(prefix="fl-check-", dir="/tmp", ignore_cleanup_errors=True) as home:
        outcome = subprocess.run(
            [sys.executable, "manage.py", "check", "--database", "default"],
            cwd=PROJECT,
            env={**{k: v for k, v in os.environ.items() if k != "DATABASE_URL"}, "FLOWLEDGER_HOME": home},
            capture_output=True,
            text=True,
        )
    assert (outcome.returncode, outcome.stdout) == (0, "System check identified no issues (0 silenced).\n")
