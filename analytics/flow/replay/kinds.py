"""Kinds of ledger rows in SQL statements, which write them by their names: {DISCARDED}, or {LAST_STATE_KIND}."""

from collections.abc import Mapping
from typing import Final

from tasks_app.models import STATE_KINDS, Kind

# Kinds up to the last of those that set the state: a condition of that form is what the ledger's indexes are made for.
NUMBERS: Final[Mapping[str, int]] = {
    **{kind.name: int(kind) for kind in Kind},
    "LAST_STATE_KIND": max(int(kind) for kind in STATE_KINDS),
}


def with_kinds(statement: str) -> str:
    """The statement with the number of each kind for its name in braces; other braces stay."""
    for name, number in NUMBERS.items():
        statement = statement.replace(f"{{{name}}}", str(number))
    return statement
