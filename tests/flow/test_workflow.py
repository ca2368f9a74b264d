"""How states are defined at an instant, and what order they stand in."""

from datetime import UTC, datetime

from analytics.flow.figures.workflow import EVER, StateDefinition, StateOrder, Workflows, lowest, places

FIRST, SECOND, THIRD = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3))


def defined(state: int, position: int, since: datetime = FIRST, **changes: object) -> StateDefinition:
    """A state of project 1, of category TODO unless the changes say otherwise."""
    values = {
        "slug": f"s{state}",
        "name": f"S{state}",
        "category": "TODO",
        "project_id": 1,
        "waiting": False,
        "needs_validation": False,
        "archived": False,
    }
    return StateDefinition(state_id=state, position=position, since=since, **{**values, **changes})  # type: ignore[arg-type]


def test_a_definition_holds_from_its_instant_on() -> None:
    """P2: half-open, so a bucket that ends there sees the one before."""
    renamed = defined(1, 0, SECOND, name="Other")
    known = Workflows([defined(1, 0), renamed])
    assert known.at(SECOND) == {1: renamed}
    assert known.before(SECOND) == {1: defined(1, 0)}


def test_the_first_states_hold_before_the_beginning() -> None:
    """P61: a fact from before it is judged by them; a state that was added later is not there."""
    known = Workflows([defined(1, 0), defined(2, 1, SECOND)])
    assert known.at(EVER) == {}
    assert known.in_force(EVER) == {1: defined(1, 0)}
    assert known.in_force(SECOND) == {1: defined(1, 0), 2: defined(2, 1, SECOND)}


def test_what_is_a_redefinition() -> None:
    """P27: neither a project's first states nor a copy, which an import of older facts makes; frozen or not."""
    later = [defined(1, 0, SECOND), defined(1, 0, THIRD, name="Other"), defined(2, 1, SECOND)]
    known, frozen = (Workflows([defined(1, 0), *later], frozen=frozen) for frozen in (False, True))
    for each in (known, frozen):
        assert each.redefinitions(start=FIRST, end=THIRD) == [SECOND]
        assert each.redefinitions(start=THIRD, end=datetime.max.replace(tzinfo=UTC)) == [THIRD]
    assert known.changes(after=FIRST, before=THIRD) == [SECOND]
    assert frozen.changes(after=FIRST, before=THIRD) == []


def test_places_skip_cancelled_states() -> None:
    """P12, P27: an archived state stands with the last active one before it that is not cancelled."""
    states = [
        defined(9, -1, archived=True),
        defined(1, 0),
        defined(2, 1, category="CANCELLED"),
        defined(3, 1, archived=True),
        defined(4, 2),
    ]
    assert places(states) == {9: -1, 1: 0, 3: 0, 4: 1}


def test_the_lowest_state_of_a_category() -> None:
    """An archived one is none."""
    states = [defined(1, 0, archived=True), defined(2, 2), defined(3, 1)]
    assert lowest(states, category="TODO") == defined(3, 1)
    assert lowest(states, category="DONE") is None


def test_orders_change_with_places_alone() -> None:
    """P28, P29: a rename begins no new order; each project has its own."""
    other = defined(7, 0, project_id=2)
    swapped = [defined(1, 1, THIRD), defined(2, 0, THIRD)]
    known = Workflows([defined(1, 0), defined(2, 1), other, defined(1, 0, SECOND, name="Other"), *swapped])
    end = datetime(2026, 4, 1, tzinfo=UTC)
    assert known.orders(before=end) == [
        StateOrder(project_id=1, places={1: 0, 2: 1}, begin=EVER, end=THIRD),
        StateOrder(project_id=1, places={1: 1, 2: 0}, begin=THIRD, end=end),
        StateOrder(project_id=2, places={7: 0}, begin=EVER, end=end),
    ]
    assert Workflows([]).orders(before=end) == []
