"""N changed rows are N ledger rows, whatever writes them: the ORM, SQL, COPY, psql (P41, P42, P43, P47)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from tasks_app.models import Actor, ActorKind, DeletedTask, Kind, Project, Task, TaskWords
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Board, Cast, tasks
from tests.tasks_app.recording import clock, facts_since, mark, sql, strays, web_login

COPY_IN = "COPY task (tenant_id, project_id, state_id, key, title) FROM STDIN"
Change = Callable[[Board, list[Task]], object]


def insert_values(board: Board, *, first: int, count: int) -> list[tuple[int, int, int, str, str]]:
    """Rows of new tasks for SQL, keyed NEW-<number>."""
    project, state = board.project, board.states["todo"]
    return [(project.tenant_id, project.id, state.id, f"NEW-{n}", "made by SQL") for n in range(first, first + count)]


def save_each(board: Board, made: list[Task]) -> None:
    for task in made:
        task.state = board.states["doing"]
        task.save()


def queryset_update(board: Board, made: list[Task]) -> None:
    Task.objects.filter(tenant_id=board.project.tenant_id).update(state_id=board.states["doing"].id)


def bulk_update(board: Board, made: list[Task]) -> None:
    for task in made:
        task.state = board.states["doing"]
    Task.objects.bulk_update(made, ["state"])


def upsert_by_orm(board: Board, made: list[Task]) -> None:
    Task.objects.bulk_create(
        [
            Task(tenant_id=t.tenant_id, project_id=t.project_id, key=t.key, title=t.title, state=board.states["doing"])
            for t in made
        ],
        update_conflicts=True,
        unique_fields=["tenant", "key"],
        update_fields=["state"],
    )


def upsert_by_sql(board: Board, made: list[Task]) -> None:
    for task in made:
        sql(
            "INSERT INTO task (tenant_id, project_id, state_id, key, title) VALUES (%s, %s, %s, %s, '')"
            " ON CONFLICT (tenant_id, key) DO UPDATE SET state_id = excluded.state_id",
            [task.tenant_id, task.project_id, board.states["doing"].id, task.key],
        )


def update_from(board: Board, made: list[Task]) -> None:
    sql(
        "UPDATE task t SET state_id = s.id FROM workflow_state s, project p"
        " WHERE p.tenant_id = %s AND p.tenant_id = t.tenant_id AND p.id = t.project_id"
        " AND s.tenant_id = p.tenant_id AND s.project_id = p.id AND s.slug = 'doing'",
        [board.project.tenant_id],
    )


def merge(board: Board, made: list[Task]) -> None:
    sql(
        "MERGE INTO task t USING (SELECT id FROM task WHERE tenant_id = %s) s ON t.tenant_id = %s AND t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET state_id = %s",
        [board.project.tenant_id, board.project.tenant_id, board.states["doing"].id],
    )


def data_modifying_cte(board: Board, made: list[Task]) -> None:
    sql(
        "WITH moved AS (UPDATE task SET state_id = %s WHERE tenant_id = %s RETURNING id) SELECT count(*) FROM moved",
        [board.states["doing"].id, board.project.tenant_id],
    )


def prepared(board: Board, made: list[Task]) -> None:
    with connection.cursor() as cursor:
        for task in made:
            cursor.cursor.execute(
                b"UPDATE task SET state_id = %s WHERE tenant_id = %s AND id = %s",
                (board.states["doing"].id, task.tenant_id, task.id),
                prepare=True,
            )


def plpgsql_loop(board: Board, made: list[Task]) -> None:
    sql(
        f"DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM task WHERE tenant_id = {board.project.tenant_id} LOOP"
        f" UPDATE task SET state_id = {board.states['doing'].id}"
        f" WHERE tenant_id = {board.project.tenant_id} AND id = r.id; END LOOP; END $$"
    )


MOVES: list[Change] = [
    save_each,
    queryset_update,
    bulk_update,
    upsert_by_orm,
    upsert_by_sql,
    update_from,
    merge,
    data_modifying_cte,
    prepared,
    plpgsql_loop,
]


@pytest.mark.parametrize("change", MOVES)
def test_each_way_to_move_records_one_fact_a_task(people: Cast, change: Change) -> None:
    """P41: five moved tasks are five facts, of the right tenant, states, actor and time."""
    board = people.acme.board
    made = tasks(board=board, count=5)
    others = tasks(board=people.globex.board, count=2)
    before, began = mark(), clock()
    change(board, made)
    facts = facts_since(before)
    assert sorted(fact.task_id for fact in facts) == sorted(task.id for task in made)
    assert {(f.tenant_id, f.project_id, f.kind, f.from_id, f.to_id) for f in facts} == {
        (board.project.tenant_id, board.project.id, Kind.MOVED, board.states["todo"].id, board.states["doing"].id)
    }
    assert all(began <= fact.happened_at == fact.recorded_at <= clock() for fact in facts)
    assert {fact.task_id for fact in facts}.isdisjoint(task.id for task in others)
    assert strays() == []


@pytest.mark.parametrize("role", [DatabaseRole.TENANT, DatabaseRole.WORKER])
@pytest.mark.parametrize("change", MOVES)
def test_the_web_login_is_recorded_as_who_it_says(people: Cast, role: DatabaseRole, change: Change) -> None:
    """P42: under row level security, by exactly the web's login, the facts name Bob and one correlation."""
    made = tasks(board=people.acme.board, count=3)
    before = mark()
    bob = people.bob.actor.id
    with web_login(), entered(tenant_id=people.acme.tenant.id, actor_id=bob, role=role, correlation_id=77):
        change(people.acme.board, made)
    assert [(f.kind, f.actor_id, f.correlation) for f in facts_since(before)] == [(Kind.MOVED, bob, 77)] * 3


