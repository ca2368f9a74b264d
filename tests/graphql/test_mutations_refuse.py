"""What no mutation takes: text that cannot be kept, ids and numbers that mean nothing. One sentence, and no trace."""

from typing import Any

import pytest

from tasks_app.http.node import encode_id
from tasks_app.models import Task, TaskLedger
from tests.cast import cast, tasks
from tests.graphql.client import Asker, with_session

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "task { key assignee { name } }"


@pytest.fixture
def bob(db: Any) -> Asker:
    """Bob of Acme, where there is the task WEB-1."""
    everybody = cast()
    tasks(board=everybody.acme.board, count=1)
    return with_session(everybody.bob.user)


def ledger_rows() -> int:
    return TaskLedger.objects.count()


def only_error(payload: Any) -> tuple[str, str, list[str]]:
    assert len(payload["errors"]) == 1, payload
    error = payload["errors"][0]
    return error["code"], error["message"], error["path"]


@pytest.mark.parametrize("assignee", ["x", "", "QWN0b3I6MA", encode_id(type_name="Task", pk=1), "A" * 9000])
def test_an_assignee_must_be_an_actors_id(bob: Asker, assignee: str) -> None:
    payload = bob.mutate("createTask", TASK, project="WEB", title="x", assignee=assignee)
    assert only_error(payload) == ("NOT_FOUND", "There is no such actor to assign to.", ["input", "assignee"])


@pytest.mark.parametrize("pk", [2**31, 2**63 - 1])
def test_an_assignee_of_a_huge_number_is_nobody(bob: Asker, pk: int) -> None:
    payload = bob.mutate("assignTask", TASK, task="WEB-1", assignee=encode_id(type_name="Actor", pk=pk))
    assert only_error(payload) == ("NOT_FOUND", "There is no such actor to assign to.", ["input", "assignee"])


def test_a_reason_that_is_a_book_is_refused(bob: Asker) -> None:
    payload = bob.mutate("discardTask", "taskKey", task="WEB-1", reason="r" * 10_001)
    assert payload["taskKey"] is None
    assert only_error(payload) == (
        "BAD_USER_INPUT",
        "reason: 10,001 characters are too many; 10,000 are kept.",
        ["input", "reason"],
    )
    assert Task.objects.get(key="WEB-1").discarded_at is None


@pytest.mark.parametrize("field", ["task", "actor"])
def test_a_name_that_fits_no_index_is_refused(bob: Asker, field: str) -> None:
    """1,000 characters of four bytes each: short enough to be read, too long to be looked up."""
    text = "".join(chr(0x20000 + (number * 7919) % 40_000) for number in range(1000))
    event = {"externalId": "1", "project": "WEB", "task": "c", "state": "doing", "happenedAt": "2026-01-05T00:00:00Z"}
    before = ledger_rows()
    payload = bob.mutate("recordEvents", "recorded", source="jira", events=[{**event, field: text}])
    assert only_error(payload) == (
        "BAD_USER_INPUT",
        f"Event 1: {field} must have at most 2,000 bytes and no NUL.",
        ["input", "events", "0", field],
    )
    assert ledger_rows() == before


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_a_text_that_cannot_be_kept_is_refused_in_a_variable(bob: Asker, text: str) -> None:
    before = ledger_rows()
    query = 'mutation ($title: String!) { renameTask(input: {task: "WEB-1", title: $title}) { errors { code } } }'
    assert bob.error(query, title=text) == (
        "BAD_USER_INPUT",
        "variables: a string has a NUL or a lone surrogate in it; leave it out.",
    )
    assert ledger_rows() == before


@pytest.mark.parametrize(
    ("literal", "message"),
    [
        ("\\u0000", "query: the document has a NUL character in it; leave it out."),
        ("\\u{0}", "query: the document has a NUL character in it; leave it out."),
        ("\\uD800", "Syntax Error: Invalid Unicode escape sequence: '\\uD800'."),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_in_a_literal(bob: Asker, literal: str, message: str) -> None:
    before = ledger_rows()
    query = f'mutation {{ renameTask(input: {{task: "WEB-1", title: "x{literal}"}}) {{ errors {{ code }} }} }}'
    assert bob.error(query) == ("BAD_USER_INPUT", message)
    assert ledger_rows() == before


def test_a_number_that_is_too_large_is_refused(bob: Asker) -> None:
    answer = bob.answer("{ projects(first: 99999999999) { totalCount } }")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in answer


def test_an_instant_without_a_zone_is_refused(bob: Asker) -> None:
    given = '{task: "WEB-1", to: "doing", happenedAt: $at}'
    query = f"mutation ($at: DateTime) {{ moveTask(input: {given}) {{ errors {{ code }} }} }}"
    code, message = bob.error(query, at="2026-01-05T10:00:00")
    assert code == "BAD_USER_INPUT"
    assert "has no time zone offset" in message
