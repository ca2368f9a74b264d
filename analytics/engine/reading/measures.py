"""Measures of any family by piece of a window: read() sums them up from the ledger, from rollups or from both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from analytics.engine.family import Family, Merge
from analytics.engine.reading import rollup_rows
from analytics.engine.reading.coverage import Standing, pieces, standing
from analytics.engine.reading.fallbacks import AS_KNOWN_THEN, TAKEN_BACK, why_dropped, why_not
from analytics.engine.reading.knowledge import ALL_RECORDED, Knowledge
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.rollup_rows import Reading, Target
from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import NO_PROJECT, Ground, ground
from analytics.engine.statements import fetched
from analytics.pure.segments import Segment
from analytics.pure.windows import Window

Segments = Mapping[int, Sequence[Segment]]

# Whether a fact of the tail belongs to an item that has folded facts: then what those contributed may be taken back.
TAKES_BACK = """/* windows.takes_back */
SELECT EXISTS (
    SELECT FROM {tail} t
      JOIN {ledger} l ON l.tenant_id = %(tenant)s AND l.seq = t.seq
      JOIN ({details}) d ON d.tenant_id = %(tenant)s AND d.item = l.{item}
     WHERE t.tenant_id = %(tenant)s AND l.happened_at < %(until)s AND {only})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was read, in rows (piece, project, *dimensions, *measures), in the order of all but the measures.

    `read_from` is where from, and `note` says why not from where it was asked for (None: it was). `raw_rows` rows of the
    ledger were read; `tail_rows` facts were read that no rollup had.
    """

    rows: Sequence[tuple[Any, ...]]
    read_from: ReadFrom
    raw_rows: int
    tail_rows: int
    note: str | None


def read(
    *,
    tenant_id: int,
    zone: str,
    family: Family,
    projects: Sequence[int] | None,
    asked: Sequence[tuple[int, ...]],
    window: Window,
    read_from: ReadFrom = ReadFrom.MERGED,
    knowledge: Knowledge = ALL_RECORDED,
    by_project: bool = True,
) -> Measured:
    """The measures of the window's pieces. To be used in one read-only transaction.

    Piece n is the window's nth bucket, from 1 on; piece 0 is all that happened before the window. Project 0 has the facts
    without a project: `zone` is the tenant's and says where their days begin. `projects` None are all; a family without
    projects has no others (ValueError). Without `by_project` their rows are added up to rows of project 0. `asked` are values
    of the family's asked dimensions, a tuple for each combination that is wanted; where it has none, that is [()].

    Wherever it is read from, what is folded amounts to the same: a row whose sums are all 0 is not answered. What rollups
    cannot say is read from the ledger, and `note` says why: what was known at another instant or in a snapshot, rows by
    other definitions or another zone, rows that were dropped, a tail longer than what is folded.
    """
    found = ground(tenant_id=tenant_id, zone=zone, family=family)
    wanted = _wanted(family, projects, found)
    stands = standing(tenant_id=tenant_id, family=family, projects=wanted)
    segments = {
        project: pieces(standing=stands, basis=found.bases[project], edges=window.edges, grains=family.grains)
        for project in wanted
    }
    source = _Source(
        tenant_id=tenant_id, family=family, ground=found, stands=stands, segments=segments, until=window.edges[-1]
    )
    note = source.why_not(read_from, knowledge)
    taken_from = ReadFrom.RAW if note else read_from
    reading = Reading(
        tenant_id=tenant_id,
        family=family,
        ground=found,
        edges=window.edges,
        segments={} if taken_from is ReadFrom.RAW else segments,
        tail=taken_from is ReadFrom.MERGED and stands.tail_rows > 0,
        raw=taken_from is ReadFrom.RAW,
        knowledge=knowledge,
        by_project=by_project,
        counted=True,
    )
    rows = rollup_rows.read(reading=reading, targets=[Target(each, values) for each in wanted for values in asked])
    return Measured(
        rows=_that_say_something(rows, family),
        read_from=taken_from,
        raw_rows=sum(row[1] for row in rows if row[0] == rollup_rows.COUNT),
        tail_rows=stands.tail_rows if reading.tail else 0,
        note=note,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The rollups that a question could be read from, and the segments of them that it takes."""

    tenant_id: int
    family: Family
    ground: Ground
    stands: Standing
    segments: Segments
    until: datetime

    def why_not(self, asked: ReadFrom, knowledge: Knowledge) -> str | None:
        """Why they cannot answer; None where they can, or the ledger was asked for."""
        if asked is ReadFrom.RAW:
            return None
        if not knowledge.is_all:
            return AS_KNOWN_THEN
        wanted = {project: self.ground.bases[project] for project in self.segments}
        return (
            why_not(asked=asked, standing=self.stands, wanted=wanted)
            or why_dropped(standing=self.stands, segments=chain.from_iterable(self.segments.values()))
            or (TAKEN_BACK if asked is ReadFrom.MERGED and self._takes_back() else None)
        )

    def _takes_back(self) -> bool:
        family = self.family
        if family.independent or self.stands.tail_rows == 0 or all(each.merge is Merge.ADD for each in family.measures):
            return False
        text = TAKES_BACK.format(
            tail=family.tail,
            ledger=family.ledger,
            item=family.item,
            only=family.only,
            details=histories.details(family),
        )
        return bool(fetched(text, tenant=self.tenant_id, until=self.until)[0][0])


def _wanted(family: Family, projects: Sequence[int] | None, found: Ground) -> list[int]:
    if family.project is None:
        if projects is not None:
            raise ValueError(f"The family {family.name} has no projects; give None as 'projects'.")
        return [NO_PROJECT]
    return sorted(found.bases if projects is None else found.bases.keys() & set(projects))


def _that_say_something(found: Sequence[tuple[Any, ...]], family: Family) -> list[tuple[Any, ...]]:
    key = 2 + len(family.dimensions)
    sums = [key + place for place, measure in enumerate(family.measures) if measure.merge is Merge.ADD]
    told = (row for row in found if row[0] != rollup_rows.COUNT)
    return sorted((row for row in told if not sums or any(row[place] for place in sums)), key=lambda row: row[:key])
