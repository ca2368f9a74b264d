"""read(): the measures of any family by piece of a window, from the ledger, from rollups or from both."""

from collections.abc import Sequence
from typing import Any

from analytics.engine.family import Family
from analytics.engine.reading import rollup_rows as rows
from analytics.engine.reading.coverage import Standing, fits, pieces, standing
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.rollup_rows import Reading, Target
from analytics.engine.rollups.basis import NO_PROJECT, Ground, ground
from analytics.engine.rollups.taking_back import reaches_folded
from analytics.pure.windows import Window


def read(
    *,
    tenant_id: int,
    zone: str,
    family: Family,
    projects: Sequence[int] | None,
    asked: Sequence[tuple[int, ...]],
    window: Window,
    read_from: ReadFrom = ReadFrom.MERGED,
) -> list[tuple[Any, ...]]:
    """Rows (piece, project, *dimensions, *measures), in the order of all but the measures.

    Piece n is the window's nth bucket, from 1 on; piece 0 is all that happened before the window. Project 0 has the facts
    without a project: `zone` is the tenant's and says where their days begin. `projects` None are all; a family without
    projects has no others. `asked` are values of the family's asked dimensions, a tuple for each combination that is
    wanted; where it has none, that is [()].

    Wherever it is read from, what is folded amounts to the same: a row that is nothing but sums of 0 is not answered.
    Rollups that were made by other definitions or another zone are not read, nor are least and greatest values of which the
    tail may take something back; then the ledger is. To be used in one transaction.
    """
    found = ground(tenant_id=tenant_id, zone=zone, family=family)
    wanted = _wanted(family, projects, found)
    stands = standing(tenant_id=tenant_id, family=family, projects=wanted)
    tail = read_from is ReadFrom.MERGED and stands.tail_rows > 0
    taken_back = tail and family.takes_back_by_rows and reaches_folded(tenant_id=tenant_id, family=family)
    reading = _reading(
        tenant_id=tenant_id,
        family=family,
        found=found,
        stands=stands,
        window=window,
        wanted=wanted,
        raw=read_from is ReadFrom.RAW
        or taken_back
        or not fits(standing=stands, wanted={each: found.bases[each] for each in wanted}),
        tail=tail,
    )
    targets = [Target(project, values) for project in wanted for values in asked]
    return _that_say_something(rows.read(reading=reading, targets=targets), family)


def _wanted(family: Family, projects: Sequence[int] | None, found: Ground) -> list[int]:
    if family.project is None:
        if projects is not None:
            raise ValueError(f"The family {family.name} has no projects; give None as 'projects'.")
        return [NO_PROJECT]
    return sorted(found.bases if projects is None else found.bases.keys() & set(projects))


def _reading(
    *,
    tenant_id: int,
    family: Family,
    found: Ground,
    stands: Standing,
    window: Window,
    wanted: Sequence[int],
    raw: bool,
    tail: bool,
) -> Reading:
    segments = {
        project: pieces(standing=stands, basis=found.bases[project], edges=window.edges, grains=family.grains)
        for project in wanted
    }
    return Reading(
        tenant_id=tenant_id,
        family=family,
        ground=found,
        edges=window.edges,
        segments={} if raw else segments,
        tail=tail,
        raw=raw,
    )


def _that_say_something(found: Sequence[tuple[Any, ...]], family: Family) -> list[tuple[Any, ...]]:
    key = 2 + len(family.dimensions)
    return sorted((row for row in found if not family.is_additive or any(row[key:])), key=lambda row: row[:key])
