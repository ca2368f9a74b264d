"""What a request has no right to: statements that would hide or forge a fact, or see what is not the tenant's."""

from typing import Any

import pytest
from django.db import connection

from tasks_app.models import Task
from tests.cast import Cast
from tests.tasks_app.recording import asking, facts_since, mark, refused, sql

FORBIDDEN = {
    "SET LOCAL session_replication_role = replica": "permission denied to set parameter",
    "SET LOCAL ROLE fl_ledger": "permission denied to set role",
    "SET LOCAL ROLE fl_owner": "permission denied to set role|does not exist",
    "SET LOCAL row_security = off; SELECT count(*) FROM task": "would be affected by row-level security",
    "ALTER TABLE task DISABLE TRIGGER ALL": "must be owner",
    "ALTER TABLE task DISABLE TRIGGER USER": "must be owner",
    "ALTER TABLE task DISABLE ROW LEVEL SECURITY": "must be owner",
    "ALTER TABLE task NO FORCE ROW LEVEL SECURITY": "must be owner",
    "ALTER TABLE task_ledger OWNER TO fl_tenant": "must be owner",
    "ALTER FUNCTION task_changed() OWNER TO fl_tenant": "must be owner",
    "ALTER FUNCTION task_changed() SET search_path = pg_temp": "must be owner",
    "CREATE OR REPLACE FUNCTION task_changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'": (
        "permission denied for schema public|must be owner"
    ),
    "DROP FUNCTION task_changed() CASCADE": "must be owner",
    "DROP POLICY tenant ON task": "must be owner",
    "CREATE POLICY mine ON task USING (true)": "must be owner",
    "CREATE TEMP TABLE fake (id int)": "permission denied to create temporary tables",
    "CREATE TABLE fake (id int)": "permission denied for schema public",
    "CREATE SCHEMA mine": "permission denied for database",
    "CREATE FUNCTION now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'": "permission denied for",
    "CREATE FUNCTION pg_temp.task_changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'": (
        "permission denied to create temporary tables"
    ),
    "CREATE VIEW seen AS SELECT * FROM task": "permission denied for schema public",
    "CREATE RULE quiet AS ON UPDATE TO task DO INSTEAD NOTHING": "must be owner",
    "CREATE TRIGGER quiet BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()": (
        "permission denied for table task"
    ),
    "CREATE EVENT TRIGGER quiet ON ddl_command_end EXECUTE FUNCTION refuse_change()": "permission denied",
    "CREATE EXTENSION file_fdw": "permission denied|could not open|is not available",
    "COPY task FROM PROGRAM 'true'": "permission denied|must be superuser|not supported with row-level security",
    "COPY task TO PROGRAM 'true'": "permission denied|must be superuser",
    "SELECT pg_read_file('PG_VERSION')": "permission denied for function",
    "COPY task (tenant_id, project_id, state_id, key, title) FROM STDIN": "not supported with row-level security",
    "SELECT setval('ledger_seq', 1)": "permission denied for sequence",
    "ALTER SEQUENCE ledger_seq RESTART": "must be owner",
    "SELECT last_value FROM ledger_seq": "permission denied for sequence",
    "SELECT ledger_actor(1)": "permission denied for function ledger_actor",
    "SELECT ledger_correlation()": "permission denied for function ledger_correlation",
    "SELECT reach_back(1, 1, now())": "permission denied for function reach_back",
    "DELETE FROM task": "permission denied for table task",
    "DELETE FROM actor": "permission denied for table actor",
    "DELETE FROM membership": "permission denied for table membership",
    "INSERT INTO task_words (tenant_id, task_id, words) VALUES (1, 1, '')": "permission denied for table task_words",
    "UPDATE task_words SET words = ''": "permission denied for table task_words",
    "UPDATE fact_note SET words = ''": "permission denied for table fact_note",
    "SELECT * FROM tenant": "permission denied for table tenant",
    "SELECT * FROM account": "permission denied for table account",
    "SELECT * FROM django_session": "permission denied for table django_session",
    "SELECT * FROM pg_authid": "permission denied for table pg_authid",
}


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_what_a_request_has_no_right_to(board_with_a_task: Cast, statement: str) -> None:
    """Each would hide or forge a fact, or see what is not the tenant's; each is refused by the server."""
    with asking(board_with_a_task.acme, board_with_a_task.bob):
        refused(statement, because=FORBIDDEN[statement])


