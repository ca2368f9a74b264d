"""Random histories: every number of an answer is explained by its drill-down, wherever it is read from.

tests.flow.drilled_figures has what the numbers are.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from analytics.engine.rollups.compact import compact
from analytics.flow.drills import FlowMetric
from analytics.flow.reading.drill_result import DrillDown, DrilledEdge, DrillQuestion, Interval, in_order
from analytics.flow.reading.durations import Clip
from analytics.flow.replay.drilling import Slice
from analytics.pure.local_days import Calendar
from tests.flow.drilled_figures import ALL, differences, explained
from tests.flow.loading import seeded
from tests.flow.random_boards import boards, questions
from tests.flow.test_replay_properties import undone
from tests.oracle.facts import History
from tests.oracle.questions import Question
from tests.properties import EXAMPLES, some
from tests.spec.postgres import FoldedEngine, HalfFoldedEngine, PostgresEngine, fold_some
from tests.spec.random_histories import PEOPLE, told
from tests.spec.runner import LONG_AFTER
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

# An answer has some two hundred numbers, each with a statement of its own.
few = settings(some, max_examples=max(EXAMPLES // 4, 3))


def unexplained(engine: PostgresEngine, question: Question) -> list[str]:
    """The numbers of the question's answer that their drill-downs do not explain."""
    note(str(question))
    with engine._reading_ledger():
        return differences(engine.reading(question))


@some
@given(history=boards(), asked=st.lists(questions(), min_size=1, max_size=2))
def test_each_number_is_explained_by_its_drill_down(history: History, asked: list[Question]) -> None:
    """P32, P33: every metric, bucket, state and scope; THEN, NOW, known then or now; percentiles made again of the edges."""
    note(told(history))
    with undone():
        engine = PostgresEngine(seeded(history))
        for question in asked:
            assert unexplained(engine, question) == []


@few
@given(history=boards(), asked=questions())
def test_each_number_of_a_person_is_explained(history: History, asked: Question) -> None:
    """P32: what somebody holds, and what they change; of changes there are no stocks to be drilled into."""
    note(told(history))
    with undone():
        engine = PostgresEngine(seeded(history))
        for name in PEOPLE:
            assert unexplained(engine, replace(asked, assignee=name, actor=None)) == []
            assert unexplained(engine, replace(asked, assignee=None, actor=name)) == []


@few
@given(history=boards(), asked=st.lists(questions(), min_size=1, max_size=2), facts=st.integers(1, 8))
def test_each_number_of_rollups_is_explained(history: History, asked: list[Question], facts: int) -> None:
    """P32, P50: half folded and folded, the edges are those of the ledger."""
    note(told(history))
    with undone():
        told_to = seeded(history)
        raw, half, folded = PostgresEngine(told_to), HalfFoldedEngine(told_to), FoldedEngine(told_to)
        fold_some(tenant_id=told_to.tenant_id, facts=facts)
        wanted = [edges_of(raw, question) for question in asked]
        for question, its in zip(asked, wanted, strict=True):
            assert unexplained(half, question) == []
            assert edges_of(half, question) == its
        compact(now=LONG_AFTER, tenant_id=told_to.tenant_id)
        for question, its in zip(asked, wanted, strict=True):
            assert unexplained(folded, question) == []
            assert edges_of(folded, question) == its


def edges_of(engine: PostgresEngine, question: Question) -> dict[DrillQuestion, list[DrilledEdge]]:
    """All edges of the answer, by what is asked for."""
    with engine._reading_ledger():
        reading = engine.reading(question)
        found = {}
        for each in explained(reading):
            if each.number:
                found[each.asked] = list(reading.drill_down(each.asked).read(Slice(limit=ALL)))
        return found


@few
@given(history=boards(), asked=questions())
def test_every_edge_names_rows_of_its_task(history: History, asked: Question) -> None:
    """P32: the row of an edge and those of its intervals are the task's own, at these very instants; pages are the list."""
    note(told(history))
    note(str(asked))
    with undone():
        engine = PostgresEngine(seeded(history))
        ledger = {seq: (task, at) for seq, task, at in sql("SELECT seq, task_id, happened_at FROM task_ledger")}
        with engine._reading_ledger():
            reading = engine.reading(asked)
            for each in explained(reading):
                if each.number:
                    found = reading.drill_down(each.asked)
                    check_edges(found, ledger=ledger, asked=each.asked)


def check_edges(found: DrillDown, *, ledger: dict[int, tuple[int, datetime]], asked: DrillQuestion) -> None:
    """The whole list, and each edge of it."""
    edges = list(found.read(Slice(limit=ALL)))
    places = [in_order(edge.place) for edge in edges]
    assert places == sorted(set(places)), asked
    assert in_pages(found, backwards=False) == edges, asked
    assert in_pages(found, backwards=True) == edges[::-1], asked
    for edge in edges:
        if edge.seq:
            assert ledger[edge.seq] == (edge.task_id, edge.place.happened_at), asked
        if edge.intervals and asked.calendar is Calendar.ELAPSED:
            assert edge.length == sum((span.end - span.begin for span in edge.intervals), timedelta(0)), asked
        for span in edge.intervals:
            check_interval(edge, span, ledger=ledger, asked=asked)


def check_interval(
    edge: DrilledEdge, span: Interval, *, ledger: dict[int, tuple[int, datetime]], asked: DrillQuestion
) -> None:
    """It begins with its row, unless it is cut at the window's start, and ends with one, unless it lasts."""
    task, began_at = ledger[span.begin_seq or 0]
    assert (task, began_at <= span.begin) == (edge.task_id, True), asked
    is_cut = asked.metric in (FlowMetric.VISITS, FlowMetric.ONGOING_VISITS) and asked.clip is Clip.CLIP
    assert is_cut or began_at == span.begin, asked
    assert span.end_seq is None or ledger[span.end_seq] == (edge.task_id, span.end), asked


def in_pages(found: DrillDown, *, backwards: bool) -> list[DrilledEdge]:
    """The list, two by two."""
    edges: list[DrilledEdge] = []
    while page := found.read(page_beyond(edges, backwards=backwards)):
        edges += page
    return edges


def page_beyond(edges: list[DrilledEdge], *, backwards: bool) -> Slice:
    """The next two after the last of these, or before it."""
    last = edges[-1].place if edges else None
    if backwards:
        return Slice(limit=2, before=last, backwards=True)
    return Slice(limit=2, after=last)
