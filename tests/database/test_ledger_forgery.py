"""What SQL within a tenant's request could try: to change a task unrecorded, or to record what did not happen.

Each test is exactly the web's login in a tenant's role, as a request is. Who may run any SQL there can name another tenant
of the same login: row level security guards against forgotten filters, and the last tests say where that ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pgtrigger
import pytest
from django.db import connection, transaction

from tasks_app.models import Actor, ActorKind, Kind, Task
from tasks_app.tenancy import entered
from tests.cast import Cast, Company, Person, tasks
from tests.database.recording import facts_since, mark, refused, sql, strays, web_login

TRIGGER_FUNCTIONS = (
    "task_changed",
    "task_assigned",
    "task_renamed",
    "task_created",
    "task_deleted",
    "state_defined",
    "project_defined",
    "events_reported",
)
@contextmanager
def asking(company: Company, person: Person) -> Iterator[None]:
    """A request of a member."""
    with web_login(), entered(tenant_id=company.tenant.id, actor_id=person.actor.id):
        yield


def move_one(people: Cast, *, slug: str = "doing") -> None:
    (task,) = Task.objects.filter(key="WEB-1", tenant_id=people.acme.tenant.id)
    assert Task.objects.filter(id=task.id).update(state_id=people.acme.board.states[slug].id) == 1


def was_recorded(people: Cast, position: int) -> bool:
    """Exactly the move of move_one, by Bob."""
    facts = facts_since(position)
    return [(f.kind, f.to_id, f.actor_id) for f in facts] == [
        (Kind.MOVED, people.acme.board.states["doing"].id, people.bob.actor.id)
    ]


@pytest.fixture
def board_with_a_task(people: Cast) -> Cast:
    """WEB-1 of Acme, to do; Globex has a WEB-1, too."""
    tasks(board=people.acme.board, count=1)
    tasks(board=people.globex.board, count=1)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")
    return people


def test_the_ignore_setting_of_pgtrigger_switches_nothing_off(board_with_a_task: Cast) -> None:
    """pgtrigger's own function bodies look at a setting that any SQL can set; ours do not use them."""
    people, before = board_with_a_task, mark()
    names = sql("SELECT string_agg(tgname, ',') FROM pg_trigger WHERE NOT tgisinternal")[0][0]
    with asking(people.acme, people.bob):
        sql("SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{names}}}"])
        with pgtrigger.ignore():
            move_one(people)
        sql("SELECT set_config('pgtrigger.ignore', '{}', true)")
    assert was_recorded(people, before)


SETTINGS = (
    "transform_null_equals = on",
    "standard_conforming_strings = off",
    "search_path = ''",
    "search_path = pg_temp, pg_catalog",
    "plan_cache_mode = force_generic_plan",
    "timezone = 'Asia/Kathmandu'",
    "datestyle = 'German'",
    "constraint_exclusion = on",
    "session_authorization = default",
    "app.correlation_id = ''",
    "flowledger.recording = off",
    "default_transaction_read_only = on",
)


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_that_a_request_may_set_switches_recording_off(board_with_a_task: Cast, setting: str) -> None:
    """Whatever is set, the move is recorded once, in the real ledger."""
    people, before = board_with_a_task, mark()
    states = people.acme.board.states
    with asking(people.acme, people.bob):
        if setting.startswith("session_authorization"):
            refused("SET LOCAL ROLE fl_ledger", because="permission denied to set role")
        else:
            sql(f"SET LOCAL {setting}")
        sql("UPDATE public.task SET state_id = %s", [states["doing"].id])
        sql("SET LOCAL search_path = public")
        sql("SET LOCAL standard_conforming_strings = on")
    sql("RESET ALL")
    assert was_recorded(people, before)


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
    "CREATE FUNCTION now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'": "permission denied for schema",
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


@pytest.mark.parametrize("function", (*TRIGGER_FUNCTIONS, "refuse_change", "refuse_new_identity"))
def test_a_ledger_function_is_not_called_directly(board_with_a_task: Cast, function: str) -> None:
    """EXECUTE is revoked from everybody but who makes the triggers."""
    with asking(board_with_a_task.acme, board_with_a_task.bob):
        refused(f"SELECT {function}()", because=f"permission denied for function {function}")


