"""Measures of any family by piece of a window: read() sums them up from the ledger, from rollups or from both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

from analytics.engine.family import Family
from analytics.engine.reading import rollup_rows
from analytics.engine.reading.coverage import Standing, pieces, standing
from analytics.engine.reading.fallbacks import AS_KNOWN_THEN, TAKEN_BACK, why_dropped, why_not
from analytics.engine.reading.knowledge import ALL_RECORDED, Knowledge
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.rollup_rows import Reading, Target
from analytics.engine.rollups.basis import NO_PROJECT, Ground, ground
from analytics.engine.rollups.taking_back import reaches_folded
from analytics.pure.segments import Segment
from analytics.pure.windows import Window


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

    Wherever it is read from, what is folded amounts to the same: a row that is nothing but sums of 0 is not answered. What
    rollups cannot say is read from the ledger, and `note` says why: what was known at another instant or in a snapshot, rows by
    other definitions or another zone, rows that were dropped, a tail longer than what is folded.
    """
    found = ground(tenant_id=tenant_id, zone=zone, family=family, defined=knowledge.definitions)
    rollups = _rollups(tenant_id, family, found, projects, window)
    note = rollups.why_not(read_from, knowledge)
    reading = replace(
        rollups.reading(ReadFrom.RAW if note else read_from), knowledge=knowledge, by_project=by_project, counted=True
    )
    rows = rollup_rows.read(reading=reading, targets=rollups.targets(asked))
    return Measured(
        rows=_that_say_something(rows, family),
        read_from=ReadFrom.RAW if note else read_from,
        raw_rows=sum(row[1] for row in rows if row[0] == rollup_rows.COUNT),
        tail_rows=rollups.stands.tail_rows if reading.tail else 0,
        note=note,
    )


@dataclass(frozen=True, kw_only=True)
class _Rollups:
    """The rollups of the wanted projects, from which the pieces between the edges are to be read."""

    tenant_id: int
    family: Family
    ground: Ground
    stands: Standing
    wanted: Sequence[int]
    edges: Sequence[datetime]

    @cached_property
    def _segments(self) -> dict[int, list[Segment]]:
        bases, grains = self.ground.bases, self.family.grains
        return {
            project: pieces(standing=self.stands, basis=bases[project], edges=self.edges, grains=grains)
            for project in self.wanted
        }

    def targets(self, asked: Sequence[tuple[int, ...]]) -> list[Target]:
        """The rows that are wanted."""
        return [Target(project, values) for project in self.wanted for values in asked]

    def reading(self, taken_from: ReadFrom) -> Reading:
        """What is to be added up, of all that is recorded and project by project."""
        raw = taken_from is ReadFrom.RAW
        return Reading(
            tenant_id=self.tenant_id,
            family=self.family,
            ground=self.ground,
            edges=self.edges,
            segments={} if raw else self._segments,
            tail=taken_from is ReadFrom.MERGED and self.stands.tail_rows > 0,
            raw=raw,
        )

    def why_not(self, asked: ReadFrom, knowledge: Knowledge) -> str | None:
        """Why they cannot answer; None where they can, or the ledger was asked for."""
        if asked is ReadFrom.RAW:
            return None
        if not knowledge.is_all:
            return AS_KNOWN_THEN
        wanted = {project: self.ground.bases[project] for project in self.wanted}
        return (
            why_not(asked=asked, standing=self.stands, wanted=wanted)
            or why_dropped(standing=self.stands, segments=chain.from_iterable(self._segments.values()))
            or (TAKEN_BACK if asked is ReadFrom.MERGED and self._takes_back() else None)
        )

    def _takes_back(self) -> bool:
        """Whether facts that wait may take back what has no inverse."""
        waits = self.family.takes_back_by_rows and self.stands.tail_rows > 0
        return waits and reaches_folded(tenant_id=self.tenant_id, family=self.family)


def _rollups(tenant_id: int, family: Family, found: Ground, projects: Sequence[int] | None, window: Window) -> _Rollups:
    wanted = _wanted(family, projects, found)
    stands = standing(tenant_id=tenant_id, family=family, projects=wanted)
    return _Rollups(tenant_id=tenant_id, family=family, ground=found, stands=stands, wanted=wanted, edges=window.edges)


def _wanted(family: Family, projects: Sequence[int] | None, found: Ground) -> list[int]:
    if family.project is None:
        if projects is not None:
            raise ValueError(f"The family {family.name} has no projects; give None as 'projects'.")
        return [NO_PROJECT]
    return sorted(found.bases if projects is None else found.bases.keys() & set(projects))


def _that_say_something(found: Sequence[tuple[Any, ...]], family: Family) -> list[tuple[Any, ...]]:
    key = 2 + len(family.dimensions)
    told = (row for row in found if row[0] != rollup_rows.COUNT)
    return sorted((row for row in told if not family.is_additive or any(row[key:])), key=lambda row: row[:key])
