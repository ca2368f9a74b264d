"""migrate as an ordinary login that owns the database, on each PostgreSQL of this machine, and the web beside it."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.db.migrations.state import ProjectState

from tasks_app.policies import LedgerFunction
from tests.tasks_app.private_server import OWNER, PrivateServer, private_server, programs
from tests.tasks_app.readings import APP, MADE, collected, collected_undoing

FOUND = programs()
REFUSE_CHANGE: str = import_module("tasks_app.migrations.0003_ledger_functions").REFUSE_CHANGE
MAKE = {
    "tenant": "INSERT INTO tenant (slug, name, timezone, fiscal_year_start_month, created_at)"
    " VALUES ('acme', 'Acme', 'UTC', 1, now()), ('globex', 'Globex', 'UTC', 1, now())",
    "project": "INSERT INTO project (tenant_id, key, name, timezone) VALUES (1, 'WEB', 'Web', 'UTC')",
    "states": "INSERT INTO workflow_state (tenant_id, project_id, slug, name, category, position)"
    " SELECT 1, p.id, s.slug, s.slug, s.category, s.place"
    " FROM project p, (VALUES ('todo', 'TODO', 0), ('done', 'DONE', 1)) s (slug, category, place)",
    "task": "INSERT INTO task (tenant_id, project_id, state_id, key, title) SELECT 1, p.id, s.id, 'WEB-1', 'One'"
    " FROM project p JOIN workflow_state s ON s.project_id = p.id WHERE s.slug = 'todo'",
}
MOVE = "UPDATE task SET state_id = (SELECT id FROM workflow_state WHERE slug = 'done')"
READ_FACTS = "SELECT l.kind, a.kind, a.name FROM task_ledger l JOIN actor a ON a.id = l.actor_id ORDER BY l.seq"
READ_MEMBERS = """
SELECT g.rolname::text, u.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
  JOIN pg_roles u ON u.oid = m.member WHERE g.rolname LIKE 'fl\\_%' AND NOT m.admin_option
