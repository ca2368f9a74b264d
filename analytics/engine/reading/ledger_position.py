"""Ledger position, the snapshot a transaction reads at: rows visible, folded, and possibly still in flight.

Whether more may come is asked without privileges, and without taking a transaction number for it. A fact is recorded in a
trigger, after its transaction got its number, so all facts recorded up to an instant have numbers below the next one that
was to be given at that instant. Where every number below it has ended as the snapshot sees it, nothing can be added any
more. The next number is not the snapshot's xmax: that is the one after the last that ended, and writers with higher
numbers may be at work.
"""

import base64
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from analytics.engine.family import Family

# age() answers how far the next number to be given is from the one asked about, in the 32 bits that a xid has.
POSITION = """/* windows.position */
SELECT p.snapshot::text, p.xmin,
       p.xmin = p.xmax AND age((p.xmax & 4294967295)::text::xid) = 0 AS quiet, statement_timestamp(),
       (SELECT h.at FROM heartbeat h), (SELECT h.next_xid FROM heartbeat h),
       d.rows, d.last, f.rows, f.recorded_at, f.facts, f.generation, f.last_recorded_at
  FROM (SELECT s.snapshot, txid_snapshot_xmin(s.snapshot) AS xmin, txid_snapshot_xmax(s.snapshot) AS xmax
          FROM (SELECT txid_current_snapshot() AS snapshot) s) p
 CROSS JOIN (SELECT count(*) AS rows, coalesce(max(seq), 0) AS last FROM definition_ledger WHERE tenant_id = %(tenant)s) d
 CROSS JOIN ({families}) f
 ORDER BY f.place
"""
# A row for each family. Look-ups by seq from the tail: (SELECT ...) hides the tenant's number from the planner, which expects
# one row of a tenant that is not in the statistics yet. CASE: of a small ledger it would read all to find no row.
OF_FAMILY = """
SELECT {place} AS place, t.rows,
       CASE WHEN t.last IS NOT NULL THEN (
           SELECT l.recorded_at FROM {ledger} l
            WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.seq = t.last) END AS recorded_at,
       f.facts, f.generation, f.last_recorded_at
  FROM (SELECT count(*) AS rows, max(x.seq) AS last FROM {tail} x WHERE x.tenant_id = %(tenant)s) t
  LEFT JOIN folded f ON f.tenant_id = %(tenant)s AND f.family = %(family_{place})s
"""

# The order of positions is not that of recording: a long statement takes its numbers before it records.
OLDEST = """/* windows.oldest_in_tail */ SELECT min(o.recorded_at) FROM ({families}) o"""
OLDEST_OF_FAMILY = """
SELECT r.recorded_at
  FROM {tail} x
 CROSS JOIN LATERAL (SELECT l.recorded_at FROM {ledger} l
                      WHERE l.tenant_id = (SELECT %(tenant)s::bigint) AND l.seq = x.seq LIMIT 1) r
 WHERE x.tenant_id = %(tenant)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPosition:
    """How far one family's ledger goes and how much of it is folded.

    `tail_rows` facts wait to be folded; `tail_recorded_at` is when the last of them was recorded. `folded_facts` is None
    where nothing was ever folded.
    """

    family: Family
    tail_rows: int
    tail_recorded_at: datetime | None
    folded_facts: int | None
    generation: int | None
    folded_recorded_at: datetime | None

    @property
    def facts(self) -> int:
        """All that can be seen from here, folded or not."""
        return (self.folded_facts or 0) + self.tail_rows

    @property
    def is_folded(self) -> bool:
        """Whether the rollups have all of it."""
        return self.folded_facts is not None and self.tail_rows == 0

    @property
    def last_recorded_at(self) -> datetime | None:
        """When its last fact was recorded; None: there is none."""
        return max((at for at in (self.folded_recorded_at, self.tail_recorded_at) if at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One snapshot of one tenant's record, and how far the families that were asked about stand in it.

    `beat_at` and `beat_xid`: up to that instant no transaction had that number or a later one.
    """

    snapshot: str
    xmin: int
    is_quiet: bool
    read_at: datetime
    beat_at: datetime | None
    beat_xid: int | None
    definitions: int
    last_definition: int
    families: tuple[FamilyPosition, ...]

    @property
    def name(self) -> str:
        """Opaque: names exactly the ledger rows that can be seen from here."""
        return base64.urlsafe_b64encode(f"1:{self.snapshot}".encode()).decode().rstrip("=")

    def of(self, families: Collection[str]) -> "Position":
        """The position of these families alone. ValueError where it was not asked how far one of them stands."""
        known = {each.family.name for each in self.families}
        if not known.issuperset(families):
            missing = ", ".join(sorted(set(families) - known))
            raise ValueError(
                f"position: it says nothing of {missing}; ask for the position of all of a question's families."
            )
        return replace(self, families=tuple(each for each in self.families if each.family.name in families))

    @property
    def tail_rows(self) -> int:
        """The facts that wait to be folded."""
        return sum(each.tail_rows for each in self.families)

    @property
    def folded_facts(self) -> int:
        """The facts that are folded."""
        return sum(each.folded_facts or 0 for each in self.families)

    @property
    def last_recorded_at(self) -> datetime | None:
        """When the last fact was recorded; None: there is none."""
        return max((each.last_recorded_at for each in self.families if each.last_recorded_at), default=None)

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


def position(*, tenant_id: int, families: Sequence[Family]) -> Position:
    """Where the transaction stands, and how far these families do: one statement, which looks at each ledger for the last
    fact of its tail alone. ValueError without a family."""
    if not families:
        raise ValueError("families: name at least one; a position says how far they are folded.")
    names: dict[str, int | str] = {f"family_{place}": each.name for place, each in enumerate(families)}
    with connection.cursor() as cursor:
        cursor.execute(POSITION.format(families=_of_each(OF_FAMILY, families)), {**names, "tenant": tenant_id})
        rows = cursor.fetchall()
    snapshot, xmin, is_quiet, read_at, beat_at, beat_xid, definitions, last_definition = rows[0][:8]
    return Position(
        snapshot=snapshot,
        xmin=xmin,
        is_quiet=is_quiet,
        read_at=read_at,
        beat_at=beat_at,
        beat_xid=beat_xid,
        definitions=definitions,
        last_definition=last_definition,
        families=tuple(_of_family(family, *row[8:]) for family, row in zip(families, rows, strict=True)),
    )


def _of_family(
    family: Family,
    tail_rows: int,
    tail_recorded_at: datetime | None,
    folded_facts: int | None,
    generation: int | None,
    folded_recorded_at: datetime | None,
) -> FamilyPosition:
    return FamilyPosition(
        family=family,
        tail_rows=tail_rows,
        tail_recorded_at=tail_recorded_at,
        folded_facts=folded_facts,
        generation=generation,
        folded_recorded_at=folded_recorded_at,
    )


def oldest_in_tail(*, tenant_id: int, families: Sequence[Family]) -> datetime | None:
    """When the first of these families' facts that are not folded yet was recorded; None: all are folded."""
    with connection.cursor() as cursor:
        cursor.execute(OLDEST.format(families=_of_each(OLDEST_OF_FAMILY, families)), {"tenant": tenant_id})
        found: datetime | None = cursor.fetchall()[0][0]
    return found


def _of_each(text: str, families: Iterable[Family]) -> str:
    return " UNION ALL ".join(
        text.format(place=place, tail=family.tail, ledger=family.ledger) for place, family in enumerate(families)
    )
