"""Folding while others work: every answer is the ledger's, and what folds is what a rebuild makes.

First the smallest cases, each at one exact moment; then real processes that do everything at once.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, transaction

from analytics.engine.rollups.compact import compact, owners
from analytics.engine.rollups.fold import fold
from analytics.engine.rollups.rebuild import rebuild
from analytics.engine.rollups.restating import Owner
from analytics.flow.family import TRANSITIONS
from tasks_app.models import Project
from tests.audits.comparisons import compared_when_folded, unsound
from tests.audits.crew import Crew, Report, crew
from tests.audits.scene import clock, populate
from tests.cast import Board, Cast, board, cast, tasks
from tests.flow.test_rollup_properties import everything
from tests.processes import wait_until
from tests.tasks_app.recording import sql
from tests.tasks_app.test_concurrent_changes import own_connection

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 10
READERS = 2
LOAD = {"writer": 2, "compactor": 2, "rebuilder": 1, "definer": 1}
A_DAY = timedelta(days=1)

REPORT = """/* tests.report */
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)
VALUES (%(tenant)s, %(actor)s, %(task)s, %(project)s, %(state)s, %(actor)s, 2,
        clock_timestamp() + %(days)s * interval '1 day', gen_random_uuid())
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %(table)s::regclass"


def acme(people: Cast) -> Owner:
    """Acme, as folding knows it."""
    return owners(tenant_id=people.acme.tenant.id)[0]


def reported(people: Cast, *, task: int, state: str, days: float) -> None:
    """Bob reports a move that happened so many days from now."""
    values = {"tenant": people.acme.tenant.id, "actor": people.bob.actor.id, "task": task, "days": days}
    found = people.acme.board
    sql(REPORT, {**values, "project": found.project.id, "state": found.states[state].id})


def unlike_a_rebuild(owner: Owner) -> list[str]:
    """Tables in which a rebuild makes other rows than the folds did."""
    folded = everything(owner.id)
    rebuild(now=clock(), tenant_id=owner.id)
    rebuilt = everything(owner.id)
    return [table for table in folded if folded[table] != rebuilt[table]]


def test_a_fact_that_was_recorded_after_the_compaction_began_is_folded() -> None:
    """A compaction takes its clock once; writers go on meanwhile."""
    people, before = cast(), clock()
    tasks(board=people.acme.board, count=1)
    assert compact(now=before) == 1
    assert unsound(owner=acme(people)) == []


def test_a_compaction_that_began_long_ago_puts_each_fact_into_its_day() -> None:
    """P50: what it restates may have happened after it began, and after all the facts of the batch."""
    people = cast()
    long_ago = clock() - 50 * A_DAY
    task = tasks(board=people.acme.board, count=1)[0].id
    compact(now=long_ago)
    for days, state in ((-40, "doing"), (-5, "review")):
        reported(people, task=task, state=state, days=days)
    compact(now=long_ago)
    assert unsound(owner=acme(people)) == []
    assert unlike_a_rebuild(acme(people)) == []


def test_a_rebuild_that_began_long_ago_puts_each_fact_into_its_day() -> None:
    """It may have waited for its turn while others recorded and folded."""
    people = cast()
    task = tasks(board=people.acme.board, count=1)[0].id
    reported(people, task=task, state="done", days=-40)
    compact(now=clock())
    folded = everything(acme(people).id)
    rebuild(now=clock() - 20 * A_DAY, tenant_id=acme(people).id)
    assert everything(acme(people).id) == folded


@contextmanager
def a_fold_that_waits_for(table: str, *, owner: Owner) -> Iterator[None]:
    """Inside, another session's fold has come to its first statement that reads the table."""

    def folded() -> None:
        try:
            fold(owner=owner, family=TRANSITIONS, now=clock(), most_facts=100)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool, own_connection() as watcher:
        watcher.autocommit = True
        with transaction.atomic():
            sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            future = pool.submit(folded)
            wait_until(lambda: watcher.execute(WAITING, {"table": table}).fetchone() == (1,))
            yield
        future.result()


