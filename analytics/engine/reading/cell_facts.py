"""Drill-down of a cell: the facts behind one number of any family, from what it declares that each fact contributes.

A contribution names no fact, so each fact is asked alone what it contributes, with its place in its history as it is: for that
the family's contributions have to be made of one resolved fact each. What is counted over several facts of an item together,
such as the first time that it came somewhere, cannot be told apart so.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from analytics.engine.family import Family, Merge
from analytics.engine.reading.knowledge import ALL_RECORDED, Knowledge
from analytics.engine.reading.rollup_rows import RAW_FACTS
from analytics.engine.rollups import histories
from analytics.engine.statements import fetched, page_bound

# A row for each instant at which a fact adds something to the cell. The inner `resolved` is that one fact.
OF_CELL = """
cell_fact AS (
    SELECT f.item, f.seq, c.happened_at, c.adds
      FROM resolved f
     CROSS JOIN LATERAL (
           SELECT k.happened_at, sum(k.{measure}) AS adds
             FROM (WITH resolved AS (SELECT f.*) {contributions}) k
            WHERE (%(begin)s::timestamptz IS NULL OR k.happened_at >= %(begin)s) AND k.happened_at < %(until)s
              AND (%(projects)s::int[] IS NULL OR k.project_id = ANY (%(projects)s)){same}
            GROUP BY k.happened_at) c
     WHERE c.adds <> 0
)
"""
READ = """/* engine.cell_facts */ WITH {facts}, {cell}
SELECT x.item, x.seq, x.happened_at, x.adds FROM cell_fact x WHERE {bound} ORDER BY {order} LIMIT %(limit)s
"""
TOTAL = "/* engine.cell_total */ WITH {facts}, {cell} SELECT count(*), coalesce(sum(x.adds), 0) FROM cell_fact x"
BY_ITEM = "/* engine.cell_items */ WITH {facts}, {cell} SELECT x.item, sum(x.adds) FROM cell_fact x GROUP BY x.item"


class CellFact(NamedTuple):
    """A fact of a cell: what it is of, where it stands in the ledger, when it counts, and what it adds to the number."""

    item: int
    seq: int
    happened_at: datetime
    adds: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of a family: a measure that adds up, of what happened in [begin, end), `begin` None: ever before `end`.

    `projects` None are all, 0 is that of the facts without one. `dimensions` has values of some of the family's dimensions
    by name; the others may be any. ValueError for a measure that is no sum, and for a dimension that is not the family's.
    To be used in one read-only transaction.
    """

    tenant_id: int
    family: Family
    measure: str
    begin: datetime | None
    end: datetime
    projects: Collection[int] | None = None
    dimensions: Mapping[str, Collection[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        family = self.family
        sums = [each.name for each in family.measures if each.merge is Merge.ADD]
        if self.measure not in sums:
            raise ValueError(
                f"measure: {self.measure!r} of {family.name} does not add up, so it is not made of single facts; "
                f"give one of {', '.join(sums) or 'none, for it has no sums'}."
            )
        if unknown := sorted(set(self.dimensions) - set(family.dimensions)):
            raise ValueError(
                f"dimensions: {family.name} has no {', '.join(unknown)}; it has {', '.join(family.dimensions) or 'none'}."
            )

    def read(
        self, *, where: str, params: Sequence[Any], order: str, limit: int, knowledge: Knowledge = ALL_RECORDED
    ) -> list[CellFact]:
        """A page of its facts: `where` and `order` are a keyset's text over x.happened_at and x.seq, which are unique."""
        bound, named = page_bound(where=where, params=params)
        statement = self._statement(READ, bound=bound, order=order)
        return [CellFact(*row) for row in fetched(statement, **self._values(knowledge), **named, limit=limit)]

    def count_and_total(self, *, knowledge: Knowledge = ALL_RECORDED) -> tuple[int, Any]:
        """How many facts there are, and the number that they add up to."""
        ((count, total),) = fetched(self._statement(TOTAL), **self._values(knowledge))
        return count, total

    def by_item(self, *, knowledge: Knowledge = ALL_RECORDED) -> dict[int, Any]:
        """What each item adds to the number; none that adds nothing."""
        rows = fetched(self._statement(BY_ITEM), **self._values(knowledge))
        return {item: adds for item, adds in rows if adds}

    def _statement(self, text: str, **parts: str) -> str:
        family = self.family
        facts = RAW_FACTS.format(history=histories.named(histories.ALL_RECORDED, family=family))
        cell = OF_CELL.format(
            measure=self.measure,
            contributions=family.contributions,
            same="".join(f" AND k.{name} = ANY (%(of_{name})s::bigint[])" for name in self.dimensions),
        )
        return text.format(facts=histories.resolved(family, facts=facts), cell=cell, **parts)

    def _values(self, knowledge: Knowledge) -> dict[str, Any]:
        definitions = self.family.definitions
        known = definitions.known(self.tenant_id, knowledge.definitions) if definitions else None
        return {
            **(definitions.parameters(known, None) if definitions else {}),
            **{f"of_{name}": list(values) for name, values in self.dimensions.items()},
            "tenant": self.tenant_id,
            "projects": None if self.projects is None else list(self.projects),
            "begin": self.begin,
            "until": self.end,
            "known_at": knowledge.known_at,
            "snapshot": knowledge.snapshot,
        }
