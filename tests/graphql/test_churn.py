"""Churn and identities over the API."""

from typing import Any

import pytest

from tests.cast import Cast, cast
from tests.graphql.in_process import Refusal
from tests.graphql.in_process import ask as asked_of
from tests.graphql.march import NOW
from tests.graphql.proofs import ASK, asked, board_of_march

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = "finishEvents reopened reopenRate backflow firstPassYield abandoned churnRate edges { from { slug } count }"


@pytest.fixture
def people(db: Any) -> Cast:
    people = cast()
    board_of_march(people)
    return people


def test_rates_are_shares_of_what_is_judged(people: Cast) -> None:
    """One of two finishes was taken back two days later; of the other a week is not over yet."""
    found = asked(people.alice, project="WEB", selection=f"churn(reopenWithinDays: 7) {{ {PARTS} }}")["churn"]
    assert found == {
        "finishEvents": 2,
        "reopened": 1,
        "reopenRate": 1.0,
        "backflow": 1,
        "firstPassYield": 1.0,
        "abandoned": 0,
        "churnRate": 0.0,
        "edges": [{"from": {"slug": "done"}, "count": 1}],
    }


def test_the_number_of_days_makes_another_figure(people: Cast) -> None:
    """P4: one digest for each, and the default is fourteen days."""
    text = "a: churn { reopened } b: churn(reopenWithinDays: 14) { reopened } receipt { digest }"
    one = asked(people.alice, selection=text)
    other = asked(people.alice, selection="churn(reopenWithinDays: 1) { reopened } receipt { digest }")
    assert one["a"] == one["b"] == {"reopened": 0}
    assert (
        one["receipt"]["digest"]
        == asked(people.alice, selection="churn { reopened } receipt { digest }")["receipt"]["digest"]
    )
    assert one["receipt"]["digest"] != other["receipt"]["digest"]


@pytest.mark.parametrize("days", [0, -1, 367])
def test_days_that_are_none_are_refused(people: Cast, days: int) -> None:
    """The sentence names the argument and its range."""
    refusal = asked_of(people.alice, ASK % f"churn(reopenWithinDays: {days}) {{ reopened }}", now=NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "BAD_USER_INPUT"
    assert refusal.message == f"reopenWithinDays: {days} is out of range; pass a number of days from 1 to 366."


@pytest.mark.parametrize("source", ["RAW", "ROLLUP", "MERGED"])
def test_identities_are_data(people: Cast, source: str) -> None:
    """P13, P20: each by name, whether it holds, and by how much not."""
    read_from: dict[str, Any] = {"from": source}
    found = asked(people.alice, selection="identities { name ok difference }", **read_from)["identities"]
    names = ("conservation", "workConservation", "littlesLaw", "lifetime")
    assert found == [{"name": name, "ok": True, "difference": 0.0} for name in names]
