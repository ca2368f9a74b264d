"""A family of facts, as it is declared to the engine. All of it is data: a new family is a new wing with one such record."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from analytics.engine.reading.knowledge import KnownDefinitions
from analytics.pure.segments import CALENDARS, Grain


class Merge(StrEnum):
    """How two partial states of a measure become one. Only ADD has an inverse."""

    ADD = "ADD"
    LEAST = "LEAST"
    GREATEST = "GREATEST"


# Sums of these are the same in any order.
EXACT = ("smallint", "int", "bigint", "numeric")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A partial state that a rollup row keeps: never a finished number.

    `type` is the column's. The first and the last value of a bucket are LEAST and GREATEST of arrays {instant, seq, value}.
    """

    name: str
    merge: Merge = Merge.ADD
    type: str = "bigint"

    def __post_init__(self) -> None:
        """ValueError for a sum that depends on its order: a rebuild would not be equal to the last bit."""
        if self.merge is Merge.ADD and self.type not in EXACT:
            raise ValueError(
                f"The measure {self.name} adds up {self.type}, which depends on the order; make it one of {', '.join(EXACT)}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A table with rows about single items, made from `resolved`; `select` answers `columns`, in their order.

    With `of_facts` a row belongs to one fact and is written when it differs from what it was without the new facts; else
    the rows of a touched item are replaced together.
    """

    table: str
    item: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    select: str
    of_facts: bool = False

    @property
    def is_replaced(self) -> bool:
        """Whether rows of an item may vanish when it gets another fact."""
        return not self.of_facts and len(self.key) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A derived table with a row per item and the instant `last_at` of its last fact. `facts` is a SELECT over such a row,
    `t`, of made-up facts (item, seq and what is read) that leave an item where its history has left it. They are before
    all time, where nothing is counted. What only `ordering` needs is wanted where `by_order` is true.
    """

    table: str
    facts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """What a family's rows are cut and counted by besides zones, such as the states of a workflow as they were through time.

    `known` reads what the tenant of that id has, as it is known then, in one value that the engine only hands on to the
    others: `breaks` answers
    by project the instants at which its definitions changed, `orders` by project the names of the orders that contributions
    with `by_order` are counted by. `relations` is the text of common table expressions that the family's statements may
    join, `parameters` gives their values by name: those of all orders (None), or of these alone.
    """

    known: Callable[[int, KnownDefinitions], Any]
    breaks: Callable[[Any], Mapping[int, Sequence[datetime]]]
    orders: Callable[[Any], Mapping[int, Collection[int]]]
    relations: str
    parameters: Callable[[Any, Collection[int] | None], Mapping[str, list[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCheck:
    """A question to the ledger that must have no answer: what `verify` asks of a family beyond its rollups.

    `found` is a SELECT of the rows that must not be there, of the tenant %(tenant)s. `sentence` is what people read of the
    first of them: {0} is the tenant's slug, the columns follow.
    """

    code: str
    found: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A ledger of facts, and what is counted of it.

    Rows of `ledger` for which `only` holds are facts; each belongs to an `item`, carries the columns that it `reads`, and
    names a `project` (None: the family has none; its buckets are the tenant's). `item_type` is the item's SQL type.
    `resolve` is a SELECT over `fact` (side, item, seq, happened_at and what is read), where the facts of one item and side
    are a history: it gives each fact its place in it. `contributions` is a SELECT over `resolved` that answers side,
    happened_at, project_id, the dimensions and the measures: what each fact adds to the bucket of its instant.

    The engine runs both over the histories with the new facts (side 1) and without them (side -1) and stores the
    difference, so a late fact takes its successor's contribution back by itself. A fact changes nothing before its instant:
    one that voids or replaces another has the other's. Where a contribution depends on its own fact alone (`independent`),
    no history is read. `past` stands for the history of an item whose new facts come last.

    LEAST and GREATEST have no difference: where something is taken back of such measures, the touched rows are made again
    from the facts. So each contribution is at the instant of one of its item's facts. `dimension_columns` has the
    dimensions that are columns of these facts (dimension -> `item`, or what is read), by which they are found there.

    A reader asks by the dimensions that are `asked` (integers), and gets the others told apart.

    `grains` are the buckets that are stored, `keep` for how many days (those it does not name for ever; a tenant may choose
    otherwise, see analytics.engine.retention); contributions for which `coarse` holds are stored only from days up.
    `details` is a table of folded facts with an index by instant, which answers for pieces finer than any bucket: where
    there is none, the ledger does. `definitions` cut the buckets of projects; contributions for which `by_order` holds are
    counted by their orders. `checks` are asked of the ledger itself.

    `version` names the definitions that its figures follow. `capability` names the switch from an older system's answers to
    these (None: there is none). `sizes` is a statement that answers, from rollups alone, how many facts the `projects` have,
    and how many in [begin, end), in whole months (None: an estimate takes all that is folded). With `had_unnamed_receipts`
    it is the family of receipts that name none: it gave them before questions carried their families.
    """

    name: str
    version: str
    ledger: str
    tail: str
    rollup: str
    item: str
    reads: tuple[str, ...]
    contributions: str
    dimensions: tuple[str, ...]
    asked: tuple[str, ...]
    measures: tuple[Measure, ...]
    grains: tuple[Grain, ...]
    keep: Mapping[Grain, int] = field(default_factory=dict, hash=False)
    project: str | None = "project_id"
    item_type: str = "int"
    only: str = "TRUE"
    coarse: str = "FALSE"
    by_order: str = "FALSE"
    resolve: str = "SELECT * FROM fact"
    details: str | None = None
    definitions: Definitions | None = None
    independent: bool = False
    derived: tuple[Derived, ...] = ()
    past: Past | None = None
    dimension_columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    checks: tuple[LedgerCheck, ...] = ()
    capability: str | None = None
    sizes: str | None = None
    had_unnamed_receipts: bool = False

    def __post_init__(self) -> None:
        """ValueError for what cannot work, in a sentence. What only the database knows is asked before the first fold."""
        for sentence in refusals(self):
            raise ValueError(f"The family {self.name} {sentence}")

    @property
    def key(self) -> tuple[str, ...]:
        """What makes a rollup row unique in its tenant."""
        return ("project_id", "grain", "bucket", *self.dimensions)

    @property
    def is_additive(self) -> bool:
        """Whether all measures are sums."""
        return all(measure.merge is Merge.ADD for measure in self.measures)

    @property
    def is_empty(self) -> str:
        """The condition for a rollup row that says nothing any more: all it has are sums, and they are 0.

        A least or greatest value says something whatever the sums are; such a row is there as long as anything counts in it.
        """
        return " AND ".join(f"{each.name} = 0" for each in self.measures) if self.is_additive else "FALSE"

    @property
    def takes_back_by_rows(self) -> bool:
        """Whether rows are made again from the facts where something is taken back: a measure has no inverse."""
        return not self.independent and not self.is_additive


def refusals(family: Family) -> Iterator[str]:
    """What is wrong with a declaration, each as the rest of a sentence that begins with the family's name."""
    yield from _of_columns(family)
    yield from _of_grains(family)
    yield from _of_parts(family)


def _of_columns(family: Family) -> Iterator[str]:
    measures = [measure.name for measure in family.measures]
    if not measures:
        yield "has no measure: declare what its rollup rows keep."
    named = [family.item, *([family.project] if family.project else []), *family.reads, *family.dimensions, *measures]
    yield from (f"names a column {name!r}, which is none." for name in named if not name.isidentifier())
    columns = ["tenant_id", *family.key, *measures]
    yield from (
        f"has two columns {name} in a rollup row: name one of them otherwise."
        for place, name in enumerate(columns)
        if name in columns[:place]
    )
    yield from (
        f"can be asked by {name}, which is none of its dimensions."
        for name in family.asked
        if name not in family.dimensions
    )
    known = {"item", *family.reads}
    yield from (
        f"finds its dimension {dimension} by the column {column}, which it does not read."
        for dimension, column in family.dimension_columns.items()
        if dimension not in family.dimensions or column not in known
    )


def _of_grains(family: Family) -> Iterator[str]:
    if not family.grains or len(set(family.grains)) < len(family.grains):
        yield "must have rows of one grain or more, each named once."
    if family.coarse != "FALSE" and not set(family.grains) & set(CALENDARS):
        yield "has contributions that are stored from days up only (coarse), and no rows by DAY or MONTH."
    for grain, days in family.keep.items():
        if grain not in family.grains:
            yield f"keeps {grain.name} rows for {days} days, and has none."
        if days < 1:
            yield f"keeps {grain.name} rows for {days} days: give one day or more, or leave it out for ever."


def _of_parts(family: Family) -> Iterator[str]:
    if family.definitions is None and family.by_order != "FALSE":
        yield "counts by orders (by_order), and has no definitions that have any."
    if family.definitions is not None and family.project is None:
        yield "has definitions, which are of projects, and no project."
    tables = [derived.table for derived in family.derived]
    if family.past is not None and family.past.table not in tables:
        yield f"has a past in {family.past.table}, which is none of its derived tables."
    for derived in family.derived:
        if family.independent and not derived.of_facts:
            yield f"is independent, so the histories that {derived.table} is made of are not read: make it of_facts."
        if derived.is_replaced and family.project and "project_id" not in derived.columns:
            yield f"cannot make the rows of one project in {derived.table} anew: it has no column project_id."
