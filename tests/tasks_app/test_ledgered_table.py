"""LedgeredTable: what it makes is what the product's tables are, it can be taken back, and it refuses what cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.test.utils import isolate_apps
from pgtrigger.migrations import AddTrigger, MigrationAutodetectorMixin

from tasks_app import triggers
from tasks_app.ledgered_table import Kind, LedgeredTable, tail_of
from tasks_app.table_refusals import refusals
from tasks_app.tenancy import DatabaseRole, entered
from tests.architecture import citus_rules
from tests.architecture.citus_rules import IN_BODIES, Catalogue
from tests.cast import Cast
from tests.tasks_app.catalog import portrait, tenant_tables
from tests.tasks_app.existing_tables import DIFFERENCES, REFUSED, TABLES
from tests.tasks_app.readings import (
    APP,
    MADE,
    WRITERS,
    backwards,
    collected,
    collected_undoing,
    declared_models,
    forwards,
    model,
)
from tests.tasks_app.recording import refused, sql, web_login

SCRATCH = "scratch"
READ_MADE = """/* tests.read_made */
SELECT proname FROM pg_proc WHERE proname LIKE 'reading%%' UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'reading%%'
"""
INSERT = "INSERT INTO reading_ledger (tenant_id, happened_at, meter, value) VALUES (%s, '2025-03-01 12:00Z', 1, 2.5)"


@contextmanager
def in_scratch() -> Iterator[None]:
    """New tables go to a schema of their own; what is not there is found in public."""
    sql(f"CREATE SCHEMA {SCRATCH}")
    sql(f"SET LOCAL search_path = {SCRATCH}, public")
    yield
    sql("SET LOCAL search_path = public")


def copy(app_label: str, operation: LedgeredTable, full: ProjectState) -> str:
    """Makes a copy of a table in the schema that comes first, with the triggers that are its model's own; answers its name."""
    bare = full.clone()
    for each in bare.models.values():
        each.options.pop("triggers", None)
    if operation.tail:
        bare.remove_model(app_label, operation.tail.lower())
    after = bare.clone()
    copied = bare.apps.get_model(app_label, operation.model)
    with connection.schema_editor() as editor:
        editor.create_model(copied)
        operation.add_to_state(app_label, after)
        operation.database_forwards(app_label, editor, bare, after)
        stock = after.models[app_label, operation.model.lower()].options["triggers"]
        for trigger in full.models[app_label, operation.model.lower()].options.get("triggers", []):
            if trigger not in stock:
                AddTrigger(operation.model, trigger).database_forwards(app_label, editor, after, after)
    return copied._meta.db_table


def differences(table: str) -> set[tuple[str, str]]:
    """What only the table has or only its copy: (aspect, text)."""
    there, here = portrait(table), portrait(table, schema=SCRATCH)
    return {(aspect, text) for aspect in there for text in there[aspect] ^ here[aspect]}


@pytest.mark.django_db
def test_the_tables_that_there_are_equal_what_it_makes() -> None:
    """Columns, keys, constraints, indexes, owner, policies, grants, triggers, settings: of every table of a tenant."""
    full = MigrationLoader(connection).project_state()
    found = {}
    with in_scratch():
        for app_label, operations in TABLES.items():
            for operation in operations:
                table = copy(app_label, operation, full)
                for each in (table, tail_of(table)) if operation.tail else (table,):
                    found[each] = differences(each)
    assert set(found) == set(tenant_tables()) - made_by_it()
    for table, texts in found.items():
        listed = DIFFERENCES.get(table, frozenset())
        unlisted = [
            text for text in texts if not any(text[0] == each[0] and text[1].startswith(each[1]) for each in listed)
        ]
        assert unlisted == [], table
        gone = [
            each for each in listed if not any(text[0] == each[0] and text[1].startswith(each[1]) for text in texts)
        ]
        assert gone == [], table


def made_by_it() -> set[str]:
    """The tables of tenants that migrations make by the operation: they are what it makes."""
    loader = MigrationLoader(connection)
    state = loader.project_state()
    operations = [
        (app_label, operation)
        for (app_label, _), migration in loader.disk_migrations.items()
        for operation in migration.operations
        if isinstance(operation, LedgeredTable)
    ]
    names = {(app_label, name) for app_label, each in operations for name in (each.model, each.tail) if name}
    return {state.models[app_label, name.lower()].options["db_table"] for app_label, name in names}


@pytest.mark.django_db
def test_of_those_it_would_refuse_few_today() -> None:
    """The same tables, declared anew: an int that a trigger draws from a sequence is all that is wrong with some."""
    full = MigrationLoader(connection).project_state()
    found = {
        operation.model: list(refusals(operation.declared(app_label, full)))
        for app_label, operations in TABLES.items()
        for operation in operations
    }
    sentence = "triggers draw {}, and an int is too narrow for what they draw on Citus; make it a BigAutoField."
    assert {name: texts for name, texts in found.items() if texts} == {
        name: [sentence.format(column)] for name, column in REFUSED.items()
    }