def a_new_board(people: Cast) -> None:
    """With a task."""
    tasks(board=board(tenant=people.acme.tenant, key="NEW"), count=1)


def a_new_state(people: Cast) -> None:
    """With a task in it."""
    found = people.acme.board
    state = found.project.states.create(
        tenant=people.acme.tenant, slug="new", name="New", category="IN_PROGRESS", position=9
    )
    sql("UPDATE task SET state_id = %s WHERE tenant_id = %s", [state.id, people.acme.tenant.id])


@pytest.mark.parametrize("change", [a_new_board, a_new_state])
def test_definitions_that_come_while_a_fold_begins(change: Callable[[Cast], None]) -> None:
    """P28: the fold takes facts of a board or state that it did not know of; the next one counts them."""
    people = cast()
    tasks(board=people.acme.board, count=2)
    owner = acme(people)
    compact(now=clock())
    with a_fold_that_waits_for("task_tail", owner=owner):
        change(people)
    tasks(board=people.acme.board, count=1)
    assert compared_when_folded(owner=owner, questions=20, chance=Random(1)) == []
    assert unsound(owner=owner) == []
    assert unlike_a_rebuild(owner) == []


def test_a_board_that_comes_while_the_definitions_are_read() -> None:
    """P28: the fold that takes its facts knows the board and its states, or neither."""
    people = cast()
    tasks(board=people.acme.board, count=2)
    owner = acme(people)
    compact(now=clock())
    with a_fold_that_waits_for("project", owner=owner):
        a_new_board(people)
    assert compared_when_folded(owner=owner, questions=20, chance=Random(1)) == []
    assert unsound(owner=owner) == []
    assert unlike_a_rebuild(owner) == []


def test_a_board_that_gets_its_first_states_while_a_fold_begins() -> None:
    """P28: the fold knows the board, and takes facts of states of which it knows none."""
    people = cast()
    tasks(board=people.acme.board, count=2)
    owner = acme(people)
    bare = Project.objects.create(tenant=people.acme.tenant, key="BARE", name="Bare", timezone="UTC")
    compact(now=clock())
    with a_fold_that_waits_for("task_tail", owner=owner):
        state = bare.states.create(
            tenant=people.acme.tenant, slug="new", name="New", category="IN_PROGRESS", position=0
        )
        tasks(board=Board(project=bare, states={"new": state}), count=2, state="new")
    assert compared_when_folded(owner=owner, questions=20, chance=Random(1)) == []
    assert unsound(owner=owner) == []
    assert unlike_a_rebuild(owner) == []


def under_load(found: Crew) -> tuple[Report, Report]:
    """What the load did in one round, and what two readers saw meanwhile."""
    hired = found.hire({"reader": READERS, **LOAD})
    readers, load = hired[:READERS], hired[READERS:]
    time.sleep(SECONDS)
    seen = found.dismiss(readers)
    return found.dismiss(load), seen


def is_enough(done: Counter[str]) -> bool:
    """Whether all that is to meet has met, and many answers came from rollups and tail."""
    met = ("committed", "rolled back", "compacted", "rebuilt", "redefined")
    return done["MERGED with a tail"] > 10 and all(done[what] > 0 for what in met)


def test_answers_are_the_ledgers_under_any_concurrency() -> None:
    """P5, P37, P50: late commits, late reports, rollbacks, two compactors, rebuilds, definitions that change."""
    populate(tasks_per_board=10)
    compact(now=clock())
    done: Counter[str] = Counter()
    with crew(database=connection.settings_dict["NAME"]) as found:
        # A busy machine may need several rounds.
        while not is_enough(done):
            did, seen = under_load(found)
            assert seen.wrong + did.wrong == []
            done += did.done + seen.done
    assert done["lost"] == 0
    for owner in owners():
        assert compared_when_folded(owner=owner, questions=10, chance=Random(1)) == []
        assert unsound(owner=owner) == []
        assert unlike_a_rebuild(owner) == []
