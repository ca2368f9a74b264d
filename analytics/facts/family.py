"""What the engine must know of a family of facts. All of it is data: a new family is a new file beside the others."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Grain(IntEnum):
    """The width of a stored bucket. Minutes and hours are UTC's; days and months are those of the project's zone."""

    MINUTE = 1
    FIVE_MINUTES = 2
    HOUR = 3
    DAY = 4
    MONTH = 5


class Merge(StrEnum):
    """How two partial states of a measure become one. ADD alone can take something back."""

    ADD = "ADD"
    LEAST = "LEAST"
    GREATEST = "GREATEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the rollup table and its type; `merge` only for measures."""

    name: str
    type: str = "integer"
    merge: Merge = Merge.ADD


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A ledger of facts, and what is counted of it.

    `contributions` is a SELECT over `fact` (side, item, seq, happened_at and the ledger columns named in `reads`), in which
    the facts of one item and side are a history. It answers side, happened_at, the dimensions and the measures: what each
    fact adds, given those before it. The engine runs it over histories with the new facts (side 1) and without them
    (side -1) and stores the difference, so that a late fact takes its successor's contribution back by itself.
    `only` says which rows of the ledger are facts of the family. `{orders}` in `contributions` stands for the positions of
    states (see analytics.rollups.orders).
    """

    name: str
    ledger: str
    tail: str
    rollup: str
    item: str
    only: str
    reads: tuple[str, ...]
    contributions: str
    dimensions: tuple[Column, ...]
    measures: tuple[Column, ...]
    grains: tuple[Grain, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The rollup's primary key."""
        return ("tenant_id", "grain", "bucket", *(column.name for column in self.dimensions))

    @property
    def additive(self) -> bool:
        """Whether every measure can be taken back."""
        return all(measure.merge is Merge.ADD for measure in self.measures)
