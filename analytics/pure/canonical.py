"""Canonical JSON (RFC 8785): one text for one answer, so that two answers can be compared by a digest.

Instants are ISO 8601 in UTC with microseconds, durations are whole microseconds, and there are no floats. RFC 8785 has
no integers beyond those that a float holds exactly, 285 years in microseconds: a sum over many items that is larger is
written as a string.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

MICROSECOND = timedelta(microseconds=1)
LARGEST_INTEGER = 2**53 - 1


def canonical(value: Any) -> Any:
    """The value with only strings, integers up to LARGEST_INTEGER, booleans, null, lists and objects in it."""
    # An answer has some hundred thousand values: the way of each is looked up, not tried.
    way = WAYS.get(type(value))
    return _other(value) if way is None else way(value)


def _same(value: Any) -> Any:
    return value


def _integer(value: int) -> int | str:
    return value if -LARGEST_INTEGER <= value <= LARGEST_INTEGER else str(value)


def _list(value: Iterable[Any]) -> list[Any]:
    return [canonical(part) for part in value]


def _object(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): canonical(part) for key, part in value.items()}


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _length(value: timedelta) -> int | str:
    return _integer(value // MICROSECOND)


def _no_float(value: float) -> Any:
    raise TypeError("a canonical answer has no floats: use a timedelta or an integer")


WAYS: Final[Mapping[type, Callable[[Any], Any]]] = {
    dict: _object,
    list: _list,
    tuple: _list,
    datetime: _instant,
    timedelta: _length,
    date: date.isoformat,
    float: _no_float,
    bool: _same,
    int: _integer,
    str: _same,
    type(None): _same,
}


def _other(value: Any) -> Any:
    """A value of a type that is one of these by descent."""
    return next((way(value) for kind, way in WAYS.items() if isinstance(value, kind)), value)


def canonical_bytes(value: Any) -> bytes:
    """The canonical text of the value, whose keys are names of fields.

    Of what `canonical` leaves json writes what RFC 8785 asks for, many times faster than code that writes any value: only
    floats, and names beyond the basic plane, would differ.
    """
    plain = canonical(value)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