def bait_trigger(function: str) -> tuple[str, str, str]:
    """For a temporary table like the function's own: its model, its trigger, and the statement that fires it."""
    model = {"state_defined": "workflow_state", "project_defined": "project"}.get(function, "task")
    transition = {"task_created": "arrived", "events_reported": "reported"}.get(function)
    event = "INSERT" if transition else "UPDATE"
    level = f"REFERENCING NEW TABLE AS {transition} FOR EACH STATEMENT" if transition else "FOR EACH ROW"
    fire = "INSERT INTO bait SELECT * FROM bait" if transition else "UPDATE bait SET id = id"
    return model, f"CREATE TRIGGER x AFTER {event} ON bait {level} EXECUTE FUNCTION {function}()", fire


@pytest.mark.parametrize("function", TRIGGER_FUNCTIONS)
def test_a_trigger_on_a_table_of_ones_own_forges_nothing(board_with_a_task: Cast, function: str) -> None:
    """Behind the missing right to make temporary tables stand two more walls, tried with the first ones taken down."""
    people, before = board_with_a_task, mark()
    model, trigger, fire = bait_trigger(function)
    sql(f'GRANT TEMP ON DATABASE "{connection.settings_dict["NAME"]}" TO fl_tenant')
    with asking(people.acme, people.bob):
        sql(f"CREATE TEMP TABLE bait AS SELECT * FROM {model}")
        refused(trigger, because=f"permission denied for function {function}")
    sql(f"GRANT EXECUTE ON FUNCTION {function}() TO fl_tenant")
    with asking(people.acme, people.bob):
        sql(trigger)
        refused(fire, because=r"^Only the table \w+ records its changes here")
    assert facts_since(before) == []


def test_a_temporary_namesake_catches_no_facts(board_with_a_task: Cast) -> None:
    """With the right to make temporary tables given back, the functions still write to public alone."""
    people, before = board_with_a_task, mark()
    sql(f'GRANT TEMP ON DATABASE "{connection.settings_dict["NAME"]}" TO fl_tenant')
    with asking(people.acme, people.bob):
        for table in ("task_ledger", "task_tail", "actor", "task"):
            sql(f"CREATE TEMP TABLE {table} (LIKE public.{table})")
            sql(f"GRANT ALL ON pg_temp.{table} TO PUBLIC")
        sql("CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$SELECT '2000-01-01Z'::timestamptz$$")
        sql("SET LOCAL search_path = pg_temp, public, pg_catalog")
        sql("UPDATE public.task SET state_id = %s", [people.acme.board.states["doing"].id])
        assert sql("SELECT count(*) FROM pg_temp.task_ledger") == [(0,)]
        sql("SET LOCAL search_path = public")
        sql("DROP TABLE pg_temp.task_ledger, pg_temp.task_tail, pg_temp.actor, pg_temp.task")
    assert was_recorded(people, before)
    assert facts_since(before)[0].happened_at.year > 2000


@pytest.mark.parametrize("named", ["another_tenants", "nobodys", "no_number"])
def test_the_actor_must_be_one_of_the_tenant(board_with_a_task: Cast, named: str) -> None:
    """P42: another tenant's actor, nobody's id and nonsense stop the change; none is recorded as somebody else."""
    people, before = board_with_a_task, mark()
    value = {"another_tenants": str(people.carol.actor.id), "nobodys": "2000000000", "no_number": "Bob"}[named]
    because = "invalid input syntax" if named == "no_number" else "app.actor_id names no actor of this tenant"
    with asking(people.acme, people.bob):
        sql("SELECT set_config('app.actor_id', %s, true)", [value])
        refused("UPDATE task SET title = 'Forged'", because=because)
        refused(f"UPDATE task SET state_id = {people.acme.board.states['doing'].id}", because=because)
    assert facts_since(before) == []


