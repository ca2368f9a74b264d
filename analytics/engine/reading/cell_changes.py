"""Explanation of a changed cell: one number of any family as known at two instants, and the ledger rows learned in between.

See analytics.engine.reading.explaining: a row explains the change when it was learned in between and belongs to an item that
the number counts otherwise since.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from analytics.engine.reading.cell_facts import Cell
from analytics.engine.reading.explaining import ExplainedNumber
from analytics.engine.statements import as_recorded, fetched, page_bound

# Of what is seen now, what was not seen then: recorded later, or by a transaction that the snapshot did not show.
LEARNED = as_recorded("""/* engine.learned_of_items */
SELECT x.item, x.seq, x.happened_at, x.recorded_at
  FROM (SELECT l.{item} AS item, l.seq, l.happened_at, l.recorded_at
          FROM {ledger} l
         WHERE l.tenant_id = %(tenant)s AND l.{item} = ANY (%(items)s::{item_type}[]) AND {only}
           AND l.happened_at < %(until)s AND {visible}
           AND (l.recorded_at > %(known_from)s
                OR NOT txid_visible_in_snapshot(l.xact, %(snapshot_from)s::txid_snapshot))) x
 WHERE {bound} ORDER BY {order} LIMIT %(limit)s
""")


class LearnedFact(NamedTuple):
    """A fact that was learned in between."""

    item: int
    seq: int
    happened_at: datetime
    recorded_at: datetime


def explained_cell(
    *,
    cell: Cell,
    known_from: datetime,
    known_to: datetime,
    snapshot: str | None = None,
    defined_between: Callable[[], Sequence[Sequence[int]]] = tuple,
) -> ExplainedNumber:
    """The cell's number as known at the two instants, item by item; the other values are those of ExplainedNumber."""
    return ExplainedNumber(
        counted=lambda knowledge: cell.by_item(knowledge=knowledge),
        defined_between=defined_between,
        known_from=known_from,
        known_to=known_to,
        snapshot=snapshot,
    )


def learned_facts(
    *, cell: Cell, explained: ExplainedNumber, where: str, params: Sequence[Any], order: str, limit: int
) -> list[LearnedFact]:
    """A page of the facts that explain the change: `where` and `order` are a keyset's text over x.seq or x.recorded_at.

    A fact from the cell's end on changes nothing before it, so it explains nothing.
    """
    family, (bound, named) = cell.family, page_bound(where=where, params=params)
    statement = LEARNED.format(
        item=family.item,
        item_type=family.item_type,
        ledger=family.ledger,
        only=family.only,
        bound=bound,
        order=order,
    )
    values = {
        "tenant": cell.tenant_id,
        "items": sorted(explained.explanation.items),
        "until": cell.end,
        "known_at": explained.known_to,
        "snapshot": None,
        "known_from": explained.known_from,
        "snapshot_from": explained.snapshot,
        "limit": limit,
    }
    return [LearnedFact(*row) for row in fetched(statement, **values, **named)]
