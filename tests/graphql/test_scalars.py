"""Scalars, inputs and ids: what is read, what is refused, and in which words."""

import pytest

from tasks_app.http.node import decode_id, decode_pk, encode_id
from tests.graphql.small_schema import URLS, ask, only_error

pytestmark = pytest.mark.urls(URLS)


@pytest.mark.parametrize(
    ("written", "answered"),
    [
        ("2026-03-01T09:00:00+01:00", "2026-03-01T08:00:00Z"),
        ("2026-03-01T09:00:00.000001Z", "2026-03-01T09:00:00.000001Z"),
        ("2026-03-01T09:00z", "2026-03-01T09:00:00Z"),
        ("2026-03-01T09:00:00-0330", "2026-03-01T12:30:00Z"),
        ("2026-03-01T09:00:00.5+05:45", "2026-03-01T03:15:00.500000Z"),
    ],
)
def test_an_instant_is_answered_in_utc(written: str, answered: str) -> None:
    assert ask("query ($at: DateTime!) { instant(at: $at) }", at=written)["data"] == {"instant": answered}
    assert ask(f'{{ instant(at: "{written}") }}')["data"] == {"instant": answered}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-03-01T09:00:00", 'has no time zone offset; add one, such as "Z" or "+01:00".'),
        ("2026-03-01", 'is not an instant; write it as in "2026-03-01T09:00:00+01:00".'),
        ("2026-03-01 09:00:00Z", 'is not an instant; write it as in "2026-03-01T09:00:00+01:00".'),
        ("2026-03-01T09:00:00.1234567Z", 'is not an instant; write it as in "2026-03-01T09:00:00+01:00".'),
        ("٢٠٢٦-03-01T09:00:00Z", 'is not an instant; write it as in "2026-03-01T09:00:00+01:00".'),
        ("2026-02-30T09:00:00Z", "does not exist in the calendar or on the clock."),
        ("2026-03-01T25:00:00Z", "does not exist in the calendar or on the clock."),
        ("0016-03-01T09:00:00Z", "is outside the years 1900 to 2200; check the year."),
        ("2201-01-01T00:00:00Z", "is outside the years 1900 to 2200; check the year."),
        ("1900-01-01T00:00:00+01:00", "is outside the years 1900 to 2200; check the year."),
        ("0001-01-01T00:00:00+01:00", "does not exist in the calendar or on the clock."),
    ],
)
def test_an_instant_that_is_refused_says_why_and_where(written: str, reason: str) -> None:
    by_variable = only_error(ask("query ($at: DateTime!) { instant(at: $at) }", at=written))
    assert by_variable["message"] == f"Variable '$at' has invalid value: \"{written}\" {reason}"
    by_literal = only_error(ask(f'{{ instant(at: "{written}") }}'))
    assert by_literal["message"] == f'"{written}" {reason}'
    assert by_literal["locations"] == [{"line": 1, "column": 15}]
    assert by_variable["extensions"] == by_literal["extensions"] == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize("written", [5, True, 1.5, ["2026-03-01T09:00:00Z"], {"a": 1}, "x" * 100_000])
def test_an_instant_is_text(written: object) -> None:
    error = only_error(ask("query ($at: DateTime!) { instant(at: $at) }", at=written))
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert len(error["message"]) < 200


@pytest.mark.parametrize(
    ("name", "kind", "written", "read"),
    [
        ("day", "Date", "2026-03-01", "2026-03-01"),
        ("amount", "Decimal", "12.50", "12.50"),
        ("amount", "Decimal", "-0.1", "-0.1"),
        ("big", "BigInt", "9007199254740993", "9007199254740993"),
        ("big", "BigInt", "-9223372036854775808", "-9223372036854775808"),
        ("data", "JSON", {"a": [1, None]}, "{'a': [1, None]}"),
    ],
)
def test_scalars_that_are_read(name: str, kind: str, written: object, read: str) -> None:
    answer = ask(f"query ($v: {kind}) {{ echo({name}: $v) }}", v=written)
    assert answer["data"] == {"echo": {name: read}}