IDENTITIES = {
    "UPDATE actor SET id = id + 1000000": "permission denied for table actor",
    "UPDATE actor SET user_id = NULL": "permission denied for table actor",
    "UPDATE actor SET kind = 'JOB'": "permission denied for table actor",
    "UPDATE task SET id = id + 1000000": "A task keeps its id",
    "UPDATE task SET key = 'WEB-99'": "A task keeps its id, tenant, key",
    "UPDATE task SET created_at = created_at - interval '1 year'": "created_at follows its facts",
    "UPDATE task SET external_id = 'T1'": "external id for life",
    "UPDATE task SET source_id = (SELECT min(id) FROM actor)": "external id for life",
    "UPDATE workflow_state SET id = id + 1000000": "A state keeps its id",
    "UPDATE workflow_state SET project_id = (SELECT max(id) FROM project)": "A state keeps its id",
    "UPDATE project SET id = id + 1000000": "A project keeps its id",
    "UPDATE project SET recorded_since = now()": "recorded_since follows its facts",
    "UPDATE project SET recorded_since = recorded_since - interval '1 year'": "recorded_since follows its facts",
}


@pytest.mark.parametrize("statement", IDENTITIES)
def test_what_the_ledger_calls_a_row_by_stays(board_with_a_task: Cast, statement: str) -> None:
    """The ledger has ids only: two actors that swap theirs would have swapped what they ever did."""
    with asking(board_with_a_task.acme, board_with_a_task.bob):
        refused(statement, because=IDENTITIES[statement])


def test_an_actor_may_be_renamed(board_with_a_task: Cast) -> None:
    """Names are people's words: they change and are erased."""
    people = board_with_a_task
    with asking(people.acme, people.bob):
        assert Actor.objects.filter(id=people.bob.actor.id).update(name="") == 1
    assert Actor.objects.get(id=people.bob.actor.id).name == ""


@pytest.mark.parametrize("column", ["state_id", "assignee_id"])
def test_nothing_that_is_not_there_is_recorded_for_a_moment(board_with_a_task: Cast, column: str) -> None:
    """A foreign key checked at commit would let a fact name another tenant's state, corrected before the commit."""
    people, before = board_with_a_task, mark()
    foreign = {"state_id": people.globex.board.states["done"].id, "assignee_id": people.carol.actor.id}[column]
    with asking(people.acme, people.bob):
        sql("SET CONSTRAINTS ALL DEFERRED")
        for value in (foreign, 2_000_000_000):
            refused(f"UPDATE task SET {column} = {value}", because="violates foreign key constraint")
    assert facts_since(before) == []


def test_a_state_of_another_board_of_the_tenant_is_refused(board_with_a_task: Cast) -> None:
    """State and project must fit, or a chart would miss the task."""
    people = board_with_a_task
    with asking(people.acme, people.bob):
        state = people.acme.second_board.states["doing"].id
        refused(f"UPDATE task SET state_id = {state}", because="violates foreign key constraint")