@pytest.mark.django_db
def test_it_can_be_taken_back() -> None:
    """The bare table is again what it was; tail and functions are gone."""
    create, ledgered = MADE
    before = forwards(create)
    bare = portrait("reading_ledger")
    forwards(ledgered, start=before)
    made = portrait("reading_ledger")
    assert {"reading_ledger_stamped", "reading_ledger_enter_tail", "reading_tail"} <= {
        name for (name,) in sql(READ_MADE)
    }
    backwards(ledgered, before=before)
    assert portrait("reading_ledger") == bare != made
    assert {name for (name,) in sql(READ_MADE)} == {"reading_ledger", "reading_ledger_pkey"}
    forwards(ledgered, start=before)
    assert portrait("reading_ledger") == made


class Autodetector(MigrationAutodetectorMixin, MigrationAutodetector):
    """What makemigrations uses."""


def test_makemigrations_has_nothing_to_add() -> None:
    """The state after the operation is that of the models, with the tail and all triggers."""
    state = ProjectState()
    for operation in MADE:
        operation.state_forwards(APP, state)
    with isolate_apps(APP):
        wanted = ProjectState(
            {(APP, str(each._meta.model_name)): ModelState.from_model(each) for each in declared_models()}
        )
    assert Autodetector(state, wanted).changes(graph=graph()) == {}
    state.models[APP, "readingtail"].options["triggers"].pop()
    assert Autodetector(state, wanted).changes(graph=graph()) != {}


def graph() -> Any:
    """The migrations that there are."""
    return MigrationLoader(None, ignore_no_migrations=True).graph


@pytest.fixture
def readings(people: Cast) -> Cast:
    """Two companies, and a ledger of readings."""
    forwards(*MADE)
    return people


def tail(tenant_id: int) -> list[int]:
    """What of a tenant's readings waits to be folded."""
    return [seq for (seq,) in sql("SELECT seq FROM reading_tail WHERE tenant_id = %s ORDER BY seq", [tenant_id])]


def ledger(tenant_id: int) -> list[int]:
    """A tenant's readings."""
    return [seq for (seq,) in sql("SELECT seq FROM reading_ledger WHERE tenant_id = %s ORDER BY seq", [tenant_id])]


def test_what_is_inserted_enters_the_tail(readings: Cast) -> None:
    """One row at a time, many in a statement, of several tenants by the owner."""
    acme, globex = readings.acme.tenant.id, readings.globex.tenant.id
    with web_login(), entered(tenant_id=acme):
        sql(INSERT, [acme])
        sql(f"{INSERT}, (%s, '2025-03-02 12:00Z', 1, 3)", [acme, acme])
    sql(f"{INSERT}, (%s, '2025-03-02 12:00Z', 1, 3)", [acme, globex])
    assert (len(ledger(acme)), len(ledger(globex))) == (4, 1)
    assert (tail(acme), tail(globex)) == (ledger(acme), ledger(globex))


def test_nothing_but_inserts_changes_a_fact_or_the_tail(readings: Cast) -> None:
    """Refused by trigger to the owner, by missing grants to the rest; a statement of no row enters no tail."""
    acme = readings.acme.tenant.id
    sql(INSERT, [acme])
    for change in ("UPDATE reading_ledger SET value = 1", "DELETE FROM reading_ledger", "TRUNCATE reading_ledger"):
        refused(change, because="of reading_ledger is refused: its rows")
    for change in ("INSERT INTO reading_tail (tenant_id, seq) VALUES (1, 1)", "UPDATE reading_tail SET seq = 1"):
        refused(change, because="of reading_tail is refused: its rows")
    with web_login(), entered(tenant_id=acme):
        for change in ("UPDATE reading_ledger SET value = 1", "DELETE FROM reading_ledger", "DELETE FROM reading_tail"):
            refused(change, because="permission denied for table reading_")
        sql("INSERT INTO reading_ledger (tenant_id, happened_at, meter, value) SELECT 1, now(), 1, 1 WHERE false")
    with web_login(), entered(tenant_id=acme, role=DatabaseRole.WORKER):
        sql("DELETE FROM reading_tail")
    assert (len(ledger(acme)), tail(acme)) == (1, [])


def test_a_request_cannot_say_when_or_where_a_fact_was_recorded(readings: Cast) -> None:
    """The database does; an owner who restores or seeds may."""
    acme = readings.acme.tenant.id
    forged = (
        "INSERT INTO reading_ledger (seq, tenant_id, xact, happened_at, recorded_at, meter, value)"
        f" VALUES (1, {acme}, 2, '2025-03-01Z', '2025-03-01Z', 1, 2.5)"
    )
    with web_login(), entered(tenant_id=acme):
        sql(forged)
    told = "SELECT seq > 1 AND xact = txid_current() AND recorded_at > now() - interval '1 minute' FROM reading_ledger"
    assert sql(told) == [(True,)]
    assert tail(acme) == ledger(acme)
    sql(forged)
    assert (ledger(acme)[0], tail(acme)[0]) == (1, 1)


