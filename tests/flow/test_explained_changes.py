"""Random histories, known at two instants: what changed a number is told, and without it the number is what it was."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.engine.projects import project_facts
from analytics.flow.drills import DRILLS, FlowMetric, Over, States
from analytics.flow.reading.drill_result import DrillError, DrillQuestion, Side
from analytics.flow.reading.explaining import LOOK_BEYOND, ChangedNumber
from analytics.flow.replay.activity import DEFINED, Feed, FeedRow
from analytics.flow.replay.quality import CHECKS
from tests.flow.loading import seeded
from tests.flow.random_boards import boards, told_by_positions
from tests.flow.test_replay_properties import undone
from tests.oracle.facts import Category, History, Workflow
from tests.oracle.flow import work_in_progress
from tests.oracle.questions import Buckets, Question
from tests.properties import some
from tests.spec.postgres import PostgresEngine, window_of
from tests.spec.random_histories import DAWN, DAYS, told
from tests.spec.runner import LONG_AFTER

pytestmark = pytest.mark.django_db

EVERYTHING = 10_000
# Each fact is known at most two days after it happened.
knowledge = st.tuples(st.integers(0, 30), st.integers(24, (DAYS + 2) * 8)).map(
    lambda numbers: [DAWN + timedelta(hours=3 * number) for number in sorted(numbers)]
)
STOCKS = tuple(metric for metric, drill in DRILLS.items() if drill.over in (Over.STOCK, Over.END))
STATES = ("todo", "doing", "review", "done")


@st.composite
def numbers(draw: st.DrawFn, *, of: Sequence[FlowMetric] = tuple(FlowMetric)) -> list[DrillQuestion]:
    """Some of the metrics that an explanation may be asked of, with a state or a check where one takes it."""
    state, code = draw(st.sampled_from(STATES)), draw(st.sampled_from([check.code for check in CHECKS]))
    return [
        DrillQuestion(
            metric=metric,
            state=state if DRILLS[metric].states is States.NEEDED else Side.ANY,
            check=code if metric is FlowMetric.QUALITY else None,
            within=timedelta(days=2),
        )
        for metric in draw(st.lists(st.sampled_from(of), min_size=4, max_size=12, unique=True))
    ]


@st.composite
def stretches(draw: st.DrawFn) -> Buckets:
    """A day, or all of them."""
    begin = DAWN + timedelta(days=draw(st.integers(0, DAYS - 1)))
    return ((begin, begin + timedelta(days=draw(st.sampled_from([1, 1, 7])))),)


def number_of(engine: PostgresEngine, asked: DrillQuestion, question: Question, since: datetime) -> ChangedNumber:
    """The number as known at `since` and at the question's own knowledge."""
    tenant_id = engine.told.tenant_id
    (board,) = project_facts(tenant_id=tenant_id, key=question.project, known_at=question.known_at)
    return ChangedNumber(
        tenant_id=tenant_id,
        board=board,
        window=window_of(question),
        asked=asked,
        known_from=since,
        known_to=question.known_until,
        now=question.now,
    )


def counted(engine: PostgresEngine, asked: DrillQuestion, question: Question) -> int | None:
    """The number of the answer itself; None where there is none."""
    reading = engine.reading(question)
    try:
        return reading.drill_down(asked).count() if any(reading.frame.known) else None
    except DrillError:
        return None


def rows_of(number: ChangedNumber) -> list[FeedRow]:
    """The ledger rows that explain it."""
    feed = Feed(tenant_id=number.tenant_id, filters=number.filters())
    rows = feed.read(where="TRUE", params=(), direction="DESC", limit=EVERYTHING)
    assert feed.count() == len(rows)
    return rows


@contextmanager
def taken_away(rows: list[FeedRow]) -> Iterator[None]:
    """Inside, the ledger does not have them, and nothing else is changed."""
    seqs = [row.seq for row in rows]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in ("task_ledger", "definition_ledger"):
            cursor.execute(f"DELETE FROM {table} WHERE seq = ANY (%s)", [seqs])
        yield
        transaction.set_rollback(True)