"""
# Written to fail when the owner could still act as the ledger, or the login as anything but its three roles.
NOT_FOR_THE_OWNER = {
    "SET ROLE fl_ledger": "permission denied to set role",
    "DELETE FROM task_ledger": "is refused: its rows are written by triggers alone",
    "UPDATE task_ledger SET kind = 2": "is refused: its rows are written by triggers alone",
    "TRUNCATE task_ledger CASCADE": "is refused: its rows are written by triggers alone",
    "INSERT INTO task_ledger (seq, tenant_id) VALUES (1, 1)": "is refused: its rows are written by triggers alone",
    "SELECT ledger_actor(1)": "permission denied for function ledger_actor",
    "SET session_replication_role = replica": "permission denied to set parameter",
    "SELECT count(*) FROM pg_authid": "permission denied for table pg_authid",
}
NOT_FOR_THE_WEB = {
    "SET ROLE fl_ledger": "permission denied to set role",
    f"SET ROLE {OWNER}": "permission denied to set role",
    f"SET SESSION AUTHORIZATION {OWNER}": "permission denied to set session authorization",
    "SET SESSION AUTHORIZATION fl_ledger": "permission denied to set session authorization",
    "CREATE TEMP TABLE x (id int)": "permission denied to create temporary tables",
    "CREATE TABLE x (id int)": "permission denied for schema public",
    "SELECT count(*) FROM task": "permission denied for table task",
    "SELECT count(*) FROM task_ledger": "permission denied for table task_ledger",
    "CREATE ROLE x": "permission denied to create role",
}

pytestmark = [pytest.mark.own_server, pytest.mark.xdist_group("private_server")]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            version,
            marks=pytest.mark.skipif(version not in FOUND, reason=f"this machine has no PostgreSQL {version} programs"),
        )
        for version in ("15", "18")
    ],
)
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    """A server of that version, migrated by its ordinary owner, with a tenant, a board and a task."""
    with private_server(programs=FOUND[request.param]) as running:
        outcome = running.manage("migrate")
        assert outcome.returncode == 0, outcome.stderr
        with connected(running, OWNER, tenant="1") as owner:
            for statement in MAKE.values():
                owner.execute(statement)
        yield running


def connected(server: PrivateServer, user: str, *, tenant: str = "") -> "psycopg.Connection[Any]":
    """A session of that login; with a tenant, it is set for the session."""
    options = f" options='-c app.tenant_id={tenant}'" if tenant else ""
    return psycopg.connect(server.conninfo(user=user) + options)


def read(server: PrivateServer, user: str, statement: str, *, tenant: str = "") -> list[tuple[Any, ...]]:
    with connected(server, user, tenant=tenant) as session:
        return session.execute(statement).fetchall()


def test_migrate_again_is_a_no_op(server: PrivateServer) -> None:
    """Roles, policies and triggers are all there; nothing is done."""
    outcome = server.manage("migrate")
    assert outcome.returncode == 0, outcome.stderr
    assert "No migrations to apply." in outcome.stdout


def test_the_server_is_the_one_that_was_meant(server: PrivateServer, request: pytest.FixtureRequest) -> None:
    """And its owner is no superuser."""
    version = read(server, OWNER, "SHOW server_version_num")[0][0]
    assert f"[{version[:2]}" in request.node.name
    assert read(server, OWNER, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
        (False, False)
    ]


def test_nobody_is_left_a_member_of_the_ledgers_role(server: PrivateServer) -> None:
    """The owner was one for the length of each hand-over of a function."""
    assert set(read(server, OWNER, READ_MEMBERS)) == {
        (role, "fl_app") for role in ("fl_tenant", "fl_auditor", "fl_worker")
    }


@pytest.mark.parametrize("statement", NOT_FOR_THE_OWNER)
def test_the_owner_cannot_write_history(server: PrivateServer, statement: str) -> None:
    """Short of taking the triggers off, which leaves its mark in the schema."""
    with (
        connected(server, OWNER, tenant="1") as owner,
        pytest.raises(psycopg.Error, match=NOT_FOR_THE_OWNER[statement]),
    ):
        owner.execute(statement)


@pytest.mark.parametrize("statement", NOT_FOR_THE_WEB)
def test_the_webs_real_login_can_do_nothing_by_itself(server: PrivateServer, statement: str) -> None:
    """Logged in as fl_app, not stepped down to it."""
    with connected(server, "fl_app") as web, pytest.raises(psycopg.Error, match=NOT_FOR_THE_WEB[statement]):
        web.execute(statement)


def test_the_owner_is_bound_by_the_policies(server: PrivateServer) -> None:
    """FORCE: without a tenant an error, with another one nothing."""
    with connected(server, OWNER) as owner, pytest.raises(psycopg.Error, match="unrecognized configuration parameter"):
        owner.execute("SELECT count(*) FROM task")
    assert read(server, OWNER, "SELECT count(*) FROM task", tenant="2") == [(0,)]
    assert read(server, OWNER, "SELECT count(*) FROM task", tenant="1") == [(1,)]


def test_the_owners_and_the_webs_changes_are_recorded_under_their_logins(server: PrivateServer) -> None:
    """P42: the triggers work for an ordinary owner as for a superuser."""
    with connected(server, OWNER, tenant="1") as owner:
        owner.execute(MOVE)
        assert owner.execute(READ_FACTS).fetchall()[-1] == (2, "SQL", OWNER)
        owner.rollback()
    with connected(server, "fl_app", tenant="1") as web:
        web.execute("SET ROLE fl_tenant")
        web.execute(MOVE)
        assert web.execute(READ_FACTS).fetchall() == [(1, "SQL", OWNER), (2, "SQL", "fl_app")]
        web.rollback()


def test_the_web_sees_no_other_tenant(server: PrivateServer) -> None:
    """In each of its roles."""
    for role in ("fl_tenant", "fl_auditor", "fl_worker"):
        with connected(server, "fl_app", tenant="2") as web:
            web.execute(f"SET ROLE {role}")
            assert web.execute("SELECT count(*) FROM task_ledger").fetchall() == [(0,)]


def test_the_checks_pass_for_the_webs_login_and_refuse_the_owners(server: PrivateServer) -> None:
    """With DATABASE_WEB_URL all is well; without it the owner itself would serve requests."""
    good = server.manage("check", "--database", "default", web_login="fl_app")
    assert (good.returncode, good.stdout) == (0, "System check identified no issues (0 silenced).\n")
    bad = server.manage("check", "--database", "default")
    assert bad.returncode == 1
    assert f"(flowledger.E004) The web's login {OWNER} owns the tables" in bad.stderr


def test_a_later_migration_may_replace_a_function(server: PrivateServer) -> None:
    """A new text of a handed-over function needs its owner's rights again; afterwards nobody is a member."""
    with connected(server, OWNER) as owner:
        for statement in LedgerFunction("refuse_change()", "BEGIN RAISE EXCEPTION 'newer'; END").statements():
            owner.execute(statement)
        owner.commit()
    with connected(server, OWNER, tenant="1") as owner, pytest.raises(psycopg.Error, match="newer"):
        owner.execute("DELETE FROM project")
    test_nobody_is_left_a_member_of_the_ledgers_role(server)
    with connected(server, OWNER) as owner:
        for statement in LedgerFunction("refuse_change()", REFUSE_CHANGE, definer=False).statements():
            owner.execute(statement)
    with (
        connected(server, OWNER, tenant="1") as owner,
        pytest.raises(psycopg.Error, match="DELETE of project is refused"),
    ):
        owner.execute("DELETE FROM project")


