"""Where in the record a transaction stands: what it can see, how far that is folded, and what may still come.

Whether more may come is asked without privileges, and without taking a transaction number for it. A fact is recorded in a
trigger, after its transaction got its number, so all facts recorded up to an instant have numbers below the next one that
was to be given at that instant. Where every number below it has ended as the snapshot sees it, nothing can be added any
more. The next number is not the snapshot's xmax: that is the one after the last that ended, and writers with higher
numbers may be at work.
"""

import base64
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.engine.family import Family
from analytics.flow.family import TRANSITIONS

# age() answers how far the next number to be given is from the one asked about, in the 32 bits that a xid has.
# Look-ups by seq from the tail: (SELECT ...) hides the tenant's number, see analytics.flow.replay.activity.
POSITION = """/* windows.position */
SELECT p.snapshot::text, p.xmin,
       p.xmin = p.xmax AND age((p.xmax & 4294967295)::text::xid) = 0 AS quiet, statement_timestamp(),
       (SELECT h.at FROM heartbeat h), (SELECT h.next_xid FROM heartbeat h),
       t.rows,
       (SELECT l.recorded_at FROM {ledger} l WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.seq = t.last),
       f.facts, f.generation, f.last_recorded_at,
       d.rows, d.last
  FROM (SELECT s.snapshot, txid_snapshot_xmin(s.snapshot) AS xmin, txid_snapshot_xmax(s.snapshot) AS xmax
          FROM (SELECT txid_current_snapshot() AS snapshot) s) p
 CROSS JOIN (SELECT count(*) AS rows, max(x.seq) AS last FROM {tail} x WHERE x.tenant_id = %(tenant)s) t
 CROSS JOIN (SELECT count(*) AS rows, coalesce(max(seq), 0) AS last FROM definition_ledger WHERE tenant_id = %(tenant)s) d
  LEFT JOIN folded f ON f.tenant_id = %(tenant)s AND f.family = %(family)s
"""

# The order of positions is not that of recording: a long statement takes its numbers before it records.
OLDEST = """/* windows.oldest_in_tail */
SELECT min(r.recorded_at)
  FROM {tail} x
 CROSS JOIN LATERAL (SELECT l.recorded_at FROM {ledger} l
                      WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.seq = x.seq LIMIT 1) r
 WHERE x.tenant_id = %(tenant)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One snapshot of one tenant's record.

    `tail_rows` facts wait to be folded; `tail_recorded_at` is when the last of them was recorded. `folded_facts` is None
    where nothing was ever folded. `beat_at` and `beat_xid`: up to that instant no transaction had that number or a later one.
    """

    snapshot: str
    xmin: int
    is_quiet: bool
    read_at: datetime
    beat_at: datetime | None
    beat_xid: int | None
    tail_rows: int
    tail_recorded_at: datetime | None
    folded_facts: int | None
    generation: int | None
    folded_recorded_at: datetime | None
    definitions: int
    last_definition: int

    @property
    def name(self) -> str:
        """Opaque: names exactly the ledger rows that can be seen from here."""
        return base64.urlsafe_b64encode(f"1:{self.snapshot}".encode()).decode().rstrip("=")

    @property
    def last_recorded_at(self) -> datetime | None:
        """When the last fact was recorded; None: there is none."""
        return max((at for at in (self.folded_recorded_at, self.tail_recorded_at) if at), default=None)

    def is_settled(self, *, known_at: datetime) -> bool:
        """Whether what was recorded up to `known_at` can grow no more.

        So it is when nothing was being written as the snapshot was taken and `known_at` was past by then, or when all that
        was being written at the last heartbeat has ended and `known_at` is not later than it. False where that is not
        certain: a transaction of another tenant, or of another database of the server, counts as one that may write.
        """
        if self.is_quiet and known_at < self.read_at:
            return True
        if self.beat_at is None or self.beat_xid is None:
            return False
        # A heartbeat that nobody has given yet names the number 0, which every number is above.
        return 0 < self.beat_xid <= self.xmin and known_at <= self.beat_at


def position(*, tenant_id: int, family: Family = TRANSITIONS) -> Position:
    """Where the transaction stands: one statement, which looks at the ledger for the last fact of the tail alone."""
    statement = POSITION.format(tail=family.tail, ledger=family.ledger)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenant": tenant_id, "family": family.name})
        row = cursor.fetchall()[0]
    return Position(**dict(zip(Position.__dataclass_fields__, row, strict=True)))


def oldest_in_tail(*, tenant_id: int, family: Family = TRANSITIONS) -> datetime | None:
    """When the first of the facts that are not folded yet was recorded; None: all are folded."""
    with connection.cursor() as cursor:
        cursor.execute(OLDEST.format(tail=family.tail, ledger=family.ledger), {"tenant": tenant_id})
        found: datetime | None = cursor.fetchall()[0][0]
    return found
