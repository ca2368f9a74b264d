"""Answers that are kept: equal to the ones that were counted, and never those of another record, question or company."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from analytics.engine.reading.cache import kept
from analytics.engine.rollups.compact import compact
from analytics.engine.wings import figures_by_name
from analytics.models import Folded
from tasks_app.operations import tasks as operations
from tasks_app.operations.projects import StateSpec, create_project
from tests.cast import Cast, cast
from tests.graphql.client import new_key, with_key
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import (
    ASK,
    actor_id,
    asked,
    board_of_march,
    clock,
    digest_of,
    folded,
    late_import,
    late_move,
    redefinition,
    replayed,
    working,
)
from tests.graphql.proofs import FIGURES as SELECTION

pytestmark = pytest.mark.django_db(transaction=True)

# What a receipt says of the moment at which it was given, and not of the figures.
OF_THE_MOMENT = ("ledgerPosition", "token", "settled", "cached", "knownAt", "dataAsOf")


@pytest.fixture
def people(db: Any) -> Iterator[Cast]:
    """Everybody, and nothing kept."""
    cache.clear()
    yield cast()
    cache.clear()


@pytest.fixture
def keys(people: Cast) -> list[str]:
    """Tasks with a past, all of it folded."""
    found = board_of_march(people)
    folded(people)
    return found


def was_kept(people: Cast, **question: Any) -> bool:
    """Asks, and whether the answer had been kept."""
    found: bool = asked(people.alice, **question)["receipt"]["cached"]
    return found


def figures(answer: Any) -> Any:
    """All that must be the same whether it was kept or counted."""
    receipt = {name: value for name, value in answer["receipt"].items() if name not in OF_THE_MOMENT}
    return {**answer, "receipt": receipt}


def counted(people: Cast, **question: Any) -> Any:
    """The answer without any cache."""
    with override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}):
        return asked(people.alice, **question)


def test_a_kept_answer_is_the_one_that_was_counted(people: Cast, keys: list[str]) -> None:
    """Every figure, of every sort of scope; the receipt, too, says what was read for it."""
    questions: list[dict[str, Any]] = [
        {"project": "WEB"},
        {},
        {"project": "WEB", "as": "NOW"},
        {"project": "WEB", "knownAt": at(11).isoformat()},
        {"assignee": actor_id(people.bob)},
        {"actor": actor_id(people.alice)},
    ]
    for question in questions:
        first, second = asked(people.alice, **question), asked(people.alice, **question)
        assert (first["receipt"]["cached"], second["receipt"]["cached"]) == (False, True), question
        assert figures(first) == figures(second) == figures(counted(people, **question)), question
        assert digest_of(replayed(people.alice, second["receipt"]["token"])) == first["receipt"]["digest"], question


def test_every_figure_is_among_those_that_are_compared() -> None:
    """A new figure must be put into the selection of tests.graphql.proofs, and its kinds into the cache's."""
    assert [name for name in figures_by_name() if name not in SELECTION] == []


def test_an_hour_later_it_is_the_same_answer(people: Cast, keys: list[str]) -> None:
    """A window that is over does not depend on when it is asked for."""
    assert not was_kept(people)
    assert was_kept(people, now=clock())


def test_each_question_has_an_answer_of_its_own(people: Cast, keys: list[str]) -> None:
    questions: list[dict[str, Any]] = [
        {},
        {"project": "WEB"},
        {"project": "OPS"},
        {"as": "NOW"},
        {"to": "2026-03-09T00:00:00Z"},
        {"knownAt": at(11).isoformat()},
        {"knownAt": at(10).isoformat()},
        {"assignee": actor_id(people.alice)},
        {"actor": actor_id(people.alice)},
        {"selection": "workInProgress receipt { cached }"},
        {"selection": "cumulativeFlow { arrivals } receipt { cached }"},
        {"selection": "cumulativeFlow(mode: OCCUPANCY) { arrivals } receipt { cached }"},
    ]
    assert [was_kept(people, **question) for question in questions] == [False] * len(questions)
    assert [was_kept(people, **question) for question in questions] == [True] * len(questions)


def test_what_may_still_change_is_not_kept(people: Cast, keys: list[str]) -> None:
    """A window that is not over, a fact that waits, the ledger where it is asked for by name."""
    for question in ({"to": "2026-03-13T00:00:00Z"}, {"from": "RAW"}):
        assert [was_kept(people, **question) for _ in range(2)] == [False, False], question
    late_move(people, keys[0], to="todo")
    assert [was_kept(people) for _ in range(2)] == [False, False]


def test_what_the_next_days_may_change_is_not_kept(people: Cast, keys: list[str]) -> None:
    """Churn is judged by what follows the window: it is kept once that time is over, too."""
    question = {"selection": "churn(reopenWithinDays: 4) { reopened } receipt { cached }"}
    assert [was_kept(people, **question) for _ in range(2)] == [False, False]
    later = NOW + timedelta(days=5)
    assert [was_kept(people, now=later, **question) for _ in range(2)] == [False, True]


def late(people: Cast, keys: list[str]) -> None:
    """A fact in the middle of a history."""
    late_move(people, keys[0], to="todo")


