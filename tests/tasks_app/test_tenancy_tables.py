"""Every table of a tenant, the next one included: behind the policy, with the tenant first in every key (P63)."""

from collections.abc import Callable

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from tasks_app.models import Actor, Membership, Project, Task, TaskLedger, WorkflowState
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast, cast, tasks
from tests.tasks_app.catalog import foreign_keys, indexes, tenant_tables
from tests.tasks_app.recording import facts_since, mark, refused, sql, web_login
from tests.tasks_app.test_concurrent_changes import own_connection

PREDICATE = "(tenant_id = ( SELECT (current_setting('app.tenant_id'::text))::bigint AS current_setting))"
READ_SECURITY = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass(%s)"
READ_POLICIES = """
SELECT polname, polcmd::text, polpermissive, polroles::oid[],
       pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
  FROM pg_policy WHERE polrelid = to_regclass(%s)
"""
READ_ID_COLUMNS = """
SELECT attname FROM pg_attribute
 WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attname LIKE '%%\\_id'
"""
READ_LEAKS = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
   AND (c.relkind IN ('m', 'f') OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)))
"""

# Columns that end in _id and refer to nothing by a foreign key, and why.
NAMES_FROM_ELSEWHERE = {"external_id", "case_id", "client_mutation_id"}
OUTLIVES_ITS_ROW = {
    # Derived rows are made from the ledger and live as it does.
    "rollup_basis": {"project_id"},
    "task_rollup": {"project_id", "before_id", "after_id"},
    "task_fact": {"task_id", "actor_id", "before_id", "after_id"},
    "task_correction": {"task_id", "project_id"},
    "task_item": {"task_id", "state_id"},
    "task_ledger": {"task_id", "project_id", "from_id", "to_id", "actor_id"},
    "definition_ledger": {"project_id", "state_id", "actor_id"},
    "access_ledger": {"user_id", "key_id", "actor_id"},
    "drift_stage_change": {"actor_id"},
    "drift_rule": {"actor_id"},
    "drift_rule_end": {"actor_id"},
    "deleted_task": {"task_id", "project_id", "source_id"},
    "task_words": {"task_id"},
    "client_mutation": {"actor_id"},
    "kept_response": {"actor_id"},
    # to_id is a state or an actor, by the kind, which no foreign key can say; the others would cost a look-up an event.
    "reported_event": {"source_id", "task_id", "project_id", "to_id", "actor_id"},
}


@pytest.mark.django_db
def test_every_tenant_table_is_behind_one_strict_policy() -> None:
    """Enabled, forced, one policy for every command and every role, reading and writing by the same predicate."""
    tables = tenant_tables()
    assert {"task", "task_ledger", "task_tail", "membership", "api_key"} <= set(tables)
    for table in tables:
        assert sql(READ_SECURITY, [table]) == [(True, True)], table
        assert sql(READ_POLICIES, [table]) == [("tenant", "*", True, [0], PREDICATE, PREDICATE)], table


@pytest.mark.django_db
def test_every_model_of_a_tenant_has_such_a_table() -> None:
    """A model that names a tenant and has no tenant_id, or the other way round, would slip through."""
    named = {
        model._meta.db_table
        for model in apps.get_models()
        if any(isinstance(field, models.Field) and field.column == "tenant_id" for field in model._meta.get_fields())
    }
    assert named - {"account_tenant"} == set(tenant_tables())


@pytest.mark.django_db
def test_the_tenant_comes_first_in_every_key_and_index() -> None:
    """A unique constraint that did not start with it would tell whether another tenant has a value."""
    for table in tenant_tables():
        found = indexes(table)
        assert [index.primary for index in found].count(True) == 1, table
        for index in found:
            assert index.first_column == "tenant_id" or (index.method == "brin" and not index.unique), index.name


@pytest.mark.django_db
def test_no_foreign_key_leaves_the_tenant() -> None:
    """To another tenant table with both tenant columns first; to the tenant; or to a login, which has no tenant."""
    tables = set(tenant_tables())
    for table in tables:
        for key in foreign_keys(table):
            assert key.validated, key.name
            if key.target in tables:
                assert (key.columns[0], key.target_columns[0]) == ("tenant_id", "tenant_id"), key.name
            elif key.target == "tenant":
                assert (key.columns, key.target_columns) == (("tenant_id",), ("id",)), key.name
            else:
                assert key.target == "account", key.name


@pytest.mark.django_db
def test_every_id_refers_to_something() -> None:
    """A column that names another row has a foreign key, or is listed above with its reason."""
    for table in tenant_tables():
        referring = {column for key in foreign_keys(table) for column in key.columns}
        columns = {name for (name,) in sql(READ_ID_COLUMNS, [table])} - NAMES_FROM_ELSEWHERE - {"tenant_id"}
        assert columns - referring == OUTLIVES_ITS_ROW.get(table, set()), table


@pytest.mark.django_db
def test_no_view_looks_past_the_policies() -> None:
    """A view runs as its owner unless told otherwise; a materialized one has no policy at all."""
    assert sql(READ_LEAKS) == []


BARE = (
    "SELECT count(*) FROM {table}",
    "SELECT max(tenant_id) FROM {table}",
    "SELECT EXISTS (SELECT FROM {table})",
    "SELECT (SELECT count(*) FROM {table}) + 1",
    "SELECT count(*) FROM {table} a JOIN {table} b USING (tenant_id)",
    "WITH all_of_it AS MATERIALIZED (SELECT * FROM {table}) SELECT count(*) FROM all_of_it",
)


@pytest.mark.parametrize("role", list(DatabaseRole))
@pytest.mark.parametrize("table", ["task", "task_ledger", "task_tail", "actor", "membership"])
def test_a_bare_aggregate_fails_without_a_tenant_and_counts_one_with_it(people: Cast, table: str, role: str) -> None:
    """P63: deliberately unscoped. Without a tenant an error, not 0; with one that tenant's rows alone."""
    tasks(board=people.acme.board, count=3)
    tasks(board=people.globex.board, count=5)
    mine = sql(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [people.acme.tenant.id])
    everything = sql(f"SELECT count(*) FROM {table}")
    assert mine < everything
    with web_login():
        sql(f"SET LOCAL app.tenant_id = ''; SET LOCAL ROLE {role}")
        for statement in BARE:
            refused(statement.format(table=table), because='invalid input syntax for type bigint: ""')
        sql("SET LOCAL ROLE NONE")
        with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole(role)):
            assert sql(f"SELECT count(*) FROM {table}") == mine
            assert sql(f"SELECT min(tenant_id), max(tenant_id) FROM {table}") == [(people.acme.tenant.id,) * 2]


