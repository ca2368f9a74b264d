"""Facts as text: what a table says, and what it says when it cannot be read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from tests.facts_as_text import FactsError, formatted, parse, slug_of
from tests.oracle.facts import Category, Fact, History, Kind, StateDefinition
from tests.spec.random_histories import histories

HEAD = "project WEB since=2026-03-01\nstates Todo:todo 'In test':in_progress:waiting:needs_validation Done:done\n"


def test_a_fact_has_both_clocks() -> None:
    """P15: `-` is recorded at once, an instant is when the system learned it; seq follows the recording."""
    late = "2026-03-02 10:00:30  2026-03-05 08:00  WEB-1  moved 'In test' by Ada   # late"
    prompt = "2026-03-03 10:00  -  WEB-1  assigned 'Grace Hopper'"
    happened, learned = datetime(2026, 3, 2, 10, 0, 30, tzinfo=UTC), datetime(2026, 3, 5, 8, tzinfo=UTC)
    assigned = datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert parse(f"{HEAD}facts\n{late}\n{prompt}").facts == (
        Fact(
            seq=1,
            happened_at=assigned,
            recorded_at=assigned,
            item="WEB-1",
            project="WEB",
            kind=Kind.ASSIGNED,
            detail="Grace Hopper",
        ),
        Fact(
            seq=2,
            happened_at=happened,
            recorded_at=learned,
            item="WEB-1",
            project="WEB",
            kind=Kind.MOVED,
            state="in-test",
            actor="Ada",
        ),
    )


def test_states_have_slugs_categories_and_flags() -> None:
    """P27: two states of one name have two slugs."""
    found = parse("project WEB since=2026-03-01\nstates Todo:todo Todo:todo:archived Café@bar:in_progress:waiting")
    assert found.projects[0].workflows[0].states == (
        StateDefinition(slug="todo", name="Todo", category=Category.TODO),
        StateDefinition(slug="todo-2", name="Todo", category=Category.TODO, archived=True),
        StateDefinition(slug="bar", name="Café", category=Category.IN_PROGRESS, waiting=True),
    )


@pytest.mark.parametrize(
    ("name", "slug"),
    [("In Progress", "in-progress"), ("  --A/B test!", "a-b-test"), ("Überprüfung 2", "überprüfung-2")],
)
def test_slugs(name: str, slug: str) -> None:
    """As the contract spells them."""
    assert slug_of(name=name) == slug


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        ("rename Todo -> Backlog", "Backlog@todo A B C"),
        ("reorder C,A,B,Todo", "C A B Todo"),
        ("add D:done after A", "Todo A D B C"),
        ("states A:todo", "A"),
    ],
)
def test_definitions_change_the_order(change: str, labels: str) -> None:
    """P2, P28."""
    head = "project WEB since=2026-03-01\nstates Todo:todo A:todo B:todo C:todo\n"
    found = parse(f"{head}define 2026-03-02 00:00  {change}").projects[0].workflows[1]
    expected = parse(f"project ANY since=2026-03-01\nstates {' '.join(f'{label}:todo' for label in labels.split())}")
    assert [(s.slug, s.name) for s in found.states] == [
        (s.slug, s.name) for s in expected.projects[0].workflows[0].states
    ]


def test_an_archived_state_keeps_its_place_in_a_reorder() -> None:
    """P27: behind the state it stood behind."""
    changes = "define 2026-03-02 00:00 archive B\ndefine 2026-03-03 00:00 reorder C,A"
    found = parse(f"project WEB since=2026-03-01\nstates A:todo B:todo C:todo\n{changes}").projects[0].workflows[2]
    assert [(state.slug, state.archived) for state in found.states] == [("c", False), ("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2026-03-01 09:00  -  WEB-1  moved Nowhere", "Line 3 cannot be read: no state is called 'Nowhere'."),
        ("2026-03-01 09:00  -  WEB-1  transferred OPS:Todo", "Line 3 cannot be read: there is no project OPS."),
        ("2026-03-01 09:00  -  WEB-1  flew Todo", "Line 3 cannot be read: 'FLEW' is not a valid Kind"),
        ("2026-13-01 09:00  -  WEB-1  moved Todo", "Line 3 cannot be read: month must be in 1..12"),
        ("define 2026-03-02 00:00 explode", "Line 3 cannot be read: 'explode' is no change of states; "),
        (
            "define 2026-03-02 00:00 reorder Todo,Done",
            "Line 3 cannot be read: a reorder names each active state once: ",
        ),
        ("project OPS zona=UTC", "Line 3 cannot be read: a project takes zone= and since=, not zona=."),
    ],
)
def test_what_cannot_be_read_is_named(line: str, problem: str) -> None:
    """The sentence begins with the line."""
    with pytest.raises(FactsError) as refused:
        parse(f"{HEAD}{line}")
    assert str(refused.value).startswith(problem)


def test_a_table_without_instants_needs_since() -> None:
    """Nothing else says since when the project is recorded."""
    with pytest.raises(FactsError, match="Project WEB needs since=: the table holds no instant"):
        parse("project WEB\nstates Todo:todo")


@given(history=histories)
def test_text_and_back(history: History) -> None:
    """Any history survives being written out."""
    assert parse(formatted(history)) == history
