"""Fold: in one transaction the oldest facts leave the tail and enter the rollups and their items' derived tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from analytics.engine.family import Family
from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import NO_PROJECT, Ground
from analytics.engine.rollups.recut import settle_basis
from analytics.engine.rollups.restating import TIMEOUT_SECONDS, Owner, Turn, restate, take_turn
from tasks_app.tenancy import DatabaseRole, entered

TAKE = """/* rollups.take */
WITH taken AS (
    DELETE FROM {tail} x
     WHERE x.tenant_id = %(tenant)s
       AND x.seq = ANY (ARRAY(SELECT t.seq FROM {tail} t WHERE t.tenant_id = %(tenant)s ORDER BY t.seq LIMIT %(most)s))
    RETURNING x.seq
)
SELECT array_agg(t.seq), array_agg(DISTINCT l.{item}) FILTER (WHERE {only}),
       array_agg(DISTINCT {project}) FILTER (WHERE {only}), min(l.happened_at), max(l.happened_at), max(l.recorded_at)
  FROM taken t JOIN {ledger} l ON l.tenant_id = (SELECT %(tenant)s::bigint) AND l.seq = t.seq
"""
# The successors of a late fact may have happened after the batch, and after the clock of this compaction was read.
NOTE_BEGINNING = """/* rollups.note_beginning */
UPDATE rollup_basis SET since = %(first)s
 WHERE tenant_id = %(tenant)s AND family = %(family)s AND (since IS NULL OR since > %(first)s)
"""
NOTE = """/* rollups.note_fold */
UPDATE folded SET facts = facts + %(facts)s, folded_at = greatest(clock_timestamp(), %(last)s),
       last_recorded_at = greatest(last_recorded_at, %(recorded)s)
 WHERE tenant_id = %(tenant)s AND family = %(family)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Facts that have left the tail: their positions, the items and projects that they are of, and their clocks."""

    taken: Sequence[int]
    items: Sequence[int]
    projects: frozenset[int]
    first: datetime
    last: datetime
    recorded: datetime


def fold(*, owner: Owner, family: Family, now: datetime, most_facts: int, wait: bool = False) -> int | None:
    """Folds up to `most_facts` of the tenant's oldest facts and says how many.

    None when somebody else is at it and `wait` is false.
    """
    while True:
        with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS):
            turn = take_turn(owner=owner, family=family, now=now, wait=wait)
            if turn is None:
                return None
            found = turn.ground()
            settle_basis(turn=turn, found=found)
            batch = _take(turn=turn, most_facts=most_facts)
            if batch is None:
                return 0
            if not _is_outrun(batch.projects - found.bases.keys(), turn=turn):
                return _fold_batch(turn=turn, found=found, batch=batch)
            transaction.set_rollback(True)


def _is_outrun(unknown: frozenset[int], *, turn: Turn) -> bool:
    """Whether a project came, with facts, after the definitions were read: folded now, these would never be counted."""
    return bool(unknown) and not unknown.isdisjoint(turn.ground().bases)


def _take(*, turn: Turn, most_facts: int) -> _Batch | None:
    family = turn.family
    text = TAKE.format(
        tail=family.tail,
        ledger=family.ledger,
        item=family.item,
        only=family.only,
        project=f"l.{family.project}" if family.project else NO_PROJECT,
    )
    with connection.cursor() as cursor:
        cursor.execute(text, {**turn.values(), "most": most_facts})
        taken, items, projects, first, last, recorded = cursor.fetchall()[0]
    if taken is None:
        return None
    return _Batch(
        taken=taken,
        items=items or [],
        projects=frozenset(projects or []),
        first=first,
        last=last,
        recorded=recorded,
    )


def _fold_batch(*, turn: Turn, found: Ground, batch: _Batch) -> int:
    family = turn.family
    if batch.items:
        restate(
            turn=turn,
            found=found,
            history=histories.OF_THEMSELVES if family.independent else histories.OF_ITEMS,
            values={"taken": batch.taken, "items": batch.items},
            # A fact changes what its successors contribute, and nothing before it.
            span=(batch.first, max(batch.last, turn.now)),
        )
    noted: dict[str, Any] = {
        "facts": len(batch.taken),
        "first": batch.first,
        "last": batch.last,
        "recorded": batch.recorded,
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE_BEGINNING, {**turn.values(), **noted})
        cursor.execute(NOTE, {**turn.values(), **noted})
    return len(batch.taken)
