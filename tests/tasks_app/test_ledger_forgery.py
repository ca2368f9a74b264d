"""What SQL within a tenant's request could try: to change a task unrecorded, or to record what did not happen.

Each test is exactly the web's login in a tenant's role, as a request is. Who may run any SQL there can name another
tenant: row level security guards against forgotten filters, and the last tests say where that ends.
"""

import pgtrigger
import pytest
from django.db import connection, transaction

from tasks_app.models import Actor, ActorKind, Kind, Task
from tests.cast import Cast
from tests.tasks_app.recording import asking, facts_since, mark, refused, sql, strays

TRIGGER_FUNCTIONS = (
    "task_changed",
    "task_created",
    "task_deleted",
    "state_defined",
    "project_defined",
    "events_reported",
)


def move_one(people: Cast, *, slug: str = "doing") -> None:
    (task,) = Task.objects.filter(key="WEB-1", tenant_id=people.acme.tenant.id)
    assert Task.objects.filter(id=task.id).update(state_id=people.acme.board.states[slug].id) == 1


def was_recorded(people: Cast, position: int) -> bool:
    """Exactly the move of move_one, by Bob."""
    facts = facts_since(position)
    return [(f.kind, f.to_id, f.actor_id) for f in facts] == [
        (Kind.MOVED, people.acme.board.states["doing"].id, people.bob.actor.id)
    ]


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


@pytest.mark.parametrize("function", [*TRIGGER_FUNCTIONS, "refuse_change", "refuse_new_identity"])
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
        sql(
            "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
            " AS $$SELECT '2000-01-01Z'::timestamptz$$"
        )
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
            "INSERT INTO actor (tenant_id, id, kind, name) VALUES (%s, %s, 'IMPORT', 'x')",
            [people.acme.tenant.id, people.alice.actor.id],
            because="duplicate key",
        )
