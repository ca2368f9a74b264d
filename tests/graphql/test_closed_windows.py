"""A report of a window that is over stays as it is, whatever becomes of the items that were open at its end."""

from typing import Any

import pytest

from tasks_app.operations import tasks as operations
from tasks_app.operations.projects import StateSpec, create_project
from tests.cast import Cast, cast
from tests.graphql.march import NOW, at
from tests.graphql.proofs import asked, board_of_march, clock, folded, late_move, working

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def carried_over(people: Cast, keys: list[str]) -> None:
    """The items that are open at the window's end go on after it: to another board, to done, and away."""
    one, _, three = keys
    with working(people.alice) as (tenant_id, me):
        states = [StateSpec(name="Later", category="TODO")]
        create_project(tenant_id=tenant_id, key="NEXT", name="Next", timezone="UTC", states=states)
        moved: dict[str, Any] = {"tenant_id": tenant_id, "actor_id": me, "happened_at": at(11), "now": NOW}
        operations.transfer_task(task=three, project="NEXT", **moved)
        operations.move_task(task=one, to="done", **moved)


def test_a_closed_window_is_the_same_after_its_open_items_are_carried_over(people: Cast) -> None:
    """P9: every figure, wherever it is read from; what was open then is still shown as open."""
    keys = board_of_march(people)
    folded(people)
    before = asked(people.alice, project="WEB")
    carried_over(people, keys)
    sources: list[dict[str, Any]] = [{"from": "MERGED"}, {"from": "RAW"}]
    for source in sources:
        after = asked(people.alice, project="WEB", **source)
        assert after["receipt"]["digest"] == before["receipt"]["digest"], source
        assert after["workInProgress"] == before["workInProgress"]
    folded(people)
    rollup: dict[str, Any] = {"from": "ROLLUP"}
    assert asked(people.alice, project="WEB", **rollup)["receipt"]["digest"] == before["receipt"]["digest"]


def test_a_late_edit_shows_now_and_never_in_a_pinned_report(people: Cast) -> None:
    """P11: the report as known then is pinned by knownAt."""
    key, *_ = board_of_march(people)
    before = asked(people.alice, project="WEB", now=clock())
    known_at = before["receipt"]["knownAt"]
    late_move(people, key, to="todo")
    pinned = asked(people.alice, project="WEB", knownAt=known_at, now=clock())
    assert asked(people.alice, project="WEB", now=clock())["receipt"]["digest"] != before["receipt"]["digest"]
    assert pinned["receipt"]["digest"] == before["receipt"]["digest"]