@pytest.mark.parametrize("table", ["task", "project", "workflow_state", "membership", "actor", "fact_note"])
def test_no_row_is_written_for_another_tenant(board_with_a_task: Cast, table: str) -> None:
    """An insert under another tenant's id violates the policy, whatever else is wrong with it."""
    people = board_with_a_task
    there = people.globex
    rows: dict[str, dict[str, Any]] = {
        "task": {"project_id": there.board.project.id, "state_id": there.board.states["todo"].id, "key": "X", "title": ""},
        "project": {"key": "X", "name": "", "timezone": "UTC"},
        "workflow_state": {"project_id": there.board.project.id, "slug": "x", "name": "", "category": "TODO", "position": 9},
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


def test_limit_naming_another_tenant_shows_it_but_cannot_act_there(board_with_a_task: Cast) -> None:
    """Where row level security ends: SQL may name another tenant. Even then Bob is no actor there."""
    people, before = board_with_a_task, mark()
    with asking(people.acme, people.bob):
        sql(f"SET LOCAL app.tenant_id = '{people.globex.tenant.id}'")
        assert sql("SELECT tenant_id FROM task") == [(people.globex.tenant.id,)]
        refused("UPDATE task SET title = 'Forged'", because="app.actor_id names no actor of this tenant")
        sql(f"SET LOCAL app.tenant_id = '{people.acme.tenant.id}'")
    assert facts_since(before) == []


def test_limit_what_names_nobody_is_recorded_as_the_login(board_with_a_task: Cast) -> None:
    """SQL may also withhold its actor. The fact is recorded all the same, and says that nobody was named."""
    people, before = board_with_a_task, mark()
    with asking(people.acme, people.bob):
        sql("SET LOCAL app.actor_id = ''")
        move_one(people)
    (fact,) = facts_since(before)
    actor = Actor.objects.get(id=fact.actor_id)
    assert (actor.tenant_id, actor.kind, actor.name) == (people.acme.tenant.id, ActorKind.SQL, "fl_app")
    assert strays() == []


def test_limit_an_actor_row_may_be_made_but_not_in_anothers_place(board_with_a_task: Cast) -> None:
    """Imports make actors; one with the id or the name of another is refused."""
    people = board_with_a_task
    with asking(people.acme, people.bob), transaction.atomic():
        refused(
            f"INSERT INTO actor (tenant_id, id, kind, name) VALUES ({people.acme.tenant.id}, {people.alice.actor.id}, 'IMPORT', 'x')",
            because="duplicate key",
        )


REPORT = """
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)
SELECT tenant_id, %(actor)s, id, project_id, %(to)s, %(actor)s, %(kind)s, %(happened_at)s::timestamptz, gen_random_uuid()
  FROM task
"""
SENSELESS = {
    "no kind": {"kind": 0},
    "a rename, whose words a report does not have": {"kind": 8},
    "a definition": {"kind": 9},
    "an unknown kind": {"kind": 10},
    "a negative kind": {"kind": -1},
    "a discard into a state": {"kind": 4},
    "a move to nowhere": {"to": 0},
    "the year 16": {"happened_at": "0016-03-01 12:00Z"},
    "before any time": {"happened_at": "-infinity"},
}


@pytest.mark.parametrize("case", SENSELESS)
def test_a_senseless_report_is_refused(board_with_a_task: Cast, case: str) -> None:
    """The second door takes what can be a fact of a task; the rest changes nothing."""
    people, before = board_with_a_task, mark()
    doing = people.acme.board.states["doing"].id
    values = {"actor": people.bob.actor.id, "to": doing, "kind": 2, "happened_at": "2026-01-01Z", **SENSELESS[case]}
    with asking(people.acme, people.bob):
        refused(REPORT, values, because="violates check constraint")
    assert facts_since(before) == []


@pytest.mark.parametrize("instant", ["infinity", "2999-01-01Z"])
def test_a_report_of_the_future_is_refused(board_with_a_task: Cast, instant: str) -> None:
    """What is recorded has happened."""
    people = board_with_a_task
    values = {"actor": people.bob.actor.id, "to": people.acme.board.states["doing"].id, "kind": 2, "happened_at": instant}
    with asking(people.acme, people.bob):
        refused(REPORT, values, because="An event cannot have happened in the future")


def test_a_report_of_another_tenants_task_is_refused(board_with_a_task: Cast) -> None:
    """Under one's own tenant's id the other's task does not exist; under the other's id the policy refuses."""
    people = board_with_a_task
    (theirs,) = Task.objects.filter(tenant_id=people.globex.tenant.id)
    state, bob = people.acme.board.states["doing"].id, people.bob.actor.id
    insert = (
        "INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)"
        " VALUES (%s, %s, %s, %s, %s, %s, 2, '2026-01-01Z', gen_random_uuid()); SET CONSTRAINTS ALL IMMEDIATE"
    )
    with asking(people.acme, people.bob):
        refused(
            insert,
            [people.acme.tenant.id, bob, theirs.id, people.acme.board.project.id, state, bob],
            because="There is no task|violates foreign key constraint",
        )
        refused(
            insert,
            [people.globex.tenant.id, bob, theirs.id, people.globex.board.project.id, state, bob],
            because="violates row-level security policy",
        )


def test_a_report_does_not_choose_its_place(board_with_a_task: Cast) -> None:
    """seq is the order of recording: a report cannot claim to have been there first, nor take a place of the future."""
    people = board_with_a_task
    values = {"actor": people.bob.actor.id, "to": people.acme.board.states["doing"].id, "kind": 2, "happened_at": "2026-01-01Z"}
    statement = REPORT.replace("identity)", "identity, seq)").replace("gen_random_uuid()", "gen_random_uuid(), 1")
    with asking(people.acme, people.bob):
        refused(statement, values, because="permission denied for table reported_event")
