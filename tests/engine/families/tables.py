"""Tables for the families of this folder, facts in them, and answers as plain Python counts them."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from analytics.engine.family import Family
from tests.tasks_app.recording import sql

GRANTS = """/* tests.grants */
GRANT SELECT ON {ledger}, {tail}, {rollup} TO fl_tenant, fl_worker;
GRANT INSERT, UPDATE, DELETE ON {tail}, {rollup} TO fl_worker
"""
Row = tuple[Any, ...]


class Fact(Protocol):
    """A row of a family's ledger: a named tuple of its columns."""

    @property
    def seq(self) -> int:
        """Its place in the order of recording."""

    @property
    def happened_at(self) -> datetime:
        """Its instant."""

    @property
    def _fields(self) -> tuple[str, ...]:
        """The columns."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one fact adds to: the cell of its instant, project and dimensions, and what it adds there."""

    happened_at: datetime
    project_id: int
    dimensions: tuple[int, ...]
    adds: Any


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A family of the tests. `cells` says what a history adds where, `amount` what all that a cell got comes to (None: to
    nothing); `asked` are the values that tests ask for."""

    family: Family
    tables: str
    asked: Sequence[tuple[int, ...]]
    cells: Callable[[Sequence[Any]], Iterable[Cell]]
    amount: Callable[[list[Any]], Row | None]


def created(shape: Shape) -> None:
    """The shape's tables, which the roles of the product may use as they may use its own."""
    sql(shape.tables)
    family = shape.family
    sql(GRANTS.format(ledger=family.ledger, tail=family.tail, rollup=family.rollup))


def recorded(*, shape: Shape, tenant_id: int, facts: Sequence[Any]) -> None:
    """The facts, all of them in the tail still."""
    ledger, tail = shape.family.ledger, shape.family.tail
    for fact in facts:
        columns, places = ", ".join(fact._fields), ", ".join(["%s"] * len(fact))
        sql(f"INSERT INTO {ledger} (tenant_id, {columns}) VALUES (%s, {places})", [tenant_id, *fact])
        sql(f"INSERT INTO {tail} (tenant_id, seq) VALUES (%s, %s)", [tenant_id, fact.seq])


def told(*, shape: Shape, facts: Sequence[Any], edges: Sequence[datetime], projects: Sequence[int]) -> list[Row]:
    """The answer to the same question, from all facts."""
    found: dict[Row, list[Any]] = {}
    for cell in shape.cells(facts):
        if cell.happened_at < edges[-1] and cell.project_id in projects and _is_asked(shape, cell):
            key = (bisect_right(edges, cell.happened_at), cell.project_id, *cell.dimensions)
            found.setdefault(key, []).append(cell.adds)
    amounts = {key: shape.amount(added) for key, added in found.items()}
    return sorted((*key, *amount) for key, amount in amounts.items() if amount is not None)


def _is_asked(shape: Shape, cell: Cell) -> bool:
    named = dict(zip(shape.family.dimensions, cell.dimensions, strict=True))
    return tuple(named[name] for name in shape.family.asked) in shape.asked
