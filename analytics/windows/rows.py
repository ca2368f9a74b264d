"""Rollups plus the live tail, added up by piece of a window in one statement.

What the rollups have is read by segment: rows of the coarsest grain that lies within a piece. Facts in the tail, and the
pieces that no bucket is fine enough for, are counted from the histories of the items that they belong to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from analytics.facts.family import Family
from analytics.pure.segments import Segment
from analytics.rollups import histories
from analytics.rollups.basis import Ground, relations

STORED = """
SELECT r.bucket AS at, r.project_id, t.facet, t.subject, r.before_id, r.after_id, r.facts
  FROM target t
  JOIN segment s ON s.project_id = t.project_id
  JOIN {rollup} r ON r.tenant_id = (SELECT %(tenant)s::bigint) AND r.project_id = s.project_id AND r.facet = t.facet
                 AND r.subject = t.subject AND r.grain = s.grain AND r.bucket >= s.start_at AND r.bucket < s.end_at
"""
LIVE = """
SELECT c.happened_at, c.project_id, c.facet, c.subject, c.before_id, c.after_id,
       CASE c.side WHEN -1 THEN -c.facts ELSE c.facts END
  FROM contribution c
  JOIN target t ON t.project_id = c.project_id AND t.facet = c.facet AND t.subject = c.subject
 WHERE c.happened_at < %(until)s
   AND (c.side <> 2 OR EXISTS (SELECT FROM segment s WHERE s.project_id = c.project_id AND s.grain = 0
                                  AND c.happened_at >= s.start_at AND c.happened_at < s.end_at))
"""
ADDED_UP = """
SELECT width_bucket(p.at, %(edges)s::timestamptz[]) AS piece, p.project_id, p.facet, p.subject, p.before_id, p.after_id,
       sum(p.facts)::bigint AS facts
  FROM ({parts}) p GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(p.facts) <> 0
"""
ASKED = """
target AS MATERIALIZED (
    SELECT * FROM unnest(%(target_projects)s::int[], %(target_facets)s::smallint[], %(target_subjects)s::bigint[])
               AS t (project_id, facet, subject)
),
segment AS MATERIALIZED (
    SELECT * FROM unnest(%(segment_projects)s::int[], %(segment_grains)s::smallint[], %(segment_starts)s::timestamptz[],
                         %(segment_ends)s::timestamptz[]) AS s (project_id, grain, start_at, end_at)
)
"""

# Side 1 and -1 are the tail's, as in a fold. Side 2 are folded facts that no bucket is fine enough for: of the items that
# have any of them.
LIVE_FACTS = """
tail_history AS MATERIALIZED ({in_tail}),
fine_history AS MATERIALIZED ({fine}),
fact AS (
    SELECT 1 AS side, h.* FROM tail_history h
     UNION ALL
    SELECT -1, h.* FROM tail_history h WHERE NOT h.fresh
     UNION ALL
    SELECT 2, h.* FROM fine_history h
)
"""
FINE = """
SELECT d.item, d.seq, d.happened_at{reads}, false AS fresh
  FROM (SELECT DISTINCT f.item FROM segment s
          JOIN ({details}) f ON f.tenant_id = (SELECT %(tenant)s::bigint)
                           AND f.happened_at >= s.start_at AND f.happened_at < s.end_at
         WHERE s.grain = 0) i
  JOIN ({details}) d ON d.tenant_id = (SELECT %(tenant)s::bigint) AND d.item = i.item
 WHERE d.happened_at < %(until)s
"""
NOTHING = "SELECT 0 AS item, 0::bigint AS seq, now() AS happened_at{reads}, false AS fresh WHERE false"


class Row(NamedTuple):
    """So many facts of one piece, from one side (see analytics.facts.transitions)."""

    piece: int
    project_id: int
    facet: int
    subject: int
    before_id: int
    after_id: int
    facts: int


class Target(NamedTuple):
    """Which rows of a project are asked for."""

    project_id: int
    facet: int
    subject: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What to add up: the targets over the segments of their projects, and with `tail` what is not folded yet."""

    tenant_id: int
    family: Family
    ground: Ground
    edges: Sequence[datetime]
    segments: dict[int, list[Segment]]
    tail: bool


def read(*, reading: Reading, targets: Sequence[Target]) -> list[Row]:
    """The rows by piece of the edges; piece 0 is before the first edge."""
    with connection.cursor() as cursor:
        cursor.execute(statement(reading), values(reading, targets))
        return [Row(*row) for row in cursor.fetchall()]


def statement(reading: Reading) -> str:
    """One statement: of rollups alone where nothing else is needed, so that then nothing else is looked at."""
    family = reading.family
    stored = STORED.format(rollup=family.rollup)
    if not reading.tail and not _is_fine(reading):
        return f"/* windows.rollup */ WITH {ASKED} {ADDED_UP.format(parts=stored)}"
    facts = LIVE_FACTS.format(in_tail=_tail(family, reading.tail), fine=_fine(family, _is_fine(reading)))
    parts = f"{stored} UNION ALL {LIVE}"
    return (
        f"/* windows.merged */ WITH {ASKED}, {histories.contributions(family, facts=facts)}"
        f" {ADDED_UP.format(parts=parts)}"
    )


def values(reading: Reading, targets: Sequence[Target]) -> dict[str, Any]:
    """The parameters of the statement."""
    rows = [
        (project, int(each.grain or 0), each.start, each.end)
        for project, found in reading.segments.items()
        for each in found
    ]
    return {
        "tenant": reading.tenant_id,
        "edges": list(reading.edges),
        "until": reading.edges[-1],
        "target_projects": [target.project_id for target in targets],
        "target_facets": [target.facet for target in targets],
        "target_subjects": [target.subject for target in targets],
        "segment_projects": [row[0] for row in rows],
        "segment_grains": [row[1] for row in rows],
        "segment_starts": [row[2] for row in rows],
        "segment_ends": [row[3] for row in rows],
        **relations(reading.ground),
    }


def _is_fine(reading: Reading) -> bool:
    return any(each.grain is None for found in reading.segments.values() for each in found)


def _tail(family: Family, wanted: bool) -> str:
    history = histories.TAIL_ALONE if family.independent else histories.IN_TAIL
    return histories.named(history, family=family) if wanted else _nothing(family)


def _fine(family: Family, wanted: bool) -> str:
    reads = "".join(f", d.{column}" for column in family.reads)
    return FINE.format(details=family.details, reads=reads) if wanted else _nothing(family)


def _nothing(family: Family) -> str:
    return NOTHING.format(reads="".join(f", 0 AS {column}" for column in family.reads))
