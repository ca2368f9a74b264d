"""Tables for the families of this folder, facts in them, and answers as plain Python counts them."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from django.db import connection, models
from django.db.migrations.operations.base import Operation

from analytics.engine.family import Family
from tasks_app.ledgered_table import Kind, LedgeredTable
from tests.tasks_app.readings import FACT_COLUMNS, WRITERS, collected, model
from tests.tasks_app.recording import sql

ROLLUP_KEY = {
    "project_id": models.IntegerField(),
    "grain": models.SmallIntegerField(),
    "bucket": models.DateTimeField(),
}
Row = tuple[Any, ...]


class Fact(Protocol):
    """A row of a family's ledger: a named tuple of its columns."""

    @property
    def seq(self) -> int:
        """Its place in the order of recording."""

    @property
    def happened_at(self) -> datetime:
        """Its instant."""

    def _asdict(self) -> dict[str, Any]:
        """Its columns by name."""


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
    tables: tuple[Operation, ...]
    asked: Sequence[tuple[int, ...]]
    cells: Callable[[Sequence[Any]], Iterable[Cell]]
    amount: Callable[[list[Any]], Row | None]


class Numeric(models.DecimalField):
    """A decimal number of any length."""

    def db_type(self, connection: Any) -> str:
        return "numeric"


def made(
    *,
    family: Family,
    columns: Mapping[str, models.Field],
    key: Mapping[str, models.Field],
    measures: Mapping[str, models.Field],
) -> tuple[Operation, ...]:
    """The migration of a family: its ledger with the columns of its own, the tail, and the rollup."""
    named = family.name.removeprefix("tests.").title().replace("_", "")
    composite = models.CompositePrimaryKey("tenant_id", *family.key, blank=True, editable=False)
    rollup = {"pk": composite, "tenant_id": models.BigIntegerField(), **ROLLUP_KEY, **key, **measures}
    return (
        model(named, {**FACT_COLUMNS, **columns}, db_table=family.ledger),
        LedgeredTable(named, Kind.FACTS, tail=f"{named}Tail", grants=WRITERS),
        model(f"{named}Rollup", rollup, db_table=family.rollup),
        LedgeredTable(f"{named}Rollup", Kind.DERIVED),
    )


@cache
def statements(operations: tuple[Operation, ...]) -> str:
    """What makes the tables; worked out once."""
    return "\n".join(collected(*operations))


def created(shape: Shape) -> None:
    """The shape's tables, as a migration of the product would make them, unless they are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [shape.family.ledger])
        if cursor.fetchone() == (None,):
            cursor.execute(statements(shape.tables))


@dataclass(frozen=True, kw_only=True)
class Recording:
    """When a fact was recorded, and by the transaction of which number."""

    recorded_at: datetime
    xact: int


def recorded(
    *, shape: Shape, tenant_id: int, facts: Sequence[Any], recordings: Sequence[Recording] | None = None
) -> None:
    """The facts, which a trigger lets enter the tail; recorded now, or as `recordings` says of each."""
    when: Sequence[Recording | None] = recordings or [None] * len(facts)
    for fact, each in zip(facts, when, strict=True):
        row = {"tenant_id": tenant_id, **fact._asdict(), **(asdict(each) if each else {})}
        columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
        sql(f"INSERT INTO {shape.family.ledger} ({columns}) VALUES ({places})", list(row.values()))


def told(
    *,
    shape: Shape,
    facts: Sequence[Any],
    edges: Sequence[datetime],
    projects: Sequence[int],
    by_project: bool = True,
) -> list[Row]:
    """The answer to the same question, from all facts."""
    found: dict[Row, list[Any]] = {}
    for cell in shape.cells(facts):
        if cell.happened_at < edges[-1] and cell.project_id in projects and _is_asked(shape, cell):
            project = cell.project_id if by_project else 0
            key = (bisect_right(edges, cell.happened_at), project, *cell.dimensions)
            found.setdefault(key, []).append(cell.adds)
    amounts = {key: shape.amount(added) for key, added in found.items()}
    return sorted((*key, *amount) for key, amount in amounts.items() if amount is not None)


def _is_asked(shape: Shape, cell: Cell) -> bool:
    named = dict(zip(shape.family.dimensions, cell.dimensions, strict=True))
    return tuple(named[name] for name in shape.family.asked) in shape.asked
