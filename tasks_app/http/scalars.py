"""Scalars of the API. Stock ones accept instants without a zone and rounded money; these do not."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType, TypeVar

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

JSON = NewType("JSON", object)
BigInt = NewType("BigInt", int)
T = TypeVar("T")
Day = TypeVar("Day", bound=date)

FIRST_YEAR = 1900
LAST_YEAR = 2200
DIGITS = 40

INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
# The first number that PostgreSQL's integer, and bigint, cannot hold.
INT_LIMIT = 2**31
BIGINT_LIMIT = 2**63


def parse_datetime(value: object) -> datetime:
    """The instant in UTC. Refuses text without an offset, with one sentence that says so."""
    text = _text(value, expected='an instant such as "2026-03-01T09:00:00+01:00"')
    match = INSTANT.fullmatch(text)
    if match is None:
        raise _refusal(text, 'is not an instant; write it as in "2026-03-01T09:00:00+01:00"')
    if match["offset"] is None:
        raise _refusal(text, 'has no time zone offset; add one, such as "Z" or "+01:00"')
    instant = _converted(text, lambda: datetime.fromisoformat(text.upper()).astimezone(UTC))
    return _year_checked(text, instant)


def format_datetime(value: object) -> str:
    """ISO 8601 in UTC with Z, microseconds only where there are any."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError("A DateTime is answered from a datetime that knows its zone.")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_date(value: object) -> date:
    """The calendar day."""
    text = _text(value, expected='a day such as "2026-03-01"')
    if DAY.fullmatch(text) is None:
        raise _refusal(text, 'is not a day; write it as in "2026-03-01"')
    return _year_checked(text, _converted(text, lambda: date.fromisoformat(text)))


def format_date(value: object) -> str:
    """The day as YYYY-MM-DD."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TypeError("A Date is answered from a date without a time.")
    return value.isoformat()


def parse_decimal(value: object) -> Decimal:
    """The exact number. Refuses floats, because they have already been rounded."""
    text = _text(value, expected='a decimal number as a string, such as "12.50"')
    if DECIMAL.fullmatch(text) is None or len(text) > DIGITS:
        raise _refusal(text, 'is not a decimal number; write it as in "12.50", with at most 40 characters')
    return Decimal(text)


def format_decimal(value: object) -> str:
    """The digits as they are, never in exponent form."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError("A Decimal is answered from a finite decimal.Decimal.")
    return format(value, "f")


def parse_bigint(value: object) -> int:
    """The integer, which fits into 64 bits."""
    text = _text(value, expected='an integer as a string, such as "9007199254740993"')
    if INTEGER.fullmatch(text) is None or not -BIGINT_LIMIT <= int(text) < BIGINT_LIMIT:
        raise _refusal(text, "is not an integer of 64 bits")
    return int(text)


def _text(value: object, *, expected: str) -> str:
    if isinstance(value, str):
        return value
    raise GraphQLError(f"Expected {expected}.")


def _refusal(text: str, reason: str) -> GraphQLError:
    shown = text if len(text) <= DIGITS else text[:DIGITS] + "..."
    return GraphQLError(f'"{shown}" {reason}.')


def _converted(text: str, convert: Callable[[], T]) -> T:
    try:
        return convert()
    except (ValueError, OverflowError):
        raise _refusal(text, "does not exist in the calendar or on the clock") from None


def _year_checked(text: str, value: Day) -> Day:
    if FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    raise _refusal(text, f"is outside the years {FIRST_YEAR} to {LAST_YEAR}; check the year")


def _definition(
    *, name: str, description: str, serialize: Callable[[Any], Any], parse: Callable[[Any], Any]
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        serialize=serialize,
        parse_value=parse,
        parse_literal=_literal_parser(parse),
    )


def _literal_parser(parse: Callable[[Any], Any]) -> Callable[..., Any]:
    """The same parser for a literal. graphql-core would lose the place of our own errors in the document."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return parse_literal


def _unchanged(value: object) -> object:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: _definition(
        name="DateTime",
        description="An instant: ISO 8601 with an offset (required), answered in UTC with Z. Years 1900 to 2200.",
        serialize=format_datetime,
        parse=parse_datetime,
    ),
    date: _definition(
        name="Date",
        description="A calendar day, YYYY-MM-DD. Years 1900 to 2200.",
        serialize=format_date,
        parse=parse_date,
    ),
    Decimal: _definition(
        name="Decimal",
        description='An exact decimal number, written as a string such as "12.50". Floats are refused.',
        serialize=format_decimal,
        parse=parse_decimal,
    ),
    JSON: _definition(name="JSON", description="Any JSON value.", serialize=_unchanged, parse=_unchanged),
    BigInt: _definition(
        name="BigInt",
        description="An integer of up to 64 bits, written as a string.",
        serialize=str,
        parse=parse_bigint,
    ),
}