def imported(people: Cast, keys: list[str]) -> None:
    """Facts before all others."""
    late_import(people)


def renamed(people: Cast, keys: list[str]) -> None:
    """A state is called something else; no fact is recorded."""
    redefinition(people, todo="Backlog")


def rebuilt(people: Cast, keys: list[str]) -> None:
    """The rollups are made anew."""
    row = Folded.objects.get(tenant_id=people.acme.tenant.id, family="transitions")
    Folded.objects.filter(tenant_id=row.tenant_id, family=row.family).update(generation=row.generation + 1)


def another_board(people: Cast, keys: list[str]) -> None:
    """A project more, whose states the whole company's answer has from now on."""
    with working(people.alice) as (tenant_id, _):
        states = [StateSpec(name="Idea", category="TODO"), StateSpec(name="Shipped", category="DONE")]
        create_project(tenant_id=tenant_id, key="NEW", name="New", timezone="UTC", states=states)


@pytest.mark.parametrize("change", [late, imported, renamed, rebuilt, another_board])
def test_after_a_change_the_answer_is_counted_anew(
    people: Cast, keys: list[str], change: Callable[[Cast, list[str]], None]
) -> None:
    """P56: before it is folded and after; and then the new answer is kept."""
    questions: list[dict[str, Any]] = [{"project": "WEB"}, {}, {"as": "NOW"}]
    for question in questions:
        was_kept(people, **question)
    change(people, keys)
    for _ in ("waiting", "folded"):
        for question in questions:
            answer = asked(people.alice, **question)
            assert not answer["receipt"]["cached"], question
            assert figures(answer) == figures(counted(people, **question))
        if not folded(people):
            break
    # A fold that only follows definitions has made another position, too.
    for question in questions:
        was_kept(people, **question)
    assert all(was_kept(people, **question) for question in questions)


def test_another_company_has_answers_of_its_own(people: Cast, keys: list[str]) -> None:
    """P62: boards of the same keys, as many facts, the same question."""
    mine = asked(people.alice, project="WEB")
    made(people.carol, title="Theirs", created=at(2))
    compact(now=clock(), tenant_id=people.globex.tenant.id)
    as_acme = Folded.objects.filter(tenant_id=people.acme.tenant.id).values("facts", "generation", "last_recorded_at")[
        0
    ]
    assert Folded.objects.filter(tenant_id=people.globex.tenant.id).update(**as_acme) == 1
    theirs = asked(people.carol, project="WEB")
    assert not theirs["receipt"]["cached"]
    assert theirs["receipt"]["digest"] != mine["receipt"]["digest"]
    assert asked(people.carol, project="WEB")["receipt"]["cached"]


def test_who_may_not_ask_gets_nothing_that_is_kept(people: Cast, keys: list[str]) -> None:
    """The scope and the person are checked before anything is looked up."""
    question: dict[str, Any] = {"actor": actor_id(people.alice)}
    assert [was_kept(people, **question) for _ in range(2)] == [False, True]
    refusal = ask(people.bob, ASK % SELECTION, now=NOW, **question)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "FORBIDDEN"
    reader = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=["TASKS_READ"]))
    assert reader.error(ASK % SELECTION)[0] == "FORBIDDEN"


def test_facts_that_are_only_renamed_titles_leave_the_figures(people: Cast, keys: list[str]) -> None:
    """A title is in no figure; its fact waits like any other, and nothing is kept meanwhile."""
    first = asked(people.alice)
    with working(people.alice) as (tenant_id, _):
        operations.rename_task(tenant_id=tenant_id, task=keys[0], title="Uno")
    assert figures(asked(people.alice))["workInProgress"] == first["workInProgress"]
    folded(people)
    assert asked(people.alice)["receipt"]["digest"] == first["receipt"]["digest"]


def test_a_value_is_kept_under_its_key() -> None:
    """As it is; without a key it is counted each time."""
    value = {"a": [1, None, "x", at(2)]}
    assert kept(key="k", compute=lambda: value) == (value, False)
    assert kept(key="k", compute=dict) == (value, True)
    assert kept(key=None, compute=lambda: 1) == (1, False)


def test_corrections_are_counted_where_somebody_looks(people: Cast, keys: list[str]) -> None:
    """Without a receipt and without them the same bands, and no statement for them."""
    week = '{from: "2026-03-01T00:00:00Z", to: "2026-03-11T00:00:00Z"}'
    window = f'analytics(project: "WEB", window: {{between: {week}}}, bucket: DAY)'
    bare, whole = "series { counts }", "series { counts } correctionWindows { taskKey }"
    with CaptureQueriesContext(connection) as asked_bare:
        bands = ask(people.alice, f"{{ {window} {{ cumulativeFlow {{ {bare} }} }} }}")
    with CaptureQueriesContext(connection) as asked_whole:
        both = ask(people.alice, f"{{ {window} {{ cumulativeFlow {{ {whole} }} }} }}")
    assert bands["analytics"]["cumulativeFlow"]["series"] == both["analytics"]["cumulativeFlow"]["series"]
    assert not any("corrections" in query["sql"] for query in asked_bare.captured_queries)
    assert any("corrections" in query["sql"] for query in asked_whole.captured_queries)
