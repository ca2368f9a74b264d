"""SQL statements: runs one and returns all rows, bounds its pages and what it sees of a ledger, turns rows into columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

# Which recordings may be seen: those up to `known_at`, and of these the ones that `snapshot` showed, the text of a
# txid_snapshot. NULL for all. Both are values that the client writes into the text, so that the planner never meets a bound
# that is not there.
VISIBLE = (
    "((%(known_at)s::timestamptz IS NULL OR l.recorded_at <= %(known_at)s) AND"
    " (%(snapshot)s::text IS NULL OR txid_visible_in_snapshot(l.xact, %(snapshot)s::txid_snapshot)))"
)


def as_recorded(statement: str) -> str:
    """The statement with its `{visible}` spelled out: each stands where a ledger is read, as `l`, and bounds what is seen.

    `known_at` and `snapshot` become parameters of the statement. ValueError where it has no such bound.
    """
    if "{visible}" not in statement:
        raise ValueError("statement: it bounds no ledger; write {visible} where one is read as l.")
    return statement.replace("{visible}", VISIBLE)


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