@pytest.mark.parametrize(
    ("name", "kind", "written"),
    [
        ("day", "Date", "2026-02-30"),
        ("day", "Date", "2026-03-01T00:00:00Z"),
        ("day", "Date", "20260301"),
        ("day", "Date", "0016-01-01"),
        ("amount", "Decimal", 12.5),
        ("amount", "Decimal", "1e5"),
        ("amount", "Decimal", "NaN"),
        ("amount", "Decimal", "Infinity"),
        ("amount", "Decimal", "1" * 41),
        ("big", "BigInt", 5),
        ("big", "BigInt", "9223372036854775808"),
        ("big", "BigInt", "x"),
    ],
)
def test_scalars_that_are_refused(name: str, kind: str, written: object) -> None:
    answer = ask(f"query ($v: {kind}) {{ echo({name}: $v) }}", v=written)
    assert only_error(answer)["extensions"] == {"code": "BAD_USER_INPUT"}


def test_node_finds_a_thing_by_its_opaque_id() -> None:
    lamp = encode_id(type_name="Lamp", pk=5)
    answer = ask("query ($id: ID!) { node(id: $id) { __typename id } }", id=lamp)
    assert answer["data"] == {"node": {"__typename": "Lamp", "id": lamp}}
    assert "Lamp" not in lamp


@pytest.mark.parametrize(
    "node_id",
    [
        "",
        "xx",
        "é",
        "TGFtcDo1=",
        "TGFtcDo1 ",
        "\n",
        "A" * 10_000,
        encode_id(type_name="Lamp", pk=100),
        encode_id(type_name="Nothing", pk=5),
        encode_id(type_name="Lamp", pk=2**63),
        encode_id(type_name="Lamp", pk=0),
        encode_id(type_name="Lamp", pk=-1),
    ],
)
def test_node_is_not_found_for_what_is_not_there(node_id: str) -> None:
    answer = ask("query ($id: ID!) { node(id: $id) { id } }", id=node_id)
    assert answer["data"] == {"node": None}
    assert [(error["message"], error["extensions"]["code"]) for error in answer["errors"]] == [
        ("id: there is nothing with this id.", "NOT_FOUND")
    ]


def test_an_id_has_one_spelling() -> None:
    lamp = encode_id(type_name="Lamp", pk=5)
    key = decode_id(lamp)
    assert key is not None
    assert (key.type_name, key.pk) == ("Lamp", 5)
    assert decode_id(lamp + "=") is None
    assert decode_id(encode_id(type_name="Lamp", pk=2**63)) is None
    assert decode_pk(lamp, type_name="Lamp") == 5
    assert decode_pk(lamp, type_name="Task") is None


# ------------------------------------------------------------------ @oneOf


@pytest.mark.parametrize(
    "query",
    [
        "query ($n: Int!) { pick(choice: {number: $n}) }",
        "fragment F on Query { pick(choice: {number: $n}) } query ($n: Int!) { ...F }",
    ],
)
def test_one_of_takes_a_variable(query: str) -> None:
    """strawberry's own rule breaks on the second document: the fragment stands before its operation."""
    assert ask(query, n=7)["data"] == {"pick": "7"}


@pytest.mark.parametrize("choice", [{}, {"number": 1, "text": "a"}, {"number": None}, {"numbr": 1}, None, 5])
def test_one_of_refuses_anything_but_one_value(choice: object) -> None:
    answer = ask("query ($c: Choice!) { pick(choice: $c) }", c=choice)
    assert "data" not in answer
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert "Did you mean" not in str(answer)


@pytest.mark.parametrize(
    "query",
    [
        "{ pick(choice: {}) }",
        '{ pick(choice: {number: 1, text: "a"}) }',
        "{ pick(choice: {number: null}) }",
        "{ pick(choice: {number: $undeclared}) }",
    ],
)
def test_one_of_is_checked_before_anything_runs(query: str) -> None:
    answer = ask(query)
    assert "data" not in answer
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}


def test_one_of_refuses_a_variable_that_is_null() -> None:
    answer = ask("query ($n: Int) { pick(choice: {number: $n}) }", n=None)
    assert only_error(answer)["extensions"] == {"code": "BAD_USER_INPUT"}


def test_one_of_is_introspected() -> None:
    assert ask('{ __type(name: "Choice") { isOneOf } }')["data"] == {"__type": {"isOneOf": True}}
