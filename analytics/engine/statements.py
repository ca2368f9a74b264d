"""SQL statements: runs one and returns all its rows, bounds its pages, turns rows into columns, reads it as of a snapshot."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

# How every statement says which recordings it may see.
KNOWN = re.compile(r"\(%\(known_at\)s::timestamptz IS NULL OR ((?:\w+\.)?)recorded_at <= %\(known_at\)s\)")
VISIBLE = r"\g<0> AND txid_visible_in_snapshot(\g<1>xact, %(snapshot)s::txid_snapshot)"


def fetched(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """All rows of one statement; the values are its parameters by name. In whatever transaction the caller is."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def columns(rows: Sequence[tuple[object, ...]], *, names: Sequence[str]) -> dict[str, list[object]]:
    """The rows by column, as unnest() takes them."""
    return {name: [row[number] for row in rows] for number, name in enumerate(names)}


def page_bound(*, where: str, params: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """A keyset's text with its parameters by name: the other values of a statement are named, too."""
    named = {f"page_{place}": value for place, value in enumerate(params)}
    return (where % tuple(f"%({name})s" for name in named) if params else where), named


def counted(statement: str, *, values: Mapping[str, Any]) -> int:
    """The one number that the statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def seen_in(statement: str, *, snapshot: str | None) -> str:
    """The statement, wherever it reads what was recorded, over the rows that were visible in `snapshot` alone.

    `snapshot` is the text of a txid_snapshot and the value of the parameter of that name. None: the statement as it is.
    """
    if snapshot is None:
        return statement
    text, bounds = KNOWN.subn(VISIBLE, statement)
    if not bounds:
        raise ValueError("statement: it has no bound of knownAt, so it cannot be read as of a snapshot.")
    return text