@pytest.mark.django_db(transaction=True)
def test_a_session_that_never_named_a_tenant_gets_an_error() -> None:
    """In a new session the setting is not even known: as loud."""
    people = cast()
    tasks(board=people.acme.board, count=1)
    with own_connection() as own:
        own.execute("SET ROLE fl_tenant")
        with pytest.raises(psycopg.errors.UndefinedObject, match=r"app\.tenant_id"):
            own.execute("SELECT count(*) FROM task")


@pytest.mark.parametrize("role", list(DatabaseRole))
def test_each_role_sees_one_tenant_in_every_table(people: Cast, role: DatabaseRole) -> None:
    """Auditors and workers have no policy of their own."""
    for company in (people.acme, people.globex):
        made = tasks(board=company.board, count=2)
        Task.objects.filter(id=made[0].id).update(title="Renamed")
        Task.objects.filter(id=made[1].id).delete()
    with web_login(), entered(tenant_id=people.globex.tenant.id, role=role, read_only=True):
        seen = {table: {tenant for (tenant,) in sql(f"SELECT tenant_id FROM {table}")} for table in tenant_tables()}
    assert {frozenset(tenants) for tenants in seen.values()} <= {frozenset(), frozenset({people.globex.tenant.id})}
    filled = {table for table, tenants in seen.items() if tenants}
    assert {"task", "task_ledger", "task_tail", "task_words", "deleted_task", "definition_ledger"} <= filled