def create_each(board: Board) -> None:
    for tenant_id, project_id, state_id, key, title in insert_values(board, first=1, count=4):
        Task.objects.create(tenant_id=tenant_id, project_id=project_id, state_id=state_id, key=key, title=title)


def bulk_create(board: Board) -> None:
    Task.objects.bulk_create(
        Task(tenant_id=tenant_id, project_id=project_id, state_id=state_id, key=key, title=title)
        for tenant_id, project_id, state_id, key, title in insert_values(board, first=1, count=4)
    )


def insert_select(board: Board) -> None:
    project, state = board.project, board.states["todo"]
    sql(
        "INSERT INTO task (tenant_id, project_id, state_id, key, title)"
        " SELECT %s, %s, %s, 'NEW-' || n, '' FROM generate_series(1, 4) n",
        [project.tenant_id, project.id, state.id],
    )


def merge_in(board: Board) -> None:
    project, state = board.project, board.states["todo"]
    sql(
        "MERGE INTO task t USING generate_series(1, 4) n ON t.tenant_id = %s AND t.key = 'NEW-' || n"
        " WHEN NOT MATCHED THEN INSERT (tenant_id, project_id, state_id, key, title)"
        " VALUES (%s, %s, %s, 'NEW-' || n, '')",
        [project.tenant_id, project.tenant_id, project.id, state.id],
    )


def copy_in(board: Board) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY_IN) as copy:
        for row in insert_values(board, first=1, count=4):
            copy.write_row(row)


@pytest.mark.parametrize("create", [create_each, bulk_create, insert_select, merge_in, copy_in])
def test_each_way_to_create_records_a_first_fact(people: Cast, create: Callable[[Board], object]) -> None:
    """P41, P47: every new task has its baseline row, whatever inserted it."""
    before = mark()
    create(people.acme.board)
    facts = facts_since(before)
    todo = people.acme.board.states["todo"].id
    assert [(fact.kind, fact.from_id, fact.to_id) for fact in facts] == [(Kind.CREATED, 0, todo)] * 4
    keys = dict(Task.objects.filter(tenant_id=people.acme.tenant.id).values_list("id", "key"))
    assert sorted(keys[fact.task_id] for fact in facts) == ["NEW-1", "NEW-2", "NEW-3", "NEW-4"]
    assert strays() == []


