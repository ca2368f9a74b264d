"""Random histories, folded bit by bit: rollups, tail and ledger tell the same, and it is what the oracle tells."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connection
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact, owners
from analytics.engine.rollups.rebuild import rebuild
from analytics.engine.rollups.verify import verify_rollups
from analytics.flow.family import TRANSITIONS
from tasks_app.tenancy import entered
from tests.facts_as_text import parse
from tests.flow.loading import seeded
from tests.flow.random_boards import boards, questions
from tests.flow.test_replay_properties import undone, unlike
from tests.oracle.facts import History
from tests.oracle.questions import Question
from tests.properties import some
from tests.spec.postgres import FoldedEngine, HalfFoldedEngine, fold_some
from tests.spec.random_histories import PEOPLE, told
from tests.spec.runner import LONG_AFTER, days
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

DERIVED = (TRANSITIONS.rollup, *(derived.table for derived in TRANSITIONS.derived))
batches = st.lists(st.integers(1, 5), max_size=4)


def everything(tenant_id: int) -> dict[str, list]:
    """Every derived row of the tenant, as text."""
    return {
        table: sorted(row for (row,) in sql(f"SELECT t::text FROM {table} t WHERE tenant_id = %s", [tenant_id]))
        for table in DERIVED
    }


def unsound(tenant_id: int) -> list[str | None]:
    """What verify finds wrong."""
    (owner,) = owners(tenant_id=tenant_id)
    return [check.first for check in verify_rollups(owner=owner, now=LONG_AFTER) if check.failures]


@contextmanager
def definitions_held_back(tenant_id: int) -> Iterator[None]:
    """Inside, the definitions that a project got after its first ones are not there yet."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("CREATE TABLE held_back AS SELECT * FROM definition_ledger WHERE false")
        cursor.execute(
            "WITH later AS (DELETE FROM definition_ledger d WHERE tenant_id = %s AND happened_at > (SELECT min(e.happened_at)"
            " FROM definition_ledger e WHERE e.tenant_id = d.tenant_id AND e.project_id = d.project_id) RETURNING *)"
            " INSERT INTO held_back SELECT * FROM later",
            [tenant_id],
        )
        yield
        cursor.execute("INSERT INTO definition_ledger SELECT * FROM held_back")
        cursor.execute("DROP TABLE held_back")
        cursor.execute("SET LOCAL session_replication_role = origin")


@some
@given(history=boards(), asked=st.lists(questions(), min_size=1, max_size=3), folds=batches)
def test_merged_is_the_oracles_at_any_point_of_folding(
    history: History, asked: list[Question], folds: list[int]
) -> None:
    """P5, P37, P50, P56, P58: late facts, transfers, discards and whatever is not folded yet included."""
    note(told(history))
    with undone():
        engine = HalfFoldedEngine(seeded(history))
        for facts in folds:
            fold_some(tenant_id=engine.told.tenant_id, facts=facts)
        assert unsound(engine.told.tenant_id) == []
        for question in asked:
            note(str(question))
            assert unlike(engine, history, question) == []


@some
@given(history=boards(), asked=st.lists(questions(), min_size=1, max_size=3), folds=batches)
def test_rollups_alone_are_the_oracles_when_all_is_folded(
    history: History, asked: list[Question], folds: list[int]
) -> None:
    """P50, P53, P60: no ledger row is read, and the rollups are those that a rebuild makes."""
    note(told(history))
    with undone():
        engine = FoldedEngine(seeded(history))
        tenant_id = engine.told.tenant_id
        for facts in folds:
            fold_some(tenant_id=tenant_id, facts=facts)
        compact(now=LONG_AFTER, tenant_id=tenant_id)
        for question in asked:
            note(str(question))
            assert unlike(engine, history, question) == []
        compacted = everything(tenant_id)
        rebuild(now=LONG_AFTER, tenant_id=tenant_id)
        assert everything(tenant_id) == compacted
        assert unsound(tenant_id) == []


@some
@given(history=boards(), asked=questions(), folds=batches)
def test_definitions_that_come_between_folds(history: History, asked: Question, folds: list[int]) -> None:
    """P28, P53: until the next fold the ledger answers; after it the rollups are as if they had been known from the start."""
    note(told(history))
    with undone():
        engine = HalfFoldedEngine(seeded(history))
        tenant_id = engine.told.tenant_id
        with definitions_held_back(tenant_id):
            for facts in folds:
                fold_some(tenant_id=tenant_id, facts=facts)
        assert unlike(engine, history, asked) == []
        fold_some(tenant_id=tenant_id, facts=1)
        assert unlike(engine, history, asked) == []
        assert unsound(tenant_id) == []
        compact(now=LONG_AFTER, tenant_id=tenant_id)
        compacted = everything(tenant_id)
        rebuild(now=LONG_AFTER, tenant_id=tenant_id)
        assert everything(tenant_id) == compacted


@some
@given(history=boards(), asked=questions(), folds=batches)
def test_persons_are_the_oracles_from_rollups(history: History, asked: Question, folds: list[int]) -> None:
    """P13, P50: items in somebody's hands and somebody's changes, half folded and folded."""
    note(told(history))
    with undone():
        engine = HalfFoldedEngine(seeded(history))
        for facts in folds:
            fold_some(tenant_id=engine.told.tenant_id, facts=facts)
        for name in PEOPLE:
            held = replace(asked, assignee=name, actor=None)
            changed = replace(asked, assignee=None, actor=name)
            assert unlike(engine, history, held) + unlike(engine, history, changed) == []


PLAIN = """
project WEB since=2026-03-01
states Todo:todo Doing:in_progress Done:done
2026-03-02 09:00 WEB-1 created Todo
2026-03-03 09:00 WEB-1 moved Doing
"""


def test_a_plain_question_reads_no_ledger_row() -> None:
    """P59: the properties above would hold, too, if everything fell back to the ledger."""
    with undone():
        engine = FoldedEngine()
        engine.load(history=parse(PLAIN))
        reading = engine.reading(days("2026-03-01", 4))
        with entered(tenant_id=engine.told.tenant_id, read_only=True):
            assert reading.work_in_progress() == [0, 0, 1, 1]
            assert (reading.read_from, reading.fallback, reading.raw_rows) == (ReadFrom.ROLLUP, None, 0)
