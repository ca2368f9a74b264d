"""Kinds of ledger rows in SQL statements, which write them by their names: {DISCARDED}, or {LAST_STATE_KIND}."""

from collections.abc import Mapping
from typing import Final

from tasks_app.models import STATE_KINDS, Kind

# The kinds that set the state are those up to this one.
LAST_STATE_KIND: Final = max(int(kind) for kind in STATE_KINDS)
NUMBERS: Final[Mapping[str, int]] = {
    **{kind.name: int(kind) for kind in Kind},
    "LAST_STATE_KIND": LAST_STATE_KIND,
}


def with_kinds(statement: str) -> str:
    """The statement with the number of each kind for its name in braces; other braces stay."""
    for name, number in NUMBERS.items():
        statement = statement.replace(f"{{{name}}}", str(number))
    return statement