def test_an_upsert_records_new_rows_as_created_and_old_ones_as_moved(people: Cast) -> None:
    """P41: one row each, though one statement did both."""
    board = people.acme.board
    old = tasks(board=board, count=1)[0]
    before = mark()
    Task.objects.bulk_create(
        [
            Task(tenant_id=old.tenant_id, project_id=old.project_id, key=key, title=title, state=board.states["doing"])
            for key, title in ((old.key, old.title), ("NEW-1", "new"))
        ],
        update_conflicts=True,
        unique_fields=["tenant", "key"],
        update_fields=["state"],
    )
    facts = {fact.task_id: (fact.kind, fact.from_id, fact.to_id) for fact in facts_since(before)}
    doing, todo = board.states["doing"].id, board.states["todo"].id
    assert facts.pop(old.id) == (Kind.MOVED, todo, doing)
    assert list(facts.values()) == [(Kind.CREATED, 0, doing)]


def test_a_save_without_a_change_records_nothing(people: Cast) -> None:
    """A repeated save, an update to the same value and an update of nothing are no facts."""
    (task,) = tasks(board=people.acme.board, count=1)
    before = mark()
    task.save()
    Task.objects.filter(id=task.id).update(state_id=task.state_id, title=task.title, assignee_id=None)
    Task.objects.filter(id=-1).update(state_id=people.acme.board.states["done"].id)
    Task.objects.bulk_create([])
    assert facts_since(before) == []


def test_one_update_of_three_things_records_three_facts(people: Cast) -> None:
    """State, title and assignee at once: a fact of each kind; the words are kept apart from the ledger."""
    (task,) = tasks(board=people.acme.board, count=1)
    before = mark()
    doing, bob = people.acme.board.states["doing"].id, people.bob.actor.id
    Task.objects.filter(id=task.id).update(state_id=doing, title="Another name", assignee_id=bob)
    facts = {fact.kind: fact for fact in facts_since(before)}
    assert sorted(facts) == [Kind.MOVED, Kind.ASSIGNED, Kind.RENAMED]
    assert (facts[Kind.MOVED].from_id, facts[Kind.MOVED].to_id) == (task.state_id, doing)
    assert (facts[Kind.ASSIGNED].from_id, facts[Kind.ASSIGNED].to_id) == (0, bob)
    words = dict(TaskWords.objects.filter(tenant_id=task.tenant_id).values_list("id", "words"))
    renamed = facts[Kind.RENAMED]
    assert (words[renamed.from_id], words[renamed.to_id]) == ("Task 1", "Another name")
    assert len({(fact.actor_id, fact.correlation, fact.xact) for fact in facts.values()}) == 1


def test_transfer_discard_and_restore_have_kinds_of_their_own(people: Cast) -> None:
    """Each sets project and state; the states of a discard are (the last one, 0), of a restore (0, the state)."""
    (task,) = tasks(board=people.acme.board, count=1)
    there = people.acme.second_board
    row = Task.objects.filter(id=task.id)
    before = mark()
    row.update(project_id=there.project.id, state_id=there.states["doing"].id)
    row.update(discarded_at=clock())
    row.update(discarded_at=None, state_id=there.states["todo"].id)
    web, ops, doing, todo = task.state_id, there.project.id, there.states["doing"].id, there.states["todo"].id
    assert [(f.kind, f.project_id, f.from_id, f.to_id) for f in facts_since(before)] == [
        (Kind.TRANSFERRED, ops, web, doing),
        (Kind.DISCARDED, ops, doing, 0),
        (Kind.RESTORED, ops, 0, todo),
    ]
    assert strays() == []


def test_a_discarded_task_is_not_moved_unnoticed(people: Cast) -> None:
    """Off the board there is nowhere to move to: the update is refused with the way out."""
    (task,) = tasks(board=people.acme.board, count=1)
    Task.objects.filter(id=task.id).update(discarded_at=clock())
    with pytest.raises(Exception, match="WEB-1 is discarded: restore it before it is moved"), transaction.atomic():
        Task.objects.filter(id=task.id).update(state_id=people.acme.board.states["doing"].id)


