"""Aging over the API: a list in pages, one figure for the receipt."""

from typing import Any

import pytest

from tests.cast import Cast, cast
from tests.graphql.march import at, made
from tests.graphql.proofs import asked, board_of_march

pytestmark = pytest.mark.django_db(transaction=True)

ITEM = "taskKey state { slug } startedAt ageSeconds ageDays percentile"


@pytest.fixture
def people(db: Any) -> Cast:
    """The board of March: one task is open again, one was finished in four days; and another is in progress."""
    people = cast()
    board_of_march(people)
    made(people.alice, title="Four", created=at(8), moves={at(9): "doing"})
    return people


def page(people: Cast, arguments: str) -> Any:
    """A page of the items as of March 10th."""
    edges = f"edges {{ cursor node {{ {ITEM} }} }} pageInfo {{ hasNextPage hasPreviousPage }} totalCount"
    return asked(people.alice, project="WEB", selection=f"aging({arguments}) {{ {edges} }} receipt {{ digest }}")


def test_the_oldest_comes_first(people: Cast) -> None:
    """P20: to the second; the days are local dates, and the new one has not begun at midnight."""
    found = page(people, "first: 5")["aging"]
    assert [edge["node"] for edge in found["edges"]] == [
        {
            "taskKey": "WEB-1",
            "state": {"slug": "doing"},
            "startedAt": "2026-03-03T09:00:00Z",
            "ageSeconds": 6.625 * 86400,
            "ageDays": 7,
            "percentile": 1.0,
        },
        {
            "taskKey": "WEB-4",
            "state": {"slug": "doing"},
            "startedAt": "2026-03-09T09:00:00Z",
            "ageSeconds": 0.625 * 86400,
            "ageDays": 1,
            "percentile": 0.0,
        },
    ]
    assert found["totalCount"] == 2


def test_pages_are_of_one_figure(people: Cast) -> None:
    """P4: whichever page is shown, the digest is that of the whole list."""
    first = page(people, "first: 1")
    cursor = first["aging"]["edges"][0]["cursor"]
    second = page(people, f'first: 1, after: "{cursor}"')
    last = page(people, "last: 1")
    assert [edge["node"]["taskKey"] for edge in second["aging"]["edges"]] == ["WEB-4"]
    assert second["aging"]["edges"] == last["aging"]["edges"]
    assert first["aging"]["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
    assert second["aging"]["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}
    assert first["receipt"] == second["receipt"] == last["receipt"]


def test_two_pages_in_one_question_are_one_figure(people: Cast) -> None:
    """An alias is no second list."""
    text = "a: aging(first: 1) { totalCount } b: aging(last: 1) { totalCount } receipt { digest }"
    one = asked(people.alice, project="WEB", selection=text)
    assert one["receipt"] == page(people, "first: 1")["receipt"]


def test_the_receipt_counts_what_was_read(people: Cast) -> None:
    """Four tasks were created, and moved six times."""
    text = "aging(first: 1) { totalCount } receipt { rawRows readFrom }"
    read_from: dict[str, Any] = {"from": "RAW"}
    assert asked(people.alice, project="WEB", selection=text, **read_from)["receipt"] == {
        "rawRows": 10,
        "readFrom": "RAW",
    }
