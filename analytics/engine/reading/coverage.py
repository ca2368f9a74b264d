"""Coverage: how far a tenant's rollups reach, and whether they can answer a question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.engine.family import Family
from analytics.engine.rollups.basis import Basis
from analytics.pure.segments import Grain, Segment, segments

STANDING = """/* windows.standing */
SELECT (SELECT count(*) FROM {tail} x WHERE x.tenant_id = %(tenant)s),
       ARRAY(SELECT k.grain FROM kept_since k WHERE k.tenant_id = %(tenant)s AND k.family = %(family)s ORDER BY k.grain),
       ARRAY(SELECT k.since FROM kept_since k WHERE k.tenant_id = %(tenant)s AND k.family = %(family)s ORDER BY k.grain),
       f.folded_at, coalesce(f.facts, 0), b.project_id, b.zone, b.breaks, b.orders, b.since
  FROM (SELECT) nothing
  LEFT JOIN folded f ON f.tenant_id = %(tenant)s AND f.family = %(family)s
  LEFT JOIN rollup_basis b ON b.tenant_id = %(tenant)s AND b.family = %(family)s AND b.project_id = ANY (%(projects)s::int[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The rollups of some projects: what they were cut by, since when there is anything, and how many facts wait in the tail.

    `kept_since` has the grains whose older rows were dropped. All `facts` that are folded had happened by `folded_at`.
    """

    bases: Mapping[int, Basis]
    since: Mapping[int, datetime]
    tail_rows: int
    kept_since: Mapping[Grain, datetime]
    folded_at: datetime | None
    facts: int


def standing(*, tenant_id: int, family: Family, projects: Sequence[int]) -> Standing:
    """As the transaction's snapshot shows it."""
    values: dict[str, Any] = {"tenant": tenant_id, "family": family.name, "projects": list(projects)}
    with connection.cursor() as cursor:
        cursor.execute(STANDING.format(tail=family.tail), values)
        found = cursor.fetchall()
    tail_rows, grains, instants, folded_at, facts = found[0][:5]
    rows = [row[5:] for row in found if row[5] is not None]
    return Standing(
        bases={
            project: Basis(project_id=project, zone=zone, breaks=tuple(breaks), orders=tuple(orders))
            for project, zone, breaks, orders, _ in rows
        },
        since={project: since for project, *_, since in rows if since is not None},
        tail_rows=tail_rows,
        kept_since={Grain(grain): since for grain, since in zip(grains, instants, strict=True)},
        folded_at=folded_at,
        facts=facts,
    )


def fits(*, standing: Standing, wanted: Mapping[int, Basis]) -> bool:
    """Whether the rows of all these projects are as rows by the wanted bases would be, but for orders of states.

    A project of which nothing is folded has no rows that could differ: all of it is in the tail.
    """
    since = standing.folded_at
    return all(
        since is not None and _same_rows(standing.bases[project], basis, since=since)
        for project, basis in wanted.items()
        if project in standing.bases
    )


def _same_rows(found: Basis, wanted: Basis, *, since: datetime) -> bool:
    # Whether the orders are there that a question needs is asked apart. Without any, no state was known.
    return replace(wanted, orders=found.orders or wanted.orders).outgrows(found, since=since)


def dropped_since(*, standing: Standing, segments: Iterable[Segment]) -> datetime | None:
    """Where a piece needs rows that were dropped: since when finer ones are kept. None where nothing is missing."""
    kept = max(standing.kept_since.values(), default=None)
    return kept if kept and any(each.grain is None and each.start < kept for each in segments) else None


def pieces(*, standing: Standing, basis: Basis, edges: Sequence[datetime], grains: Sequence[Grain]) -> list[Segment]:
    """Which rows of the basis's project add up to the time before the last edge, each within one piece between edges."""
    since = standing.since.get(basis.project_id)
    if since is None:
        return []
    return segments(
        edges=edges,
        zone=basis.zone,
        breaks=basis.breaks,
        grains=grains,
        since=since,
        available_since=standing.kept_since,
    )
