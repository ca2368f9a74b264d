"""Nobody changes what is recorded: each statement on each ledger, by each role, fails and leaves every row alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection, transaction

from tasks_app.models import Task
from tests.cast import Cast, tasks
from tests.tasks_app.recording import clock, refused, sql

ROLES = ("fl_app", "fl_tenant", "fl_auditor", "fl_worker", "fl_ledger", "plain_owner", "superuser")
CHANGES = {
    "update": "UPDATE {table} SET seq = seq",
    "update_nothing": "UPDATE {table} SET tenant_id = tenant_id WHERE false",
    "delete": "DELETE FROM {table}",
    "delete_nothing": "DELETE FROM {table} WHERE false",
    "truncate": "TRUNCATE {table}",
    "truncate_cascade": "TRUNCATE {table} RESTART IDENTITY CASCADE",
}
WRITTEN_BY_TRIGGERS = ("task_ledger", "definition_ledger")
APPEND_ONLY = (*WRITTEN_BY_TRIGGERS, "reported_event")
INSERTS = {
    "insert": "INSERT INTO {table} SELECT * FROM {table} LIMIT 1",
    "insert_nothing": "INSERT INTO {table} SELECT * FROM {table} LIMIT 0",
    "upsert": "INSERT INTO {table} SELECT * FROM {table} LIMIT 1 ON CONFLICT DO NOTHING",
}
REFUSED = "is refused: its rows are written by triggers alone and never change|permission denied|must be owner"
# The ledger's own role passes the triggers; no login can become it, see test_ledger_forgery.
HANDMADE = tuple(role for role in ROLES if role != "fl_ledger")
READ_ALL = "SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {table} t"


@pytest.fixture
def history(people: Cast) -> Cast:
    """A ledger with rows in every table that must not change."""
    made = tasks(board=people.acme.board, count=3)
    Task.objects.filter(id=made[0].id).update(state_id=people.acme.board.states["doing"].id, title="Other")
    sql(
        "INSERT INTO reported_event"
        " (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)"
        " VALUES (%s, %s, %s, %s, %s, %s, 2, %s, gen_random_uuid())",
        [
            people.acme.tenant.id,
            people.bob.actor.id,
            made[1].id,
            people.acme.board.project.id,
            people.acme.board.states["done"].id,
            people.bob.actor.id,
            clock(),
        ],
    )
    # Checks what was deferred: with checks pending TRUNCATE would fail for that reason alone.
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")
    return people


def copy_in(table: str) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} (tenant_id) FROM STDIN") as copy:
        copy.write_row((1,))


@contextmanager
def acting_as(role: str, *, tenant_id: int) -> Iterator[None]:
    """A role within a tenant; `plain_owner` owns the tables, has every privilege on them, and is no superuser."""
    with transaction.atomic():
        if role == "plain_owner":
            sql("CREATE ROLE plain_owner_of_a_test NOSUPERUSER CREATEROLE")
            sql("GRANT ALL ON SCHEMA public TO plain_owner_of_a_test")
            for table in (*APPEND_ONLY, "task_tail", "task"):
                sql(f"ALTER TABLE {table} OWNER TO plain_owner_of_a_test")
        sql(f"SET LOCAL app.tenant_id = '{tenant_id}'")
        if role != "superuser":
            sql(f"SET LOCAL ROLE {'plain_owner_of_a_test' if role == 'plain_owner' else role}")
        yield
        transaction.set_rollback(True)


def contents() -> dict[str, str]:
    tables = (*APPEND_ONLY, "task_tail", "task")
    return {table: sql(READ_ALL.format(table=table))[0][0] for table in tables}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_role_changes_or_removes_a_row(history: Cast, table: str, role: str) -> None:
    """UPDATE, DELETE and TRUNCATE, of rows or of none, are refused in words or for want of the privilege."""
    before = contents()
    with acting_as(role, tenant_id=history.acme.tenant.id):
        for change in CHANGES.values():
            refused(change.format(table=table), because=REFUSED)
    assert contents() == before


@pytest.mark.parametrize("role", HANDMADE)
@pytest.mark.parametrize("table", [*WRITTEN_BY_TRIGGERS, "task_tail"])
def test_no_role_adds_a_row_by_hand(history: Cast, table: str, role: str) -> None:
    """INSERT in each form is refused; only the triggers' functions run as the ledger's own role."""
    before = contents()
    with acting_as(role, tenant_id=history.acme.tenant.id):
        for insert in INSERTS.values():
            refused(insert.format(table=table), because=REFUSED)
    assert contents() == before


@pytest.mark.parametrize("role", HANDMADE)
@pytest.mark.parametrize("table", WRITTEN_BY_TRIGGERS)
def test_copy_and_merge_are_inserts_too(history: Cast, table: str, role: str) -> None:
    """COPY FROM and MERGE take other ways through the server than INSERT."""
    with acting_as(role, tenant_id=history.acme.tenant.id):
        refused(
            f"MERGE INTO {table} l USING (SELECT 1) s ON false WHEN NOT MATCHED THEN INSERT (tenant_id) VALUES (1)",
            because=REFUSED,
        )
        with pytest.raises(psycopg.Error, match=f"{REFUSED}|not supported with row-level"), transaction.atomic():
            copy_in(table)


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("fl_worker", "plain_owner", "superuser")])
def test_only_the_worker_empties_the_tail(history: Cast, role: str) -> None:
    """What leaves the tail has been folded by a job."""
    with acting_as(role, tenant_id=history.acme.tenant.id):
        refused("DELETE FROM task_tail", because="permission denied for table task_tail")


@pytest.mark.parametrize("role", ROLES)
def test_a_tail_row_is_never_changed(history: Cast, role: str) -> None:
    """Nor are all removed at once."""
    with acting_as(role, tenant_id=history.acme.tenant.id):
        refused("UPDATE task_tail SET seq = seq + 1", because=REFUSED)
        refused("TRUNCATE task_tail", because=REFUSED)


def test_the_refusal_says_why_and_what_to_do(history: Cast) -> None:
    """The sentence names the statement and the table, and the way that is open."""
    refused(
        "DELETE FROM task_ledger",
        because="^DELETE of task_ledger is refused: its rows are written by triggers alone and never change."
        " To correct a fact, report the right one; it gets a row of its own.",
    )


@pytest.mark.parametrize("table", ["task", "project", "workflow_state"])
def test_what_the_ledger_names_is_not_swept_away(history: Cast, table: str) -> None:
    """TRUNCATE fires no row trigger: it is refused for everybody, also through a table that these refer to."""
    refused(f"TRUNCATE {table}", because="is refused|cannot truncate a table referenced")
    refused(f"TRUNCATE {table} CASCADE", because="is refused")
    refused("TRUNCATE tenant CASCADE", because="is refused")
    refused("TRUNCATE actor CASCADE", because="is refused")


@pytest.mark.parametrize("table", ["project", "workflow_state"])
def test_definitions_are_archived_not_deleted(history: Cast, table: str) -> None:
    """A fact must be able to name its state for ever."""
    refused(f"DELETE FROM {table}", because=f"^DELETE of {table} is refused")