def test_a_hard_delete_is_a_discard_that_can_still_be_read(people: Cast) -> None:
    """P46: the fact outlives the row, and deleted_task keeps what the task was called."""
    made = tasks(board=people.acme.board, count=3)
    before = mark()
    sql("DELETE FROM task WHERE tenant_id = %s", [people.acme.tenant.id])
    facts = facts_since(before)
    assert [(f.kind, f.from_id, f.to_id) for f in facts] == [(Kind.DISCARDED, made[0].state_id, 0)] * 3
    kept = DeletedTask.objects.filter(tenant_id=people.acme.tenant.id).values_list("task_id", "key", "title")
    assert sorted(kept) == sorted((task.id, task.key, task.title) for task in made)


def test_the_delete_of_a_discarded_task_is_no_second_leaving(people: Cast) -> None:
    """It left when it was discarded; its key stays readable."""
    (task,) = tasks(board=people.acme.board, count=1)
    Task.objects.filter(id=task.id).update(discarded_at=clock())
    before = mark()
    Task.objects.filter(id=task.id).delete()
    assert facts_since(before) == []
    assert DeletedTask.objects.get(tenant_id=people.acme.tenant.id).key == "WEB-1"


def test_a_task_may_arrive_from_earlier_assigned_and_discarded(people: Cast) -> None:
    """Each thing that an inserted row says is a fact of it; its two clocks differ."""
    board, long_ago = people.acme.board, datetime(2024, 2, 29, 12, tzinfo=UTC)
    before, began = mark(), clock()
    Task.objects.create(
        tenant=people.acme.tenant,
        project=board.project,
        state=board.states["done"],
        key="WEB-1",
        title="From earlier",
        assignee=people.bob.actor,
        created_at=long_ago,
        discarded_at=long_ago + timedelta(days=1),
    )
    facts = facts_since(before)
    assert [(f.kind, f.from_id, f.to_id, f.happened_at) for f in facts] == [
        (Kind.CREATED, 0, board.states["done"].id, long_ago),
        (Kind.DISCARDED, board.states["done"].id, 0, long_ago + timedelta(days=1)),
        (Kind.ASSIGNED, 0, people.bob.actor.id, long_ago),
    ]
    assert all(began <= fact.recorded_at <= clock() for fact in facts)
    assert Project.objects.get(id=board.project.id).recorded_since == long_ago


def test_a_task_of_the_future_is_refused(people: Cast) -> None:
    """What is recorded has happened."""
    board = people.acme.board
    with pytest.raises(Exception, match="cannot have been created in the future"), transaction.atomic():
        Task.objects.create(
            tenant=people.acme.tenant,
            project=board.project,
            state=board.states["todo"],
            key="WEB-1",
            title="Tomorrow",
            created_at=clock() + timedelta(days=1),
        )


def test_raw_sql_is_recorded_under_the_database_login(people: Cast) -> None:
    """P42: who does not say who they are is named by their login, once for each tenant."""
    made = [*tasks(board=people.acme.board, count=2), *tasks(board=people.globex.board, count=2)]
    sql("SET LOCAL app.actor_id = ''")
    before = mark()
    sql(
        "UPDATE task t SET state_id = s.id FROM workflow_state s"
        " WHERE s.tenant_id = t.tenant_id AND s.project_id = t.project_id AND s.slug = 'done'"
    )
    facts = facts_since(before)
    actors = {actor.id: actor for actor in Actor.objects.filter(kind=ActorKind.SQL)}
    login = sql("SELECT session_user::text")[0][0]
    assert len(facts) == len(made)
    assert all(
        (actors[fact.actor_id].tenant_id, actors[fact.actor_id].name) == (fact.tenant_id, login) for fact in facts
    )
    assert {actor.tenant_id for actor in actors.values()} == {people.acme.tenant.id, people.globex.tenant.id}
    assert len(actors) == 2
