"""How far the tenant's facts are folded, as the API tells it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast, cast
from tests.graphql.client import new_key, with_key
from tests.graphql.in_process import ask
from tests.graphql.proofs import board_of_march, clock, folded, late_move
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db(transaction=True)

OPERATIONS = "{ operations { folded { family tailRows oldestTailAt lastFoldedAt alert } } }"


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def transitions(people: Cast, **asked: Any) -> Any:
    """The family of tasks that move."""
    answer = ask(people.alice, OPERATIONS, **asked)
    return next(each for each in answer["operations"]["folded"] if each["family"] == "transitions")


def test_before_anything_is_recorded(people: Cast) -> None:
    assert transitions(people) == {
        "family": "transitions",
        "tailRows": 0,
        "oldestTailAt": None,
        "lastFoldedAt": None,
        "alert": False,
    }


def test_facts_wait_and_are_folded(people: Cast) -> None:
    """What another tenant has waiting is nobody's business."""
    key, *_ = board_of_march(people)
    found = transitions(people, now=clock())
    oldest = sql("SELECT min(recorded_at) FROM task_ledger")[0][0]
    assert (found["tailRows"], found["lastFoldedAt"], found["alert"]) == (9, None, False)
    assert found["oldestTailAt"] == oldest.isoformat().replace("+00:00", "Z")
    assert folded(people, now=clock()) == 9
    found = transitions(people)
    assert (found["tailRows"], found["oldestTailAt"], found["alert"]) == (0, None, False)
    assert found["lastFoldedAt"] is not None
    late_move(people, key, to="todo")
    assert transitions(people)["tailRows"] == 1
    other = ask(people.carol, OPERATIONS)["operations"]["folded"]
    assert [(each["tailRows"], each["lastFoldedAt"]) for each in other] == [(0, None)] * len(other)


def test_a_tail_that_nobody_folds_is_an_alert(people: Cast) -> None:
    board_of_march(people)
    oldest = sql("SELECT min(recorded_at) FROM task_ledger")[0][0]
    assert transitions(people, now=oldest + timedelta(minutes=5))["alert"] is False
    assert transitions(people, now=oldest + timedelta(minutes=5, microseconds=1))["alert"] is True
    folded(people)
    assert transitions(people, now=oldest + timedelta(minutes=6))["alert"] is False


def test_it_needs_the_scope_of_analytics(people: Cast) -> None:
    asker = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=["TASKS_READ"]))
    assert asker.error(OPERATIONS) == (
        "FORBIDDEN",
        "operations: this needs the scope ANALYTICS_READ, which this API key does not have.",
    )
