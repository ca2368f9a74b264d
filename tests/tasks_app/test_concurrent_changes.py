"""Sessions that change the same tasks at the same time: the row is always what its last fact says."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection

from tasks_app.models import Kind, TaskLedger
from tests.cast import Cast, cast, tasks
from tests.tasks_app.recording import clock, facts_since, mark, strays

MOVE = "UPDATE task SET state_id = %(state)s WHERE tenant_id = %(tenant)s AND id = %(task)s AND discarded_at IS NULL"
MOVE_ALL = "UPDATE task SET state_id = %(state)s WHERE tenant_id = %(tenant)s AND discarded_at IS NULL"
DISCARD = "UPDATE task SET discarded_at = clock_timestamp() WHERE tenant_id = %(tenant)s AND id = %(task)s"
RESTORE = "UPDATE task SET discarded_at = NULL WHERE tenant_id = %(tenant)s AND id = %(task)s"
REPORT = """
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)
VALUES (%(tenant)s, %(actor)s, %(task)s, %(project)s, %(state)s, %(actor)s, 2,
        clock_timestamp() - %(late)s * interval '1 millisecond', gen_random_uuid())
"""
LOCK = "SELECT FROM task WHERE tenant_id = %(tenant)s ORDER BY id FOR UPDATE"


def own_connection() -> "psycopg.Connection[Any]":
    """A session beside Django's, on the test's database."""
    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        dbname=settings["NAME"],
    )


def session(*, people: Cast, task_ids: list[int], statements: list[str], seed: int) -> int:
    """Forty random transactions; how many of them could not be because another session was there first."""
    chance, lost = random.Random(seed), 0
    states = [people.acme.board.states[slug].id for slug in ("todo", "doing", "review", "done")]
    with own_connection() as own:
        own.execute("SET deadlock_timeout = '20ms'")
        own.commit()
        for _ in range(40):
            values = {
                "tenant": people.acme.tenant.id,
                "project": people.acme.board.project.id,
                "actor": people.bob.actor.id,
                "task": chance.choice(task_ids),
                "state": chance.choice(states),
                "late": chance.choice([0, 1, 5, 10_000]),
            }
            try:
                own.execute("SELECT set_config('app.actor_id', '', true)")
                if chance.random() < 0.3:
                    own.execute(LOCK, values)
                own.execute(chance.choice(statements), values)
                own.commit() if chance.random() < 0.9 else own.rollback()
            except (psycopg.errors.DeadlockDetected, psycopg.errors.CheckViolation):
                own.rollback()
                lost += 1
    return lost


def together(work: list[Callable[[], int]]) -> int:
    with ThreadPoolExecutor(max_workers=len(work)) as pool:
        return sum(future.result() for future in [pool.submit(one) for one in work])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_row_is_its_last_fact(seed: int) -> None:
    """Moves, bulk moves, discards, restores and late reports of six sessions on four tasks."""
    people = cast()
    task_ids = [task.id for task in tasks(board=people.acme.board, count=4)]
    before = mark()
    everything = [MOVE, MOVE, MOVE_ALL, DISCARD, RESTORE, REPORT, REPORT]
    lost = together(
        [
            partial(session, people=people, task_ids=task_ids, statements=everything, seed=seed * 100 + number)
            for number in range(6)
        ]
    )
    assert lost < 120, "most of the 240 transactions went through"
    assert len(facts_since(before)) > 50
    assert strays() == []


@pytest.mark.django_db(transaction=True)
def test_live_changes_form_a_chain() -> None:
    """Without late reports each fact starts where the one before it, by either clock or by seq, ended."""
    people = cast()
    task_ids = [task.id for task in tasks(board=people.acme.board, count=3)]
    together(
        [
            partial(session, people=people, task_ids=task_ids, statements=[MOVE, MOVE_ALL], seed=number)
            for number in range(6)
        ]
    )
    for task_id in task_ids:
        facts = list(TaskLedger.objects.filter(task_id=task_id, kind__lte=Kind.RESTORED).order_by("seq"))
        assert [f.from_id for f in facts] == [0, *(f.to_id for f in facts[:-1])]
        assert [f.seq for f in facts] == [f.seq for f in sorted(facts, key=lambda f: (f.happened_at, f.seq))]
        assert all(f.happened_at <= clock() + timedelta(seconds=1) for f in facts)
    assert strays() == []
