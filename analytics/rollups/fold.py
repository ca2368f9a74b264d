"""One fold: in a transaction the oldest facts leave the tail and enter the rollups and the derived tables of their items."""

from datetime import datetime

from django.db import connection

from analytics.facts.family import Family
from analytics.rollups import histories
from analytics.rollups.basis import Ground
from analytics.rollups.recut import settle_basis
from analytics.rollups.restating import TIMEOUT_SECONDS, Owner, Turn, restate, take_turn
from tasks_app.tenancy import DatabaseRole, entered

TAKE = """/* rollups.take */
WITH taken AS (
    DELETE FROM {tail} x
     WHERE x.tenant_id = %(tenant)s
       AND x.seq = ANY (ARRAY(SELECT t.seq FROM {tail} t WHERE t.tenant_id = %(tenant)s ORDER BY t.seq LIMIT %(most)s))
    RETURNING x.seq
)
SELECT array_agg(t.seq), array_agg(DISTINCT l.{item}) FILTER (WHERE {only}),
       min(l.happened_at), max(l.happened_at), max(l.recorded_at)
  FROM taken t JOIN {ledger} l ON l.tenant_id = (SELECT %(tenant)s::bigint) AND l.seq = t.seq
"""
NOTE_BEGINNING = """/* rollups.note_beginning */
UPDATE rollup_basis SET since = %(first)s
 WHERE tenant_id = %(tenant)s AND family = %(family)s AND (since IS NULL OR since > %(first)s)
"""
NOTE = """/* rollups.note_fold */
UPDATE folded SET facts = facts + %(facts)s, folded_at = greatest(clock_timestamp(), %(last)s),
       last_recorded_at = greatest(last_recorded_at, %(recorded)s)
 WHERE tenant_id = %(tenant)s AND family = %(family)s
"""


def fold(*, owner: Owner, family: Family, now: datetime, most_facts: int, wait: bool = False) -> int | None:
    """Folds up to `most_facts` of the tenant's oldest facts and says how many.

    None when somebody else is at it and `wait` is false.
    """
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS):
        turn = take_turn(owner=owner, family=family, now=now, wait=wait)
        if turn is None:
            return None
        found = turn.ground()
        settle_basis(turn=turn, found=found)
        return _fold_batch(turn=turn, found=found, most_facts=most_facts)


def _fold_batch(*, turn: Turn, found: Ground, most_facts: int) -> int:
    family = turn.family
    with connection.cursor() as cursor:
        text = TAKE.format(tail=family.tail, ledger=family.ledger, item=family.item, only=family.only)
        cursor.execute(text, {**turn.values(), "most": most_facts})
        taken, items, first, last, recorded = cursor.fetchall()[0]
    if taken is None:
        return 0
    if items:
        restate(
            turn=turn,
            found=found,
            history=histories.OF_THEMSELVES if family.independent else histories.OF_ITEMS,
            values={"taken": taken, "items": items},
            # A fact changes what its successors contribute, and nothing before it.
            span=(first, max(last, turn.now)),
        )
    with connection.cursor() as cursor:
        cursor.execute(NOTE_BEGINNING, {**turn.values(), "first": first})
        cursor.execute(NOTE, {**turn.values(), "facts": len(taken), "last": last, "recorded": recorded})
    return len(taken)