def check(engine: PostgresEngine, number: ChangedNumber, asked: DrillQuestion, question: Question) -> None:
    """What the module's docstring promises."""
    changes, rows = number.contributions(), rows_of(number)
    assert number.after == counted(engine, asked, question)
    difference = sum(after - before for before, after in changes.values())
    assert difference == (number.after or 0) - (number.before or 0)
    assert all(number.known_from < row.recorded_at <= number.known_to for row in rows)
    if asked.metric in LOOK_BEYOND:
        return
    assert bool(rows) == bool(changes) or any(row.kind == DEFINED for row in rows)
    assert changes.keys() <= {row.task_id for row in rows} or any(row.kind == DEFINED for row in rows)


def check_all(engine: PostgresEngine, asked: list[DrillQuestion], question: Question, since: datetime) -> None:
    """Each number is explained, and is what it was without what explains it."""
    for drilled in asked:
        note(str(drilled))
        number = number_of(engine, drilled, question, since)
        with engine._reading_ledger():
            try:
                rows = rows_of(number)
            except DrillError:
                continue
            check(engine, number, drilled, question)
        if drilled.metric in LOOK_BEYOND or drilled.metric is FlowMetric.QUALITY or number.before == number.after:
            continue
        with taken_away(rows), engine._reading_ledger():
            assert (counted(engine, drilled, question) or 0) == (number.before or 0)


@some
@given(
    history=boards(fewest=6),
    asked=numbers(),
    buckets=stretches(),
    instants=knowledge,
    project=st.sampled_from(["WEB", "WEB", "OPS"]),
)
def test_without_its_rows_a_number_is_what_it_was(
    history: History, asked: list[DrillQuestion], buckets: Buckets, instants: list[datetime], project: str
) -> None:
    """P11, P15, P32: whatever came late, was redefined or only came to be known; rows of others are not among them."""
    note(f"{told(history)}\n{instants} {project} {buckets}")
    question = Question(buckets=buckets, now=LONG_AFTER, project=project, known_at=instants[1])
    with undone():
        check_all(PostgresEngine(seeded(history)), asked, question, instants[0])


@st.composite
def redefined_at_noon(draw: st.DrawFn) -> History:
    """States of WEB that change on the day after the facts, while some of the facts are still to be told."""
    history = draw(boards(fewest=8))
    web, ops = history.projects
    at = DAWN + timedelta(days=DAYS, hours=12)
    order = draw(st.permutations(web.workflows[-1].states))
    changed = [replace(state, category=draw(st.sampled_from(Category)), archived=False) for state in order]
    version = Workflow(happened_at=at, recorded_at=at, states=told_by_positions(changed))
    return replace(history, projects=(replace(web, workflows=(*web.workflows, version)), ops))


@some
@given(history=redefined_at_noon(), asked=numbers(of=STOCKS))
def test_without_its_definitions_a_number_is_what_it_was(history: History, asked: list[DrillQuestion]) -> None:
    """P2, P11: a day in which states became others, of which some facts are told later."""
    note(told(history))
    since, until = DAWN + timedelta(days=DAYS, hours=1), DAWN + timedelta(days=DAYS + 3)
    buckets = ((DAWN + timedelta(days=DAYS), DAWN + timedelta(days=DAYS + 1)),)
    question = Question(buckets=buckets, now=LONG_AFTER, project="WEB", known_at=until)
    with undone():
        check_all(PostgresEngine(seeded(history)), asked, question, since)


@some
@given(history=boards(fewest=6), instants=knowledge, day=st.integers(0, DAYS - 1))
def test_the_numbers_are_those_of_answers(history: History, instants: list[datetime], day: int) -> None:
    """P15: before and after are what an answer says, known then; of a changed one there is somebody's row."""
    begin = DAWN + timedelta(days=day)
    with undone():
        engine = PostgresEngine(seeded(history))
        buckets = ((begin, begin + timedelta(days=1)),)
        questions = [
            Question(buckets=buckets, now=LONG_AFTER, project="WEB", known_at=known_at) for known_at in instants
        ]
        number = number_of(engine, DrillQuestion(metric=FlowMetric.WORK_IN_PROGRESS), questions[1], instants[0])
        with engine._reading_ledger():
            found = (number.before, number.after)
            rows = rows_of(number)
        assert found == tuple(work_in_progress(history=history, question=question)[0] for question in questions)
        assert found[0] == found[1] or rows or None in found


def test_every_metric_is_among_the_numbers() -> None:
    """The property tests ask for all that can be drilled into."""
    assert set(DRILLS) == set(FlowMetric)