@pytest.mark.parametrize("table", ["task", "project", "workflow_state", "membership", "actor", "fact_note"])
def test_no_row_is_written_for_another_tenant(board_with_a_task: Cast, table: str) -> None:
    """An insert under another tenant's id violates the policy, whatever else is wrong with it."""
    people = board_with_a_task
    there = people.globex
    rows: dict[str, dict[str, Any]] = {
        "task": {
            "project_id": there.board.project.id,
            "state_id": there.board.states["todo"].id,
            "key": "X",
            "title": "",
        },
        "project": {"key": "X", "name": "", "timezone": "UTC"},
        "workflow_state": {
            "project_id": there.board.project.id,
            "slug": "x",
            "name": "",
            "category": "TODO",
            "position": 9,
        },
        "membership": {"user_id": people.bob.user.id, "role": "OWNER", "created_at": "2026-01-01Z"},
        "actor": {"kind": "SQL", "name": "x"},
        "fact_note": {"seq": 1, "words": ""},
    }
    row = {"tenant_id": there.tenant.id, **rows[table]}
    places = ", ".join(["%s"] * len(row))
    with asking(people.acme, people.bob):
        refused(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})",
            list(row.values()),
            because="violates row-level security policy",
        )


def test_an_upsert_does_not_reach_another_tenants_row(board_with_a_task: Cast) -> None:
    """The unique key starts with the tenant: the same key elsewhere is no conflict, and not visible as one."""
    people, before = board_with_a_task, mark()
    upsert = (
        "INSERT INTO task (tenant_id, project_id, state_id, key, title) VALUES (%s, %s, %s, 'WEB-1', 'Stolen')"
        " ON CONFLICT (tenant_id, key) DO UPDATE SET title = excluded.title"
    )
    board = people.globex.board
    with asking(people.acme, people.bob):
        refused(
            upsert,
            [people.globex.tenant.id, board.project.id, board.states["todo"].id],
            because="violates row-level security policy",
        )
        refused(f"UPDATE task SET tenant_id = {people.globex.tenant.id}", because="keeps its id|row-level security")
    assert facts_since(before) == []
    assert not Task.objects.filter(title="Stolen").exists()


def test_a_prepared_statement_follows_the_tenant(board_with_a_task: Cast) -> None:
    """A plan made for one tenant shows and changes the rows of the tenant that runs it."""
    people = board_with_a_task
    with asking(people.acme, people.bob):
        sql("PREPARE mine AS SELECT tenant_id FROM task")
        for _ in range(7):
            assert sql("EXECUTE mine") == [(people.acme.tenant.id,)]
    with asking(people.globex, people.carol):
        assert sql("EXECUTE mine") == [(people.globex.tenant.id,)]
    sql("DEALLOCATE mine")


def test_copy_out_shows_one_tenant(board_with_a_task: Cast) -> None:
    """COPY TO of a table and of a query is bound by the policy as SELECT is."""
    people = board_with_a_task
    with asking(people.acme, people.bob):
        for source in ("task (tenant_id)", "(SELECT tenant_id FROM task)"):
            with connection.cursor() as cursor, cursor.copy(f"COPY {source} TO STDOUT") as copy:
                assert [row for row in copy.rows()] == [(str(people.acme.tenant.id),)]


def test_other_sessions_statements_are_not_readable(board_with_a_task: Cast) -> None:
    """Their texts may hold another tenant's values."""
    people = board_with_a_task
    with asking(people.acme, people.bob):
        texts = sql("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    assert texts == [("<insufficient privilege>",)]


def test_statistics_of_columns_are_hidden(board_with_a_task: Cast) -> None:
    """pg_stats holds samples of everybody's values; where a policy binds the reader it shows none."""
    sql("ANALYZE task")
    with asking(board_with_a_task.acme, board_with_a_task.bob):
        assert sql("SELECT tablename FROM pg_stats WHERE tablename = 'task'") == []
