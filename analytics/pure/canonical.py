"""One text for one answer, so that two answers can be compared by a digest: RFC 8785 JSON.

Instants are ISO 8601 in UTC with microseconds, durations are whole microseconds, and there are no floats. RFC 8785 has
no integers beyond those that a float holds exactly, 285 years in microseconds: a sum over many items that is larger is
written as a string.
"""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

MICROSECOND = timedelta(microseconds=1)
LARGEST_INTEGER = 2**53 - 1
# What stays as it is.
PLAIN = frozenset({str, bool, type(None)})


def canonical(value: Any) -> Any:
    """The value with only strings, integers up to LARGEST_INTEGER, booleans, null, lists and objects in it."""
    if isinstance(value, dict):
        return {str(key): canonical(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [part if type(part) in PLAIN else canonical(part) for part in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, timedelta):
        return _integer(value // MICROSECOND)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        raise TypeError("a canonical answer has no floats: use a timedelta or an integer")
    return _integer(value) if isinstance(value, int) else value


def _integer(value: int) -> int | str:
    return value if -LARGEST_INTEGER <= value <= LARGEST_INTEGER else str(value)


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
