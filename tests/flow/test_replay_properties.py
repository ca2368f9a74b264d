"""Random histories in PostgreSQL: the replay of the ledger answers what the oracle answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise, permutations

import pytest
from django.db import transaction
from hypothesis import given, note, settings
from hypothesis import strategies as st

from analytics.engine.wings import figures_by_name
from tasks_app.models import Task
from tests.flow.loading import clock, reported, seeded
from tests.flow.random_boards import any_buckets, boards, persons, questions, reports
from tests.flow.unlike_durations import unlike_durations
from tests.oracle.aging import aging
from tests.oracle.boards import board
from tests.oracle.churn import churn
from tests.oracle.completion import state_graph, throughput
from tests.oracle.facts import STATE_KINDS, Category, Fact, History, Kind
from tests.oracle.flow import CumulativeFlow, cumulative_flow, work_in_progress
from tests.oracle.forecast import finished_as_of, forecast, known_days
from tests.oracle.items import visits
from tests.oracle.laws import laws
from tests.oracle.quality import quality
from tests.oracle.questions import AsOf, Mode, Question, local_days
from tests.oracle.validation import validation
from tests.properties import EXAMPLES, some
from tests.spec.postgres import PostgresEngine
from tests.spec.random_histories import DAWN, DAYS, OPS_STATES, PEOPLE, WEB_STATES, as_history, told
from tests.spec.runner import LONG_AFTER
from tests.tasks_app.recording import strays

pytestmark = pytest.mark.django_db
WEEK = local_days(first=DAWN.date(), count=DAYS, zone="UTC")
MOMENT = timedelta(microseconds=1)


@contextmanager
def undone() -> Iterator[None]:
    """What is written inside is taken back: the next example finds an empty database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def unlike(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """One sentence for each figure in which the ledger's replay and the oracle differ."""
    with engine._reading_ledger():
        return unlike_in_window(engine, history, question) + unlike_forecast(engine, history, question)


def unlike_in_window(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """Those of the question's own window."""
    found = [f"{mode} {line}" for mode in Mode for line in unlike_flow(engine, history, question, mode)]
    wip = work_in_progress(history=history, question=question)
    answer = engine.work_in_progress(question=question)
    found += [] if answer == wip else [f"work in progress: {answer} instead of {wip}"]
    found += unlike_together(engine, history, question)
    found += unlike_completion(engine, history, question) + unlike_items(engine, history, question)
    return found + unlike_durations(engine, history, question)


def unlike_together(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """Figures that are read with others, asked for among all of them."""
    together = copy(engine)
    together.together = frozenset(figures_by_name())
    pairs: dict[str, tuple[object, object]] = {
        "throughput": (together.throughput(question=question), throughput(history=history, question=question)),
        "aging": (together.aging(question=question), aging(history=history, question=question)),
        "work in progress": (
            together.work_in_progress(question=question),
            work_in_progress(history=history, question=question),
        ),
    }
    return [
        f"{name} among all: {answer} instead of {wanted}"
        for name, (answer, wanted) in pairs.items()
        if answer != wanted
    ]


def unlike_completion(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """Throughput and the state graph."""
    pairs = {
        "throughput": (engine.throughput(question=question), throughput(history=history, question=question)),
        "transitions": (engine.transitions(question=question), state_graph(history=history, question=question)),
    }
    return [f"{name}: {answer} instead of {wanted}" for name, (answer, wanted) in pairs.items() if answer != wanted]


def unlike_forecast(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """Of whole days: what had finished, as each of them saw it, and the forecast of a few trials."""
    question = replace(question, buckets=WEEK)
    days = known_days(history=history, question=question)
    seen = [days[: number + 1] for number in range(len(days))]
    pairs = {
        "forecast": (
            engine.forecast(question=question, items=3, trials=9, seed=1),
            forecast(history=history, question=question, items=3, trials=9, seed=1),
        ),
        "as days saw it": (
            engine.finished_as_of(question=question),
            [finished_as_of(history=history, question=question, days=each) for each in seen],
        ),
    }
    return [f"{name}: {answer} instead of {wanted}" for name, (answer, wanted) in pairs.items() if answer != wanted]


def unlike_items(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """What is told of single items."""
    pairs: dict[str, tuple[object, object]] = {
        f"churn in {days} days": (
            engine.churn(question=question, days=days),
            churn(history=history, question=question, days=days),
        )
        for days in (1, 3)
    }
    wanted_laws = laws(history=history, question=question) if question.actor is None else None
    pairs["aging"] = (engine.aging(question=question), aging(history=history, question=question))
    pairs["validation"] = (engine.validation(question=question), validation(history=history, question=question))
    pairs["laws"] = (engine.laws(question=question), wanted_laws)
    return [f"{name}: {answer} instead of {wanted}" for name, (answer, wanted) in pairs.items() if answer != wanted]


def unlike_quality(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """Where every row has a beginning: one that has none is a failure of its own.

    Of facts as they are in the ledger: reports that change nothing do not come into it.
    """
    begun = {fact.item for fact in history.facts if fact.kind in STATE_KINDS}
    if set(engine.told.tasks) - begun:
        return []
    answer, wanted = engine.quality(question=question), quality(history=history, question=question)
    return [] if answer == wanted else [f"data quality: {answer} instead of {wanted}"]


def unlike_flow(engine: PostgresEngine, history: History, question: Question, mode: Mode) -> list[str]:
    """The figures of one diagram. A series that is not shown must have nothing in it."""
    answer = figures(engine.cumulative_flow(question=question, mode=mode))
    wanted = figures(cumulative_flow(history=history, question=question, mode=mode))
    shown = {name for name in wanted if name in answer or (wanted[name] and any(wanted[name]))} | set(answer)
    return [
        f"{name}: {answer.get(name)} instead of {wanted.get(name)}"
        for name in sorted(shown)
        if answer.get(name) != wanted.get(name)
    ]


def figures(flow: CumulativeFlow) -> dict[str, tuple]:
    """Every figure by name; correction windows of one instant in any order."""
    lists = ("arrivals", "departures", "left", "discarded", "difference", "definition_changes")
    windows = sorted((w.opened_at, w.item, w.closed_at or LONG_AFTER) for w in flow.correction_windows)
    return {
        **{f"series {slug}": values for slug, values in flow.series.items()},
        **{f"* {name}": getattr(flow, name) for name in lists},
        "* correction windows": tuple(windows),
    }


@some
@given(history=boards(), asked=st.lists(questions(), min_size=1, max_size=4))
def test_the_replay_is_the_oracles(history: History, asked: list[Question]) -> None:
    """P2, P13, P15, P24, P27, P28, P33: whatever is reordered, late, transferred, cancelled; THEN, NOW, known then or now."""
    note(told(history))
    with undone():
        engine = PostgresEngine(seeded(history))
        for question in asked:
            note(str(question))
            assert unlike(engine, history, question) + unlike_quality(engine, history, question) == []


@some
@given(history=boards(), asked=questions())
def test_persons_are_the_oracles(history: History, asked: Question) -> None:
    """P13, P15, P24, P33: whoever holds an item, hands it over or changes it, in whatever order that is told."""
    note(told(history))
    with undone():
        engine = PostgresEngine(seeded(history))
        for name in PEOPLE:
            held = replace(asked, assignee=name, actor=None)
            changed = replace(asked, assignee=None, actor=name)
            assert unlike(engine, history, held) + unlike(engine, history, changed) == []
            assert unlike_quality(engine, history, held) + unlike_quality(engine, history, changed) == []


@some
@given(history=boards(), asked=st.lists(questions(), min_size=1, max_size=4))
def test_names_are_the_oracles(history: History, asked: list[Question]) -> None:
    """P28: each series has the name of then or now, in the tenant's chart that of the first project."""
    note(told(history))
    with undone():
        engine = PostgresEngine(seeded(history))
        for question in asked:
            note(str(question))
            shown = engine.cumulative_flow(question=question, mode=Mode.OCCUPANCY).names
            names = cumulative_flow(history=history, question=question, mode=Mode.OCCUPANCY).names
            assert shown == {slug: name for slug, name in names.items() if slug in shown}


@some
@given(history=boards(), hour=st.integers(0, DAYS * 8), known=st.sampled_from([LONG_AFTER, DAWN + timedelta(days=3)]))
def test_boards_and_visits_are_the_oracles(history: History, hour: int, known: datetime) -> None:
    """P13, P15, P20: at an instant of a fact, too."""
    note(told(history))
    at = DAWN + timedelta(hours=3 * hour)
    with undone():
        engine = PostgresEngine(seeded(history))
        for project in history.projects:
            wanted = board(history=history, project=project.key, at=at, known_at=known)
            assert engine.board(project=project.key, at=at, known_at=known) == wanted
        for item in history.items():
            assert engine.visits(item=item) == visits(history=history, item=item, known_at=LONG_AFTER)
        assert strays() == []


@some
@given(history=reports(), data=st.data())
def test_reports_come_to_the_same(history: History, data: st.DataObject) -> None:
    """P13, P15, P56: through the second door, in any batches; then the last point is the live filtered count."""
    note(told(history))
    with undone():
        loaded, known = reported(history, is_cut=lambda: data.draw(st.booleans()))
        note(told(known))
        now = clock()
        engine = PostgresEngine(loaded)
        for project in ("WEB", "OPS", None):
            as_of = data.draw(st.sampled_from(AsOf))
            assignee, actor = data.draw(persons)
            question = Question(
                buckets=data.draw(any_buckets()),
                now=now,
                project=project,
                as_of=as_of,
                assignee=assignee,
                actor=actor,
            )
            assert unlike(engine, known, question) == []
        assert strays() == []
        check_last_point(engine, now=now)


def check_last_point(engine: PostgresEngine, *, now: datetime) -> None:
    """P13: the running bucket of OCCUPANCY shows the live rows."""
    question = Question(buckets=((DAWN, now + timedelta(days=1)),), now=now + MOMENT, project=None)
    flow = engine.cumulative_flow(question=question, mode=Mode.OCCUPANCY)
    live = Task.objects.filter(tenant_id=engine.told.tenant_id, discarded_at=None)
    for slug, (count,) in flow.series.items():
        assert count == live.filter(state__slug=slug).exclude(state__category=Category.CANCELLED.value).count()


@some
@given(history=reports(), project=st.sampled_from(["WEB", "OPS", None]))
def test_the_laws_of_flow_hold(history: History, project: str | None) -> None:
    """P13, P72: the change of the bands' sum is arrivals less departures; no line of CUMULATIVE falls."""
    note(told(history))
    with undone():
        loaded, _ = reported(history)
        question = Question(buckets=WEEK, now=clock(), project=project)
        engine = PostgresEngine(loaded)
        occupancy = engine.cumulative_flow(question=question, mode=Mode.OCCUPANCY)
        lines = engine.cumulative_flow(question=question, mode=Mode.CUMULATIVE).series
    for values in lines.values():
        assert all(a is None or b is None or a <= b for a, b in pairwise(values))
    flows = [(a or 0) - (d or 0) for a, d in zip(occupancy.arrivals, occupancy.departures, strict=True)]
    sums = [sum(values[day] or 0 for values in occupancy.series.values()) for day in range(DAYS)]
    assert [b - a for a, b in pairwise([sums[0] - flows[0], *sums])] == flows


@pytest.mark.parametrize("mode", Mode)
def test_a_tenant_without_projects_knows_nothing(mode: Mode) -> None:
    """P61: null, not 0."""
    engine = PostgresEngine(seeded(History(projects=(), facts=())))
    flow = engine.cumulative_flow(question=Question(buckets=WEEK, now=LONG_AFTER), mode=mode)
    unknown = (None,) * DAYS
    assert (flow.series, flow.arrivals, flow.difference) == ({}, unknown, unknown)
    assert engine.work_in_progress(question=Question(buckets=WEEK, now=LONG_AFTER)) == unknown


PLACES = [("WEB", state.slug) for state in WEB_STATES] + [("OPS", state.slug) for state in OPS_STATES]
moves = st.lists(st.sampled_from(PLACES), min_size=4, max_size=4)


@settings(some, max_examples=max(EXAMPLES // 5, 1))
@given(places=moves)
def test_every_order_of_recording_gives_one_answer(places: list[tuple[str, str]]) -> None:
    """P15, P56: four events at four instants, recorded in each of the 24 orders, one report each."""
    note(str(places))
    told_in_order = [as_move(day, place) for day, place in enumerate(places)]
    answers = [answers_to(list(order), number=number) for number, order in enumerate(permutations(told_in_order))]
    assert answers == answers[:1] * 24


@settings(some, max_examples=max(EXAMPLES // 5, 1))
@given(places=moves, kinds=st.permutations([Kind.DISCARDED, Kind.RESTORED, Kind.TRANSFERRED, Kind.MOVED]))
def test_leaving_and_coming_back_in_any_order(places: list[tuple[str, str]], kinds: list[Kind]) -> None:
    """P15: discarded, restored and transferred, each known late or early, once the item is created."""
    note(f"{places} {kinds}")
    created = as_move(4, ("WEB", "todo"))
    later = [
        replace(as_move(day, place), kind=kind, state="" if kind is Kind.DISCARDED else place[1])
        for day, (place, kind) in enumerate(zip(places, kinds, strict=True))
    ]
    answers = [answers_to([created, *order], number=number) for number, order in enumerate(permutations(later))]
    assert answers == answers[:1] * 24


def as_move(day: int, place: tuple[str, str]) -> Fact:
    """The item WEB-1 moves to a place on a day, at the first hour."""
    at = DAWN + timedelta(days=day)
    return Fact(seq=0, happened_at=at, recorded_at=at, item="WEB-1", project=place[0], kind=Kind.MOVED, state=place[1])


EARLIEST = [
    replace(as_move(-1, ("WEB", "todo")), item="WEB-2", kind=Kind.CREATED),
    replace(as_move(-1, ("OPS", "todo")), item="OPS-1", kind=Kind.CREATED),
]  # so that both boards are known from then on, in whatever order the others come


def answers_to(order: list[Fact], *, number: int) -> list[dict[str, tuple]]:
    """What the boards show once the facts were reported in that order.

    All figures of one of the boards, in turn, are checked against the oracle.
    """
    facts = [replace(fact, recorded_at=DAWN) for fact in (*EARLIEST, *order)]
    facts[len(EARLIEST)] = replace(facts[len(EARLIEST)], kind=Kind.CREATED)
    with undone():
        loaded, known = reported(as_history(facts, []))
        engine, now = PostgresEngine(loaded), clock()
        asked = [Question(buckets=WEEK, now=now, project=project) for project in ("WEB", "OPS", None)]
        assert unlike(engine, known, asked[number % len(asked)]) == []
        assert strays() == []
        flows = [engine.cumulative_flow(question=question, mode=mode) for question in asked for mode in Mode]
    return [figures(flow) for flow in flows]
