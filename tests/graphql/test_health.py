"""Whether a process lives, and whether it can answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client, override_settings

from tests.cast import Cast, cast
from tests.graphql.proofs import folded
from tests.tasks_app.recording import clock, sql, web_login

pytestmark = pytest.mark.django_db(transaction=True)

CHECKS = ("DatabaseAnswers", "MigrationsAreApplied", "RolesAreInPlace", "WorkerIsHeard")


@pytest.fixture
def people(db: Any) -> Cast:
    """With a heartbeat of now: a flushed database has none."""
    made = cast()
    sql("INSERT INTO heartbeat (id, at, next_xid) VALUES (1, now(), 0) ON CONFLICT (id) DO UPDATE SET at = now()")
    return made


def ready() -> tuple[int, Any]:
    """Asked as the web's login."""
    with web_login():
        response = Client().get("/health/ready")
    assert "no-store" in response.headers["Cache-Control"]
    return response.status_code, response.json()


@contextmanager
def no_database() -> Iterator[None]:
    """Every statement fails as it does where there is no server."""

    def refuse(*_: Any) -> None:
        raise DatabaseError("connection to server at 10.0.0.7 failed: secret words")

    with connection.execute_wrapper(refuse):
        yield


def test_all_is_well(people: Cast) -> None:
    assert ready() == (200, {"ready": True, "checks": dict.fromkeys(CHECKS, "OK")})


def test_a_process_lives_without_a_database() -> None:
    """Otherwise a slow database would get every process killed."""
    with no_database():
        response = Client().get("/health/live")
    assert (response.status_code, response.content) == (200, b"ok")


def test_without_a_database_nothing_is_ready(people: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """One sentence, and nothing of what the driver said."""
    with no_database():
        response = Client().get("/health/ready")
    sentence = "Unavailable: The database cannot be reached, has no schema yet, or did not answer within 5 seconds."
    assert response.json() == {"ready": False, "checks": {"DatabaseAnswers": sentence}}
    assert response.status_code == 503
    assert "secret words" not in caplog.text


def test_a_migration_that_is_missing_is_not_ready(people: Cast) -> None:
    sql("UPDATE django_migrations SET name = 'x' || name WHERE app = 'analytics' AND name LIKE '0002%%'")
    try:
        status, told = ready()
    finally:
        sql("UPDATE django_migrations SET name = substr(name, 2) WHERE app = 'analytics' AND name LIKE 'x0002%%'")
    assert (status, told["ready"]) == (503, False)
    assert told["checks"]["MigrationsAreApplied"] == (
        "Unavailable: Migrations that are not applied: 1. Run manage.py migrate."
    )


def test_a_table_that_is_open_is_not_ready(people: Cast) -> None:
    sql("ALTER TABLE task NO FORCE ROW LEVEL SECURITY")
    try:
        status, told = ready()
    finally:
        sql("ALTER TABLE task FORCE ROW LEVEL SECURITY")
    assert status == 503
    assert told["checks"]["RolesAreInPlace"] == "Unavailable: Tables that are not behind row level security: 1."


def test_a_worker_that_is_silent_is_a_warning(people: Cast) -> None:
    """Answers are right without one."""
    sql("UPDATE heartbeat SET at = now() - interval '301 seconds'")
    status, told = ready()
    assert (status, told["ready"]) == (200, True)
    assert told["checks"]["WorkerIsHeard"] == "Warning: The worker was last heard 5 minutes ago."
    folded(people, now=clock() + timedelta(seconds=1))
    assert ready()[1]["checks"]["WorkerIsHeard"] == "OK"
    sql("DELETE FROM heartbeat")
    assert ready() == (200, {"ready": True, "checks": {**dict.fromkeys(CHECKS, "OK"), "WorkerIsHeard": NEVER}})


NEVER = "Warning: A worker was never heard."


@override_settings(ALLOWED_HOSTS=["testserver"])
def test_it_is_read_and_nothing_else(people: Cast) -> None:
    assert Client().post("/health/ready").status_code == 405
    assert Client().head("/health/ready").status_code == 200
