"""How large a document may be, and that finding out stays cheap."""

from typing import Any

import pytest
from graphql import get_introspection_query, parse

from tasks_app.http.limits import limit_errors
from tasks_app.http.schema import Schema
from tests.graphql.small_schema import URLS, Query, ask, only_error, post

pytestmark = pytest.mark.urls(URLS)


def messages(text: str) -> list[str]:
    return [error.message for error in limit_errors(parse(text))]


def nested(levels: int) -> str:
    """A selection of that many fields, one below the other."""
    return "{ " + "a { " * (levels - 1) + "a" + " }" * levels


def bomb(levels: int, leaf: str = "hello") -> str:
    """Each fragment spreads the next one twice: 2 ** levels leaves in a few hundred bytes."""
    chain = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return "\n".join(["{ ...F0 }", *chain, f"fragment F{levels} on Query {{ {leaf} }}"])


@pytest.mark.parametrize(
    ("text", "over"),
    [
        (nested(10), []),
        (nested(11), ["The operation has 11 levels; the limit is 10. Ask in several requests."]),
        ("{ __schema " + nested(19) + " }", []),
        (
            "{ __schema " + nested(20) + " }",
            ["The operation has 21 levels below __schema or __type; the limit is 20. Ask in several requests."],
        ),
        ("{ " + "a " * 1_000 + "}", []),
        (
            "{ " + "a " * 1_001 + "}",
            ["The operation has 1001 fields; the limit is 1000. Ask in several requests."],
        ),
        ("{ " + "".join(f"b{n}: a " for n in range(30)) + "}", []),
        (
            "{ " + "".join(f"b{n}: a " for n in range(31)) + "}",
            ["The operation has 31 aliases; the limit is 30. Ask in several requests."],
        ),
        ("{ a " + "@skip(if: false) " * 50 + "}", []),
        (
            "{ a " + "@skip(if: false) " * 51 + "}",
            ["The operation has 51 directives; the limit is 50. Ask in several requests."],
        ),
    ],
)
def test_each_limit_is_kept_to_the_last_one_and_broken_by_the_next(text: str, over: list[str]) -> None:
    assert messages(text) == over


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("{ a { b { c { ...F } } } } fragment F on T " + nested(8), "11 levels"),
        ("{ a { ... { b { ... on T " + nested(9) + " } } } }", "11 levels"),
        ("{ ...F ...F } fragment F on Q { " + "".join(f"b{n}: a " for n in range(16)) + "}", "32 aliases"),
        ("{ ...F } fragment F on Q { __type(name: 1) " + nested(20) + " }", "21 levels below"),
        ("{ __schema { ...F } } fragment F on T " + nested(20), "21 levels below"),
        (
            "query ($v: Int "
            + "@d " * 20
            + ") "
            + "@d " * 20
            + "{ ...F "
            + "@d " * 6
            + "} fragment F on Q "
            + "@d " * 5
            + "{ a }",
            "51 dir",
        ),
        ("{ a } query B " + nested(11), "11 levels"),
    ],
)
def test_fragments_count_where_they_are_spread(text: str, limit: str) -> None:
    (message,) = messages(text)
    assert limit in message


@pytest.mark.parametrize(
    "text",
    [
        "{ ...Nowhere }",
        "{ }",
        "{ a { } }",
        "{ ...A } fragment A on Q { ...B } fragment B on Q { ...A a }",
        "{ ...A } fragment A on Q { a { ...A } }",
        "fragment A on Q { a }",
        "{ ... { } }",
        "type Query { a: Int }",
        "{ ...A } fragment A on Q { a } fragment A on Q { b }",
    ],
)
def test_a_document_that_is_wrong_in_other_ways_is_left_to_validation(text: str) -> None:
    assert messages(text) == []


def test_an_unknown_fragment_and_a_cycle_are_named_by_validation() -> None:
    assert only_error(ask("{ ...Nowhere }"))["message"] == "Unknown fragment 'Nowhere'."
    assert (
        "Cannot spread fragment 'A' within itself"
        in only_error(ask("{ ...A } fragment A on Query { hello ...A }"))["message"]
    )


@pytest.mark.parametrize("leaf", ["hello", "b: hello", "hello @skip(if: false)"])
def test_a_bomb_of_forty_levels_is_refused(leaf: str) -> None:
    """Milliseconds. Without memory of the fragments this test would not end: a trillion leaves."""
    (*_, last) = messages(bomb(40, leaf))
    assert "far too many" in last


def test_a_bomb_never_reaches_the_rules_that_it_is_meant_for() -> None:
    response = post({"query": bomb(40)})
    assert response.status_code == 400
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["LIMIT_EXCEEDED"]


def test_a_chain_of_fragments_deeper_than_the_stack_is_refused() -> None:
    chain = "\n".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(1_200))
    text = "{ ...F0 } " + chain + " fragment F1200 on Query { hello }"
    codes = {error["extensions"]["code"] for error in ask(text)["errors"]}
    assert codes == {"LIMIT_EXCEEDED"}


@pytest.mark.parametrize(
    "text",
    [
        "{ hello } #" + "x" * 100_000,
        "{ hello } " + "#\n" * 1_001,
        "{ " + "hello " * 10_001 + "}",
        "{ " + "a { " * 300 + "a" + " }" * 301,
        "{ hello(name: " + "[" * 300 + "]" * 300 + ") }",
    ],
)
def test_a_document_that_is_too_long_is_refused_while_it_is_read(text: str) -> None:
    assert only_error(ask(text))["extensions"] == {"code": "LIMIT_EXCEEDED"}


def test_a_document_of_exactly_the_length_allowed_is_read() -> None:
    text = "{ hello } #"
    assert ask(text + "é" * ((100_000 - len(text)) // 2))["data"] == {"hello": "hello you"}
    assert only_error(ask(text + "é" * 50_000))["extensions"] == {"code": "LIMIT_EXCEEDED"}


def test_the_usual_introspection_query_is_within_the_limits() -> None:
    query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    assert messages(query) == []
    assert "errors" not in ask(query)


def test_a_document_is_parsed_once() -> None:
    """What has been parsed within the limits is what runs; the text beside it is not read again."""
    schema = Schema(query=Query)
    unread: dict[str, Any] = {
        "text": "not a document",
        "operation_name": None,
        "variables": None,
        "extensions": None,
        "context": None,
    }
    assert schema.run(document=parse("{ hello }"), **unread).data == {"hello": "hello you"}
