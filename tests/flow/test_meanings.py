"""What states meant through time: no instant is left out, and what does not change is said once."""

from datetime import UTC, datetime

from analytics.flow.figures.meanings import Meaning, meanings
from analytics.flow.figures.workflow import EVER, StateDefinition, Workflows

DAY_1, DAY_3, END = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 3, 9))


def defined(
    state: int, *, category: str, position: int, since: datetime = DAY_1, name: str = "", archived: bool = False
) -> StateDefinition:
    """A definition of a state of project 1."""
    return StateDefinition(
        state_id=state,
        project_id=1,
        slug=str(state),
        name=name,
        category=category,
        position=position,
        waiting=False,
        needs_validation=False,
        archived=archived,
        since=since,
    )


def told(definitions: list[StateDefinition], *, frozen: bool = False) -> list[Meaning]:
    return meanings(workflows=Workflows(definitions, frozen=frozen), before=END)


def test_a_state_that_changes_has_a_meaning_for_each_time() -> None:
    """The first states hold before their beginning, too."""
    states = [
        defined(1, category="TODO", position=0),
        defined(1, category="IN_PROGRESS", position=0, since=DAY_3),
    ]
    assert told(states) == [
        Meaning(1, 1, "TODO", 0, False, EVER, DAY_3),
        Meaning(1, 1, "IN_PROGRESS", 0, False, DAY_3, END),
    ]
    assert told(states, frozen=True) == [Meaning(1, 1, "IN_PROGRESS", 0, False, EVER, END)]


def test_a_new_name_is_no_new_meaning() -> None:
    """P28: nothing is counted by it."""
    states = [defined(1, category="TODO", position=0), defined(1, category="TODO", position=0, since=DAY_3, name="New")]
    assert told(states) == [Meaning(1, 1, "TODO", 0, False, EVER, END)]


def test_a_state_that_comes_later_has_no_place_before() -> None:
    """Its category is its first one; a cancelled state has never any place."""
    states = [
        defined(1, category="TODO", position=0),
        defined(2, category="CANCELLED", position=1),
        defined(3, category="DONE", position=2, since=DAY_3),
    ]
    assert told(states)[1:] == [
        Meaning(2, 1, "CANCELLED", None, False, EVER, END),
        Meaning(3, 1, "DONE", None, False, EVER, DAY_3),
        Meaning(3, 1, "DONE", 1, False, DAY_3, END),
    ]
