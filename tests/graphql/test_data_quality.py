"""analytics { dataQuality }: over the API, beside the figures that it is about."""

from typing import Any

import pytest

from tests.cast import Cast, cast
from tests.graphql.in_process import ask
from tests.graphql.march import NOW, at, made
from tests.graphql.proofs import actor_id, digest_of, folded, replayed

QUERY = """query ($actor: ID, $filter: TaskFilter) {
    analytics(project: "WEB", actor: $actor, filter: $filter,
              window: {between: {from: "2026-03-02T00:00:00Z", to: "2026-03-06T00:00:00Z"}}, bucket: DAY) {
      dataQuality { score checks { code title failures taskKeys } } receipt { digest token rawRows } } }"""
CODES = [
    "FINISH_WITHOUT_START",
    "CHANGE_AFTER_DONE",
    "BACKWARD_MOVE",
    "SKIPPED_STATE",
    "CREATED_BEYOND_FIRST",
    "IMPOSSIBLE_ORDER",
    "EQUAL_TIMESTAMPS",
    "MISSING_BASELINE",
    "CHAIN_BREAK",
    "REPLAY_DIFFERS",
    "FUTURE_TIMESTAMP",
]


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def asked(people: Cast, **given: Any) -> Any:
    """The answer about March."""
    return ask(people.alice, QUERY, now=NOW, **given)["analytics"]


def failing(answer: Any) -> dict[str, tuple[int, list[str]]]:
    """The checks that fail, by code."""
    checks = answer["dataQuality"]["checks"]
    return {each["code"]: (each["failures"], each["taskKeys"]) for each in checks if each["failures"]}


@pytest.mark.django_db(transaction=True)
def test_what_fails_is_named(people: Cast) -> None:
    """P26: a record that came through the product's doors has no broken chain; folded or not it is the same."""
    sound = made(people.alice, title="Sound", created=at(2), moves={at(4): "doing", at(3): "todo"})
    odd = made(people.alice, title="Odd", created=at(2), moves={at(3): "done", at(4): "todo"})
    answer = asked(people)
    checks = answer["dataQuality"]["checks"]
    assert [each["code"] for each in checks] == CODES
    assert all(each["title"] for each in checks)
    assert failing(answer) == {
        "FINISH_WITHOUT_START": (1, [odd]),
        "CHANGE_AFTER_DONE": (1, [odd]),
        "BACKWARD_MOVE": (1, [odd]),
        "SKIPPED_STATE": (1, [odd]),
    }
    assert (answer["dataQuality"]["score"], answer["receipt"]["rawRows"]) == (0.5, 5)
    folded(people)
    assert asked(people)["dataQuality"] == answer["dataQuality"]
    assert asked(people)["receipt"]["digest"] == answer["receipt"]["digest"]
    made(people.alice, title="Late", created=at(2), moves={at(3): "done"})
    assert digest_of(replayed(people.alice, answer["receipt"]["token"])) == answer["receipt"]["digest"]
    assert failing(asked(people, filter={"search": "sound"})) == {}
    assert failing(asked(people, actor=actor_id(people.bob))) == {}
    assert sound != odd


def test_at_most_a_hundred_are_named(people: Cast) -> None:
    """The number is exact."""
    for number in range(102):
        made(people.alice, title=f"Number {number}", created=at(2), moves={at(3): "done"})
    count, keys = failing(asked(people))["FINISH_WITHOUT_START"]
    assert (count, len(keys), len(set(keys))) == (102, 100, 100)


def test_nothing_is_not_odd(people: Cast) -> None:
    assert asked(people)["dataQuality"]["score"] == 1.0