def test_a_fact_of_another_tenant_is_refused(readings: Cast) -> None:
    """By the policy, before anything enters a tail."""
    with web_login(), entered(tenant_id=readings.acme.tenant.id):
        refused(INSERT, [readings.globex.tenant.id], because="violates row-level security policy")
    assert tail(readings.globex.tenant.id) == []


def test_another_table_enters_no_tail(readings: Cast) -> None:
    """Whoever could make a trigger elsewhere would forge; one of the same name in another schema is another table."""
    sql("CREATE SCHEMA elsewhere")
    for name in ("elsewhere.reading_ledger", "public.reading_ledger_copy"):
        sql(f"CREATE TABLE {name} (tenant_id bigint, seq bigint)")
        sql(
            f"CREATE TRIGGER forges AFTER INSERT ON {name} REFERENCING NEW TABLE AS arrived"
            " FOR EACH STATEMENT EXECUTE FUNCTION reading_ledger_enter_tail()"
        )
        refused(f"INSERT INTO {name} VALUES (1, 1)", because="Only the table reading_ledger records its facts here.")


def test_a_guard_says_what_a_role_may_not(people: Cast) -> None:
    """One value for each column that is not the role's to say; whoever else may insert says what it likes."""
    columns = {
        "id": models.BigAutoField(primary_key=True, serialize=False),
        "tenant_id": models.BigIntegerField(),
        "state": models.TextField(db_default="PENDING"),
        "result": models.TextField(null=True),
    }
    guard = triggers.guards(role="fl_tenant", only={"state": "'PENDING'", "result": "NULL"})
    made = model("Errand", columns)
    table = LedgeredTable("Errand", Kind.PLAIN, grants=WRITERS, checks_tenant=False)
    state = forwards(made, table)
    forwards(AddTrigger("errand", guard.compile(state.apps.get_model(APP, "Errand"))), start=state)  # type: ignore[arg-type]
    acme = people.acme.tenant.id
    finished = f"INSERT INTO errand (tenant_id, state) VALUES ({acme}, 'DONE')"
    answered = f"INSERT INTO errand (tenant_id, result) VALUES ({acme}, 'x')"
    with web_login(), entered(tenant_id=acme):
        sql(f"INSERT INTO errand (tenant_id) VALUES ({acme})")
        for statement in (finished, answered):
            refused(statement, because="An insert into errand leaves to their defaults what only the worker")
    with web_login(), entered(tenant_id=acme, role=DatabaseRole.WORKER):
        sql(finished)
    assert sql("SELECT state FROM errand ORDER BY id") == [("PENDING",), ("DONE",)]


@pytest.mark.usefixtures("sharded")
def test_where_tables_are_spread_the_policy_is_bare(people: Cast) -> None:
    """Citus takes no subselect in a policy; as strict, and as tight."""
    forwards(*MADE)
    bare = "(tenant_id = (current_setting('app.tenant_id'::text))::bigint)"
    policies = {text for table in ("reading_ledger", "reading_tail") for text in portrait(table)["policies"]}
    assert policies == {f"tenant * t {{0}} {bare} {bare}"}
    for company in (people.acme, people.globex):
        sql(INSERT, [company.tenant.id])
    with web_login(), entered(tenant_id=people.acme.tenant.id):
        assert sql("SELECT tenant_id FROM reading_tail") == [(people.acme.tenant.id,)]


@pytest.fixture
def sharded(settings: Any) -> None:
    """The setting of an installation with Citus."""
    settings.FLOWLEDGER_SHARDED = True


@pytest.mark.django_db
def test_what_it_writes_keeps_the_rules_of_citus() -> None:
    """The statements one by one, and the bodies of its functions, of which one reads transition rows."""
    known = Catalogue(volatile={"clock_timestamp"}, not_immutable={"now"}, tables={"reading_ledger", "reading_tail"})
    create, ledgered = MADE
    bare = ProjectState()
    create.state_forwards(APP, bare)
    statements, undoing = collected(create, ledgered), collected_undoing(ledgered, before=bare)
    assert [text for text in (*statements, *undoing) if citus_rules.constraint_with_others(text, known)] == []
    bodies = [text for text in statements if "CREATE OR REPLACE FUNCTION reading_" in text]
    assert len(bodies) == 2
    for body in bodies:
        assert {name: rule(body, known) for name, rule in IN_BODIES.items() if rule(body, known)} == {}
        assert citus_rules.transition_with_table(body, known, transition=["arrived"]) == 0


@pytest.mark.django_db
def test_a_foreign_key_stays_in_the_tenant() -> None:
    """To a tenant's table it becomes one of two columns."""
    columns = {
        "id": models.BigAutoField(primary_key=True),
        "tenant_id": models.BigIntegerField(),
        "reading": models.ForeignKey(
            "tasks_app.Reading", on_delete=models.PROTECT, db_constraint=False, db_index=False
        ),
    }
    forwards(
        *MADE, model("Check", columns, db_table="meter_check"), LedgeredTable("Check", Kind.PLAIN, checks_tenant=False)
    )
    assert (
        "meter_check_reading_id_ref FOREIGN KEY (tenant_id, reading_id) REFERENCES reading_ledger(tenant_id, seq)"
        in str(portrait("meter_check")["constraints"])
    )
