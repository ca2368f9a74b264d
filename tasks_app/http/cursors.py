"""Keyset pages: an order, the cursor of a row in it, and the condition "after this cursor".

The condition bounds the leading column on its own (a row comparison, or a redundant bound where
directions are mixed), so that an index on the columns finds row 1,000,000 as fast as the first.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from django.db.models import F, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from tasks_app.errors import ApiError
from tasks_app.http.scalars import BIGINT_LIMIT
from tasks_app.operations.reporting import EPOCH, MICROSECOND, microseconds

Direction = Literal["asc", "desc"]
Condition = Q | TupleGreaterThan | TupleLessThan

FIELD = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
SQL_COLUMN = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?", re.ASCII)
LONGEST_CURSOR = 4096


class Column(NamedTuple):
    """One column of an order: NOT NULL, and of one of the kinds in KINDS."""

    name: str
    direction: Direction
    kind: type = int


class Fragment(NamedTuple):
    """A piece of SQL with its parameters; values are never in the text."""

    text: str
    params: list[Any]


class Kind(NamedTuple):
    """How the values of a column travel in a cursor. `decode` raises ValueError for what `encode` did not make."""

    encode: Callable[[Any], int | str]
    decode: Callable[[Any], Any]


@dataclass(frozen=True)
class Keyset:
    """A total order: the columns of one index, the last of which makes each row unique."""

    columns: Sequence[Column]

    def __post_init__(self) -> None:
        columns = tuple(Column(*column) for column in self.columns)
        wrong = [c.name for c in columns if not FIELD.fullmatch(c.name) or c.kind not in KINDS]
        if wrong or not columns:
            raise ValueError(f"A keyset needs columns with plain names and a kind of {list(KINDS)}; check {wrong}.")
        object.__setattr__(self, "columns", columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def encode(self, values: Sequence[Any]) -> str:
        """The opaque cursor of the row that has these values."""
        pairs = zip(self.columns, values, strict=True)
        payload = [self._fingerprint(), *(KINDS[column.kind].encode(value) for column, value in pairs)]
        return base64.urlsafe_b64encode(json.dumps(payload, separators=(",", ":")).encode()).decode().rstrip("=")

    def decode(self, cursor: str, *, argument: str) -> tuple[Any, ...]:
        """The values in the cursor. Refuses, naming the argument, what is no cursor of this order."""
        try:
            return self._values(_payload(cursor))
        except (ValueError, OverflowError, RecursionError):
            message = f"{argument}: this is not a cursor of this list; pass one that it has returned, unchanged."
            raise ApiError(message) from None

    def order_by(self, *, backwards: bool = False) -> list[str]:
        """For QuerySet.order_by."""
        return [("-" if _descends(column, backwards) else "") + column.name for column in self.columns]

    def order_sql(self, *, backwards: bool = False, columns: Mapping[str, str] | None = None) -> str:
        """What follows ORDER BY. `columns` maps names to SQL columns, such as {"seq": "f.seq"}."""
        ordered = zip(self._sql_columns(columns), self.columns, strict=True)
        return ", ".join(f"{sql} {'DESC' if _descends(c, backwards) else 'ASC'}" for sql, c in ordered)

    def beyond(self, values: Sequence[Any], *, backwards: bool = False) -> Condition:
        """For QuerySet.filter: the rows that come later in the order than these values, or earlier if backwards."""
        directions = [_descends(column, backwards) for column in self.columns]
        if len(set(directions)) == 1:
            lookup = TupleLessThan if directions[0] else TupleGreaterThan
            return lookup(Tuple(*(F(name) for name in self.names)), tuple(values))
        return _mixed(self.names, directions, values)

    def beyond_sql(
        self, values: Sequence[Any], *, backwards: bool = False, columns: Mapping[str, str] | None = None
    ) -> Fragment:
        """The same for a WHERE clause: `(a, b) < (%s, %s)` and its parameters."""
        names = self._sql_columns(columns)
        directions = [_descends(column, backwards) for column in self.columns]
        if len(set(directions)) == 1:
            slots = ", ".join(["%s"] * len(names))
            text = f"({', '.join(names)}) {_sign(directions[0])} ({slots})"
            return Fragment(text=text, params=list(values))
        return _mixed_sql(names, directions, values)

    def _sql_columns(self, columns: Mapping[str, str] | None) -> list[str]:
        names = [(columns or {}).get(name, name) for name in self.names]
        if wrong := [name for name in names if not SQL_COLUMN.fullmatch(name)]:
            raise ValueError(f"Not a column: {wrong}.")
        return names

    def _values(self, payload: Any) -> tuple[Any, ...]:
        if not isinstance(payload, list) or len(payload) != len(self.columns) + 1:
            raise ValueError("shape")
        if payload[0] != self._fingerprint():
            raise ValueError("another order")
        return tuple(KINDS[column.kind].decode(v) for column, v in zip(self.columns, payload[1:], strict=True))

    def _fingerprint(self) -> int:
        """Tells this order from another, so that a cursor of another list is refused rather than misread."""
        return zlib.crc32(",".join(f"{c.name} {c.direction}" for c in self.columns).encode())


def _descends(column: Column, backwards: bool) -> bool:
    return (column.direction == "desc") != backwards


def _sign(descending: bool) -> str:
    return "<" if descending else ">"


def _mixed(names: Sequence[str], directions: Sequence[bool], values: Sequence[Any]) -> Q:
    """a > x OR (a = x AND b < y), and a >= x beside it: without that bound no index can skip to the page."""
    steps = [("lt" if descending else "gt") for descending in directions]
    beyond = Q()
    for last in range(len(names)):
        equal = dict(zip(names[:last], values[:last], strict=True))
        beyond |= Q(**equal, **{f"{names[last]}__{steps[last]}": values[last]})
    return Q(**{f"{names[0]}__{steps[0]}e": values[0]}) & beyond


def _mixed_sql(names: Sequence[str], directions: Sequence[bool], values: Sequence[Any]) -> Fragment:
    branches: list[str] = []
    params: list[Any] = [values[0]]
    for last, name in enumerate(names):
        equal = [f"{earlier} = %s" for earlier in names[:last]]
        branches.append("(" + " AND ".join([*equal, f"{name} {_sign(directions[last])} %s"]) + ")")
        params += values[: last + 1]
    bound = f"{names[0]} {_sign(directions[0])}= %s"
    return Fragment(text=f"({bound} AND ({' OR '.join(branches)}))", params=params)


def _payload(cursor: str) -> Any:
    if len(cursor) > LONGEST_CURSOR:
        raise ValueError("too long")
    try:
        return json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except binascii.Error as error:
        raise ValueError("base64") from error


def _integer(value: Any) -> int:
    if type(value) is not int or not -BIGINT_LIMIT <= value < BIGINT_LIMIT:
        raise ValueError("integer")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("string")
    value.encode()
    return value


def _instant(value: Any) -> datetime:
    return EPOCH + MICROSECOND * _integer(value)


KINDS: dict[type, Kind] = {
    int: Kind(encode=_integer, decode=_integer),
    str: Kind(encode=_string, decode=_string),
    datetime: Kind(encode=microseconds, decode=_instant),
    date: Kind(encode=date.isoformat, decode=date.fromisoformat),
}
