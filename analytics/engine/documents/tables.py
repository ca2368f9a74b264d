"""Tables for CSV, of a document's data: the same numbers, a row for each bucket, state, item or event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks_app.admin.downloads import Cell

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Names of columns, and rows of that length."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def table_by_bucket(answer: Data, columns: Mapping[str, Sequence[Cell]]) -> Table:
    """A row for each bucket of the answer's window, with these columns."""
    window = answer["window"]
    every = {"start": window["starts"], "complete": window["complete"], **columns}
    return Table(header=list(every), rows=list(zip(*every.values(), strict=True)))


def table_by_row(rows: Sequence[Data], columns: Sequence[str]) -> Table:
    """A row for each of these. A column `state.slug` is the slug of each row's state; null where there is no state."""
    return Table(header=columns, rows=[[_within(row, column.split(".")) for column in columns] for row in rows])


def _within(row: Any, path: Sequence[str]) -> Cell:
    for name in path:
        row = None if row is None else row[name]
    found: Cell = ", ".join(map(str, row)) if isinstance(row, list) else row
    return found


def nodes(connection: Data) -> list[Data]:
    """Those of a page."""
    return [edge["node"] for edge in connection["edges"]]
