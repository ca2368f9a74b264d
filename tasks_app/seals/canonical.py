"""Canonical form of a ledger row: the bytes that a seal hashes, made alike by PostgreSQL and by Python's standard library.

A row is its ledger's code, one byte, and then each column in the order of the layout:

    INT      8 bytes, big-endian, signed
    INSTANT  8 bytes, big-endian, signed: microseconds since 2000-01-01 UTC, as PostgreSQL stores it
    FLAG     1 byte, 0 or 1
    TEXT     4 bytes with the length in bytes, then UTF-8; lists and JSON are the text that PostgreSQL shows

A column that may be null has one byte before it: 0 and nothing else where it is null, else 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from struct import pack
from typing import Any


class Form(StrEnum):
    """How a column becomes bytes."""

    INT = "INT"
    INSTANT = "INSTANT"
    FLAG = "FLAG"
    TEXT = "TEXT"


@dataclass(frozen=True, slots=True)
class Field:
    """A column. `shown` is the SQL expression where the text of the column is another one than its own."""

    name: str
    form: Form = Form.INT
    nullable: bool = False
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a ledger that are sealed, in their order; `code` tells rows of different ledgers apart for ever."""

    ledger: str
    code: int
    fields: tuple[Field, ...]


COMMON = tuple(
    Field(name, form)
    for name, form in (
        ("seq", Form.INT),
        ("tenant_id", Form.INT),
        ("epoch", Form.INT),
        ("xact", Form.INT),
        ("correlation", Form.INT),
        ("happened_at", Form.INSTANT),
        ("recorded_at", Form.INSTANT),
        ("actor_id", Form.INT),
    )
)
LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "task_ledger",
        1,
        (*COMMON, *(Field(name) for name in ("kind", "task_id", "project_id", "from_id", "to_id"))),
    ),
    Layout(
        "definition_ledger",
        2,
        (
            *COMMON,
            *(Field(name) for name in ("project_id", "state_id", "position")),
            *(Field(name, Form.FLAG) for name in ("waiting", "needs_validation", "archived")),
            *(Field(name, Form.TEXT) for name in ("slug", "name", "category", "timezone")),
        ),
    ),
    Layout(
        "access_ledger",
        3,
        (
            *COMMON,
            *(Field(name) for name in ("kind", "user_id", "key_id")),
            Field("expires_at", Form.INSTANT, nullable=True),
            Field("role", Form.TEXT),
            Field("scopes", Form.TEXT, shown="array_to_json(l.scopes)::text"),
            Field("allowed_cidrs", Form.TEXT, shown="array_to_json(l.allowed_cidrs)::text"),
            Field("plan", Form.TEXT, nullable=True, shown="l.plan::text"),
            Field("plan_before", Form.TEXT, nullable=True, shown="l.plan_before::text"),
        ),
    ),
)
BY_NAME: Mapping[str, Layout] = {layout.ledger: layout for layout in LAYOUTS}


def packed(layout: Layout, row: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a row as it is exported: instants are microseconds since 2000. KeyError for a missing column."""
    return bytes([layout.code]) + b"".join(_packed(field, row[field.name]) for field in layout.fields)


def _packed(field: Field, value: Any) -> bytes:
    if field.nullable and value is None:
        return b"\x00"
    mark = b"\x01" if field.nullable else b""
    if field.form is Form.TEXT:
        text = str(value).encode()
        return mark + pack(">i", len(text)) + text
    return mark + (pack(">?", value) if field.form is Form.FLAG else pack(">q", value))


def bytes_in_sql(layout: Layout) -> str:
    """The SQL expression of the canonical bytes of a row `l`."""
    return " || ".join([f"'\\x{layout.code:02x}'::bytea", *(_in_sql(field) for field in layout.fields)])


def columns_in_sql(layout: Layout) -> str:
    """The SQL expressions of a row's values as they are exported, in the order of the layout."""
    return ", ".join(
        f"(extract(epoch FROM l.{field.name} - timestamptz '2000-01-01 00:00:00Z') * 1000000)::bigint"
        if field.form is Form.INSTANT
        else _shown(field)
        for field in layout.fields
    )


def _shown(field: Field) -> str:
    return field.shown or f"l.{field.name}"


def _in_sql(field: Field) -> str:
    shown = _shown(field)
    found = {
        Form.INT: f"int8send({shown}::bigint)",
        Form.INSTANT: f"timestamptz_send({shown})",
        Form.FLAG: f"boolsend({shown})",
        Form.TEXT: f"int4send(octet_length({shown})) || convert_to({shown}, 'UTF8')",
    }[field.form]
    return (
        f"CASE WHEN {shown} IS NULL THEN '\\x00'::bytea ELSE '\\x01'::bytea || {found} END" if field.nullable else found
    )