CROSSING: dict[str, Callable[[Cast], models.Model]] = {
    "a state in another tenant's project": lambda p: WorkflowState(
        tenant=p.acme.tenant, project=p.globex.board.project, slug="x", name="x", category="TODO", position=9
    ),
    "a task in another tenant's project": lambda p: Task(
        tenant=p.acme.tenant, project=p.globex.board.project, state=p.globex.board.states["todo"], key="X-1", title=""
    ),
    "a task of another tenant's person": lambda p: Task(
        tenant=p.acme.tenant,
        project=p.acme.board.project,
        state=p.acme.board.states["todo"],
        key="X-1",
        title="",
        assignee=p.carol.actor,
    ),
    "a task of another tenant's source": lambda p: Task(
        tenant=p.acme.tenant,
        project=p.acme.board.project,
        state=p.acme.board.states["todo"],
        key="X-1",
        title="",
        source=p.carol.actor,
        origin=p.globex.board.project,
        external_id="T1",
    ),
    "an actor of a tenant that does not exist": lambda p: Actor(tenant_id=2_000_000_000, kind="SQL", name="x"),
    "a member of a tenant that does not exist": lambda p: Membership(
        tenant_id=2_000_000_000, user=p.bob.user, role="OWNER"
    ),
}


def save_now(row: models.Model) -> None:
    """Saves and checks what would be checked at the commit."""
    row.save()
    sql("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("case", CROSSING)
def test_a_reference_across_tenants_is_refused_even_to_the_owner(people: Cast, case: str) -> None:
    """Policies do not bind the checks of foreign keys, nor a superuser: composite keys do."""
    before = mark()
    with pytest.raises(IntegrityError, match="violates foreign key constraint"), transaction.atomic():
        save_now(CROSSING[case](people))
    assert facts_since(before) == []


def test_equal_ids_of_two_tenants_do_not_collide(people: Cast) -> None:
    """The same id, key and external id in both: each tenant has its own row and its own history."""
    for company in (people.acme, people.globex):
        Task.objects.create(
            id=4711,
            tenant=company.tenant,
            project=company.board.project,
            state=company.board.states["todo"],
            origin=company.board.project,
            key="WEB-1",
            title=company.tenant.slug,
            external_id="T1",
        )
    for company, person in ((people.acme, people.bob), (people.globex, people.carol)):
        with web_login(), entered(tenant_id=company.tenant.id, actor_id=person.actor.id):
            task = Task.objects.get(id=4711)
            assert (task.title, task.state_id) == (company.tenant.slug, company.board.states["todo"].id)
            task.state = company.board.states["doing"]
            task.save(update_fields=["state"])
            assert list(TaskLedger.objects.filter(task_id=4711).order_by("seq").values_list("to_id", flat=True)) == [
                company.board.states["todo"].id,
                company.board.states["doing"].id,
            ]


def test_an_owners_join_and_save_stay_in_the_tenant(people: Cast) -> None:
    """No policy binds a superuser: joins equate the tenants, and a save names its own. Else both rows would be meant."""
    for company in (people.acme, people.globex):
        Project.objects.create(id=4712, tenant=company.tenant, key="TWIN", name=company.tenant.slug, timezone="UTC")
    globex = people.globex.tenant
    WorkflowState.objects.create(tenant=globex, project_id=4712, slug="todo", name="To do", category="TODO", position=0)
    state = WorkflowState.objects.select_related("project").get(project__key="TWIN", tenant=globex)
    assert (state.project.tenant_id, state.project.name) == (globex.id, "globex")
    state.project.name = "Renamed"
    state.project.save(update_fields=["name"])
    names = Project.objects.filter(id=4712).order_by("tenant_id").values_list("name", flat=True)
    assert sorted(names) == ["Renamed", "acme"]


def test_equal_keys_of_two_tenants_are_no_conflict(people: Cast) -> None:
    """Unique within a tenant, unknown beyond it."""
    keys = Project.objects.filter(key="WEB").values_list("tenant_id", flat=True)
    assert sorted(keys) == [people.acme.tenant.id, people.globex.tenant.id]
    refused(
        "INSERT INTO project (tenant_id, key, name, timezone) VALUES (%s, 'WEB', '', 'UTC')",
        [people.acme.tenant.id],
        because="duplicate key value violates unique constraint",
    )