@pytest.mark.django_db
def test_the_owner_makes_a_ledger_and_takes_it_back(server: PrivateServer) -> None:
    """With functions that it hands over, and drops again; its facts enter the tail in between."""
    create, ledgered = MADE
    bare = ProjectState()
    create.state_forwards(APP, bare)
    making, undoing = collected(create, ledgered), collected_undoing(ledgered, before=bare)
    with connected(server, OWNER, tenant="1") as owner:
        for statement in making:
            owner.execute(statement)
        owner.execute("INSERT INTO reading_ledger (tenant_id, happened_at, meter, value) VALUES (1, now(), 1, 2)")
        assert owner.execute("SELECT count(*) FROM reading_tail").fetchall() == [(1,)]
        for statement in undoing:
            owner.execute(statement)
        owner.rollback()
    assert "fl_owner" not in str(read(server, OWNER, READ_MEMBERS))


@pytest.mark.parametrize("version", list(FOUND)[-1:])
def test_an_owner_that_may_not_make_roles_is_told_what_to_do(version: str) -> None:
    """One sentence instead of the server's."""
    with private_server(programs=FOUND[version]) as running:
        with psycopg.connect(running.conninfo(user="boss")) as boss:
            boss.execute(f"ALTER ROLE {OWNER} NOCREATEROLE")
        outcome = running.manage("migrate")
        assert outcome.returncode == 1
        assert (
            f"The login {OWNER} may not create roles: a superuser must first run: ALTER ROLE {OWNER} CREATEROLE"
            in outcome.stderr
        )


@pytest.mark.parametrize("version", FOUND)
def test_roles_made_by_another_login_are_used_once_granted(version: str) -> None:
    """Two databases of one server with two owners: the second is told which grant it needs, and then migrates."""
    with private_server(programs=FOUND[version]) as running:
        with psycopg.connect(running.conninfo(user="boss"), autocommit=True) as boss:
            boss.execute("CREATE ROLE fl_app LOGIN NOINHERIT")
            for role in ("fl_tenant", "fl_auditor", "fl_worker", "fl_ledger"):
                boss.execute(f"CREATE ROLE {role} NOLOGIN NOINHERIT")
                if role != "fl_ledger":
                    boss.execute(f"GRANT {role} TO fl_app" + (" WITH INHERIT FALSE" if version != "15" else ""))
            boss.execute(f"ALTER ROLE {OWNER} NOCREATEROLE")
            refused = running.manage("migrate")
            assert refused.returncode == 1
            assert f"which must first run: GRANT fl_ledger TO {OWNER} WITH ADMIN OPTION" in refused.stderr
            boss.execute(f"GRANT fl_ledger TO {OWNER} WITH ADMIN OPTION")
        outcome = running.manage("migrate")
        assert outcome.returncode == 0, outcome.stderr
