"""Who may do what in the database, as its catalogue has it: nobody has more than the work needs."""

import pytest
from django.apps import apps
from django.db import connection

from tests.cast import Cast, tasks
from tests.tasks_app.catalog import tenant_tables
from tests.tasks_app.recording import as_owner, refused, sql

OURS = ("fl_app", "fl_tenant", "fl_auditor", "fl_worker", "fl_ledger")
LEDGERS = ("task_ledger", "definition_ledger", "access_ledger", "drift_stage_change", "task_tail")
# What stages were and why stays, however old it is.
STAGES = {"drift_stage", "drift_stage_change", "drift_gate", "drift_drill"}
READ_ATTRIBUTES = """
SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit, rolreplication
  FROM pg_roles WHERE rolname = ANY (%s)
"""
READ_GRANTS = """
SELECT grantee::text, privilege_type::text FROM information_schema.role_table_grants
 WHERE table_schema = 'public' AND table_name = %s
   AND grantee NOT IN (SELECT tableowner FROM pg_tables WHERE tablename = %s)
"""
READ_MEMBERS = """
SELECT g.rolname::text, u.rolname::text FROM pg_auth_members m
  JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member WHERE g.rolname = ANY (%s) AND NOT u.rolsuper
"""
READ_EXECUTE = """
SELECT p.proname::text, r.rolname::text FROM pg_proc p CROSS JOIN pg_roles r
 WHERE p.pronamespace = 'public'::regnamespace AND r.rolname = ANY (%s)
   AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
   AND r.oid <> p.proowner AND NOT r.rolsuper
"""
READ_FUNCTIONS = """
SELECT proname::text, proowner::regrole::text, coalesce(proconfig::text, ''), array_to_string(proacl, ' ')
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
   AND proname NOT LIKE ALL (ARRAY['pgtrigger\\_%%', '\\_pgtrigger%%'])
"""
READ_DATABASE_RIGHTS = """
SELECT r, p FROM unnest(%s::text[]) r CROSS JOIN unnest(ARRAY['CREATE', 'TEMP']) p
 WHERE has_database_privilege(r, current_database(), p)
"""


def grants(table: str) -> dict[str, set[str]]:
    """The privileges on whole tables by role, the owner's own apart."""
    found: dict[str, set[str]] = {}
    for role, privilege in sql(READ_GRANTS, [table, table]):
        found.setdefault(role, set()).add(privilege)
    return found


@pytest.mark.django_db
def test_only_the_web_logs_in_and_nobody_is_special() -> None:
    """One login without rights of its own, roles without logins; none inherits, none bypasses."""
    found = {name: attributes for name, *attributes in sql(READ_ATTRIBUTES, [list(OURS)])}
    assert found == {role: [role == "fl_app", *([False] * 6)] for role in OURS}


@pytest.mark.django_db
def test_the_web_may_become_three_roles_and_nobody_the_ledgers() -> None:
    """fl_ledger is what the triggers' functions run as; it has no members."""
    members = set(sql(READ_MEMBERS, [list(OURS)]))
    assert members == {(role, "fl_app") for role in ("fl_tenant", "fl_auditor", "fl_worker")}


@pytest.mark.django_db
def test_the_web_inherits_nothing() -> None:
    """A policy of a role that it inherits would apply without SET ROLE: it would read without one."""
    for role in OURS[1:]:
        assert sql("SELECT pg_has_role('fl_app', %s, 'USAGE')", [role]) == [(False,)], role


@pytest.mark.django_db
def test_a_tenants_table_has_no_grants_beyond_the_roles() -> None:
    """Neither PUBLIC nor the bare login; the auditor reads; nobody truncates, nor makes triggers or references."""
    for table in tenant_tables():
        found = grants(table)
        assert set(found) <= {"fl_tenant", "fl_auditor", "fl_worker", "fl_ledger"}, table
        assert found["fl_auditor"] == {"SELECT"}, table
        assert set().union(*found.values()) <= {"SELECT", "INSERT", "UPDATE", "DELETE"}, table


@pytest.mark.django_db
def test_the_ledgers_are_read_by_all_and_written_by_one() -> None:
    """Only fl_ledger inserts; nobody updates; only the worker takes rows from the tail."""
    for table in LEDGERS:
        found = grants(table)
        assert found["fl_ledger"] == {"SELECT", "INSERT"}, table
        assert found["fl_tenant"] == {"SELECT"}, table
        assert found["fl_worker"] == ({"SELECT", "DELETE"} if table == "task_tail" else {"SELECT"}), table


@pytest.mark.django_db
def test_nothing_is_deleted_but_what_expires() -> None:
    """DELETE is granted on the tail, on what is remembered of requests, to the worker on counts and what can be made again."""
    removable = {table for table in tenant_tables() for rights in grants(table).values() if "DELETE" in rights}
    kept = {"heartbeat", "legacy_endpoint", "drift_rule", "drift_rule_end"} | STAGES
    derived = {model._meta.db_table for model in apps.get_app_config("analytics").get_models()} - kept
    counts = {"service_minute", "service_day"}
    assert removable == {"task_tail", "client_mutation", "kept_response", *counts, *derived}
    for table in (*derived, *counts):
        assert {role for role, rights in grants(table).items() if {"INSERT", "UPDATE", "DELETE"} & set(rights)} == {
            "fl_worker"
        }


@pytest.mark.django_db
def test_a_ledger_function_is_its_owners_with_a_fixed_path() -> None:
    """SECURITY DEFINER or not: owner fl_ledger, a fixed search_path with pg_temp last, not executable by the web."""
    functions = sql(READ_FUNCTIONS)
    assert len(functions) >= 11
    for name, owner, settings, rights in functions:
        assert (owner, settings) == ("fl_ledger", '{"search_path=pg_catalog, public, pg_temp"}'), name
        assert not any(right.startswith("=") for right in rights.split()), f"{name} may be executed by PUBLIC"
    executable = [row for row in sql(READ_EXECUTE, [list(OURS)]) if "pgtrigger_" not in row[0]]
    assert executable == []


@pytest.mark.django_db
def test_nobody_makes_objects() -> None:
    """No temporary tables, no schemas, nothing in public: what one cannot make cannot stand in for a table of ours."""
    assert sql(READ_DATABASE_RIGHTS, [list(OURS)]) == []
    for role in OURS:
        assert sql("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [role]) == [(False,)], role


@pytest.mark.usefixtures("as_web_login")
def test_the_bare_login_has_no_rights_in_a_tenants_table() -> None:
    """A query outside `entered` fails; RESET ROLE leaves an attacker with less, not more."""
    for table in tenant_tables_as_owner():
        refused(f"SELECT count(*) FROM {table}", because=f"permission denied for table {table}")


def tenant_tables_as_owner() -> list[str]:
    with as_owner():
        return tenant_tables()


WRITES = (
    "INSERT INTO {table} SELECT * FROM {table}",
    "UPDATE {table} SET tenant_id = tenant_id",
    "DELETE FROM {table}",
    "SELECT 1 FROM {table} FOR UPDATE",
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
)


def test_the_auditor_reads_everything_and_writes_nothing(people: Cast) -> None:
    """P44: every table of the tenant, and not one row of it changed or locked."""
    tasks(board=people.acme.board, count=1)
    tables = tenant_tables()
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL app.tenant_id = '{people.acme.tenant.id}'; SET LOCAL ROLE fl_auditor")
    for table in tables:
        assert sql(f"SELECT count(*) FROM {table}")[0][0] >= 0
        for statement in WRITES:
            refused(statement.format(table=table), because=f"permission denied for table {table}")
    sql("SET LOCAL ROLE NONE")
