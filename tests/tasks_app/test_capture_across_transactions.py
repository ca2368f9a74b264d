"""What only committed transactions and other processes show: correlations, rollbacks, psql (P41, P42, P43)."""

import os
import shutil
import subprocess

import pytest
from django.db import connection, transaction

from config.database.installation import bundled_psql
from tasks_app.models import Actor, ActorKind, Task
from tests.cast import Cast, cast, tasks
from tests.tasks_app.recording import facts_since, mark, sql, strays
from tests.tasks_app.test_concurrent_changes import own_connection


@pytest.mark.django_db(transaction=True)
def test_a_transaction_is_one_correlation_and_the_next_another() -> None:
    """P43: an operation can be read, and undone, as one."""
    people = cast()
    made = tasks(board=people.acme.board, count=4)
    doing, done = (people.acme.board.states[slug].id for slug in ("doing", "done"))
    before = mark()
    with transaction.atomic():
        Task.objects.filter(id=made[0].id).update(state_id=doing)
        with transaction.atomic():
            Task.objects.filter(id=made[1].id).update(state_id=doing)
    Task.objects.filter(id__in=[made[2].id, made[3].id]).update(state_id=done)
    first, second, third, fourth = facts_since(before)
    assert first.correlation == second.correlation == first.xact == second.xact
    assert third.correlation == fourth.correlation != first.correlation


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_never_recorded() -> None:
    """A savepoint that is undone takes its facts and their tail rows with it."""
    people = cast()
    made = tasks(board=people.acme.board, count=2)
    doing = people.acme.board.states["doing"].id
    before = mark()
    with transaction.atomic():
        Task.objects.filter(id=made[0].id).update(state_id=doing)
        undone = transaction.savepoint()
        Task.objects.filter(id=made[1].id).update(state_id=doing)
        transaction.savepoint_rollback(undone)
    assert [fact.task_id for fact in facts_since(before)] == [made[0].id]
    assert strays() == []


def psql(statement: str) -> "subprocess.CompletedProcess[str]":
    """psql as a process of its own, on the test's database, as the owner."""
    settings = connection.settings_dict
    program = shutil.which("psql") or bundled_psql()
    assert program is not None, "the embedded server brings a psql"
    server = {"PGHOST": settings["HOST"], "PGPORT": str(settings["PORT"] or ""), "PGPASSWORD": settings["PASSWORD"]}
    return subprocess.run(
        [program, "-qXAt", "-v", "ON_ERROR_STOP=1", "-U", settings["USER"], "-d", settings["NAME"], "-c", statement],
        env={**os.environ, **{name: value for name, value in server.items() if value}},
        capture_output=True,
        text=True,
    )


@pytest.mark.django_db(transaction=True)
def test_psql_moves_ten_thousand_tasks() -> None:
    """P41, P42, P43: 10,000 rows from one psql statement: as many facts and tail rows, one actor, one correlation."""
    people = cast()
    tasks(board=people.acme.board, count=10_000)
    before = mark()
    outcome = psql(f"UPDATE task SET state_id = {people.acme.board.states['doing'].id}")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    facts = facts_since(before)
    assert len({fact.task_id for fact in facts}) == len(facts) == 10_000
    assert len({(fact.kind, fact.from_id, fact.to_id) for fact in facts}) == 1
    ((actor_id, _, _),) = {(fact.actor_id, fact.correlation, fact.xact) for fact in facts}
    assert Actor.objects.get(id=actor_id).kind == ActorKind.SQL
    assert strays() == []


def test_facts_of_one_statement_are_in_the_order_of_their_clocks(people: Cast) -> None:
    """The clock never runs against the sequence within one transaction."""
    tasks(board=people.acme.board, count=50)
    before = mark()
    for slug in ("doing", "waiting", "review"):
        Task.objects.update(state_id=people.acme.board.states[slug].id)
    facts = facts_since(before)
    assert len(facts) == 150
    assert [fact.happened_at for fact in facts] == sorted(fact.happened_at for fact in facts)


@pytest.mark.django_db(transaction=True)
def test_an_unnamed_login_is_one_actor_under_concurrency() -> None:
    """Two sessions that both are first to write as this login share one actor row."""
    people = cast()
    made = tasks(board=people.acme.board, count=2)
    sql("DELETE FROM actor WHERE kind = 'SQL'")
    doing = people.acme.board.states["doing"].id
    with own_connection() as one:
        one.execute("UPDATE task SET state_id = %s WHERE id = %s", (doing, made[0].id))
        other = psql(f"SET lock_timeout = '200ms'; UPDATE task SET state_id = {doing} WHERE id = {made[1].id}")
        assert "lock timeout" in other.stderr
        one.commit()
    assert psql(f"UPDATE task SET state_id = {doing} WHERE id = {made[1].id}").returncode == 0
    assert Actor.objects.filter(kind=ActorKind.SQL).count() == 1
