"""Two things that several statements of this folder need: a page's bound by name, and a count."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection


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
