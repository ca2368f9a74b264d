"""What every statement of the dual run is asked by."""

from typing import Any

from django.db import connection


def fetched(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """All rows of one statement; the values are its parameters by name. In whatever transaction the caller is."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
