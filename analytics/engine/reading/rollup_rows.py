"""Rollup rows plus the live tail, added up by piece of a window in one statement.

What the rollups have is read by segment: rows of the coarsest grain that lies within a piece. Facts in the tail, and the
pieces that no bucket is fine enough for, are counted from the histories of the items that they belong to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from analytics.engine.family import Family, Measure, Merge
from analytics.engine.reading.knowledge import ALL_RECORDED, Knowledge
from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import Ground, relations
from analytics.engine.statements import columns
from analytics.pure.segments import CLOCKS, Grain, Segment

# OFFSET 0: every condition goes into the one range of the index that a segment is. The planner would rather look at all
# rows of a target, as of a tenant that it has no statistics of it expects next to none.
STORED = """
SELECT r.bucket AS at, r.project_id, {of_rollup}
  FROM target t
  JOIN segment s ON s.project_id = t.project_id
 CROSS JOIN LATERAL (
       SELECT * FROM {rollup} x
        WHERE x.tenant_id = (SELECT %(tenant)s::bigint) AND x.project_id = t.project_id{same_in_rollup}
          AND x.grain = s.grain AND x.bucket >= s.start_at AND x.bucket < s.end_at
       OFFSET 0) r
"""
LIVE = """
SELECT c.happened_at AS at, c.project_id, {of_contribution}
  FROM contribution c
  JOIN target t ON t.project_id = c.project_id{same_in_contribution}
 WHERE c.happened_at < %(until)s AND c.happened_at > '-infinity'{of_first}
   AND (c.side <> 2 OR EXISTS (SELECT FROM segment s WHERE s.project_id = c.project_id AND s.grain = 0
                                  AND c.happened_at >= s.start_at AND c.happened_at < s.end_at))
"""
AS_THEY_ARE = """
SELECT width_bucket(p.at, %(edges)s::timestamptz[]) AS piece, p.project_id{dimensions}, {measures} FROM ({parts}) p
"""
ADDED_UP = """
SELECT width_bucket(p.at, %(edges)s::timestamptz[]) AS piece, {project} AS project_id{dimensions}, {merged}
  FROM ({parts}) p GROUP BY {places}
"""
# One row more says how many rows of the ledger were read; it stands in no piece.
COUNT: Final = -1
COUNTED = " UNION ALL SELECT {count}, ({rows}){nothing}"
RAW_ROWS = "SELECT count(*) FROM fact"
LIVE_ROWS = "SELECT count(*) FROM tail_history h WHERE h.fresh"
# Where folded facts are kept in the ledger alone, histories are read from there, too.
LIVE_AND_FOLDED_ROWS = "SELECT (SELECT count(*) FROM tail_history) + (SELECT count(*) FROM fine_history)"
ASKED = """
target AS MATERIALIZED (
    SELECT * FROM unnest(%(target_projects)s::int[]{asked_types}) AS t (project_id{asked})
),
segment AS MATERIALIZED (
    SELECT * FROM unnest(%(segment_projects)s::int[], %(segment_grains)s::smallint[], %(segment_starts)s::timestamptz[],
                         %(segment_ends)s::timestamptz[]) AS s (project_id, grain, start_at, end_at)
)
"""
MERGED = {
    Merge.ADD: "sum(p.{name})::{type} AS {name}",
    Merge.LEAST: "min(p.{name}) AS {name}",
    Merge.GREATEST: "max(p.{name}) AS {name}",
}

# Side 1 and -1 are the tail's, as in a fold. Side 2 are folded facts that no bucket is fine enough for: of the items that
# have any of them.
LIVE_FACTS = """
{in_tail},
fine_history AS MATERIALIZED ({fine}),
fact AS (
    SELECT 1 AS side, h.* FROM tail_history h
     UNION ALL
    SELECT -1, h.* FROM tail_history h WHERE NOT h.fresh AND h.happened_at > '-infinity'
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
# Enough where no contribution depends on another fact. Segments of several projects may hold one fact.
FINE_ALONE = """
SELECT DISTINCT ON (d.seq) d.item, d.seq, d.happened_at{reads}, false AS fresh
  FROM segment s
  JOIN ({details}) d ON d.tenant_id = (SELECT %(tenant)s::bigint)
                   AND d.happened_at >= s.start_at AND d.happened_at < s.end_at
 WHERE s.grain = 0
"""
NOTHING = "SELECT d.item, d.seq, d.happened_at{reads}, false AS fresh FROM ({details}) d WHERE false"
RAW_FACTS = "fact AS (SELECT 1 AS side, h.* FROM ({history}) h)"


class Target(NamedTuple):
    """Which rows of a project are asked for: by the values of the family's asked dimensions, in their order."""

    project_id: int
    asked: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What to add up: the targets over the segments of their projects, and with `tail` what is not folded yet.

    Without `by_order` nothing that is counted by orders of states is asked for. With `as_they_are` rows of one piece come
    as they are stored: to add them up costs more than to read them, where pieces are about as long as rows. With `raw` all
    is counted from the ledger, whatever is folded, as it is known by `knowledge`; there are no segments then.
    Without `by_project` all projects are one, 0. With `counted` there is one row (COUNT, ledger rows read, nulls) more.
    """

    tenant_id: int
    family: Family
    ground: Ground
    edges: Sequence[datetime]
    segments: Mapping[int, Sequence[Segment]]
    tail: bool
    by_order: bool = True
    as_they_are: bool = False
    raw: bool = False
    knowledge: Knowledge = ALL_RECORDED
    by_project: bool = True
    counted: bool = False


def read(*, reading: Reading, targets: Sequence[Target]) -> list[tuple[Any, ...]]:
    """By piece of the edges (0 is before the first), project and dimensions: the measures, merged.

    Each row is (piece, project_id, *dimensions, *measures). Sums may be 0.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement(reading), values(reading, targets))
        return list(cursor.fetchall())


def statement(reading: Reading) -> str:
    """One statement: of rollups alone where nothing else is needed, so that then nothing else is looked at."""
    family = reading.family
    asked = ASKED.format(
        asked="".join(f", {name}" for name in family.asked),
        asked_types="".join(f", %(target_{name})s::bigint[]" for name in family.asked),
    )
    live, stored = _with_names(LIVE, family), _with_names(STORED, family)
    if reading.raw:
        facts = RAW_FACTS.format(history=histories.named(histories.ALL_RECORDED, family=family))
        counted = histories.contributions(family, facts=facts, kept=False)
        return f"/* windows.raw */ WITH {asked}, {counted} {_added_up(reading, live)}{_counted(reading, RAW_ROWS)}"
    if not reading.tail and not _is_fine(reading):
        return f"/* windows.rollup */ WITH {asked} {_added_up(reading, stored)}"
    facts = LIVE_FACTS.format(in_tail=_tail(family, reading.tail), fine=_fine(family, _is_fine(reading)))
    counted = histories.contributions(family, facts=facts, kept=False)
    added_up = _added_up(reading, f"{stored} UNION ALL {live}")
    rows = LIVE_ROWS if family.details else LIVE_AND_FOLDED_ROWS
    return f"/* windows.merged */ WITH {asked}, {counted} {added_up}{_counted(reading, rows)}"


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
        "known_at": reading.knowledge.known_at,
        "snapshot": reading.knowledge.snapshot,
        "by_order": reading.by_order,
        "first_values": sorted({value for target in targets for value in target.asked[:1]}),
        "target_projects": [target.project_id for target in targets],
        **{
            f"target_{name}": [target.asked[place] for target in targets]
            for place, name in enumerate(reading.family.asked)
        },
        **columns(rows, names=("segment_projects", "segment_grains", "segment_starts", "segment_ends")),
        **relations(reading.ground, orders=None if reading.by_order else ()),
    }


def _added_up(reading: Reading, parts: str) -> str:
    family = reading.family
    if reading.as_they_are:
        return AS_THEY_ARE.format(
            parts=parts,
            dimensions="".join(f", p.{name}" for name in family.dimensions),
            measures=", ".join(f"p.{measure.name}" for measure in family.measures),
        )
    return ADDED_UP.format(
        parts=parts,
        project="p.project_id" if reading.by_project else "0",
        dimensions="".join(f", p.{name}" for name in family.dimensions),
        merged=", ".join(
            MERGED[measure.merge].format(name=measure.name, type=measure.type) for measure in family.measures
        ),
        places=", ".join(str(place + 1) for place in range(2 + len(family.dimensions))),
    )


def _counted(reading: Reading, rows: str) -> str:
    if not reading.counted:
        return ""
    columns_left = len(reading.family.dimensions) + len(reading.family.measures)
    return COUNTED.format(count=COUNT, rows=rows, nothing=", NULL" * columns_left)


def _with_names(text: str, family: Family) -> str:
    return text.format(
        rollup=family.rollup,
        of_rollup=", ".join(f"r.{name}" for name in (*family.dimensions, *(each.name for each in family.measures))),
        of_contribution=", ".join((*(f"c.{name}" for name in family.dimensions), *map(_signed, family.measures))),
        same_in_rollup="".join(f" AND x.{name} = t.{name}" for name in family.asked),
        of_first="".join(f" AND c.{name} = ANY (%(first_values)s::bigint[])" for name in family.asked[:1]),
        same_in_contribution="".join(f" AND c.{name} = t.{name}" for name in family.asked),
    )


def _signed(measure: Measure) -> str:
    """What the history without the new facts contributes is taken back; measures that only grow have no such side."""
    name = f"c.{measure.name}"
    return f"CASE c.side WHEN -1 THEN -{name} ELSE {name} END" if measure.merge is Merge.ADD else name


# About how long each grain's unit is.
WIDTHS: Final[Mapping[Grain, timedelta]] = {**CLOCKS, Grain.DAY: timedelta(days=1), Grain.MONTH: timedelta(days=30)}


def are_few(found: Mapping[int, Sequence[Segment]], *, edges: Sequence[datetime]) -> bool:
    """Whether the segments have hardly more buckets than there are pieces to add them up to."""
    spans = (each for segments in found.values() for each in segments)
    buckets = sum((each.end - each.start) / WIDTHS[each.grain] for each in spans if each.grain)
    return buckets <= 2 * len(edges) * len(found)


def _is_fine(reading: Reading) -> bool:
    return any(each.grain is None for found in reading.segments.values() for each in found)


def _tail(family: Family, wanted: bool) -> str:
    if wanted:
        return histories.live(family)
    return f"tail_history AS MATERIALIZED ({_of_details(NOTHING, family)})"


def _fine(family: Family, wanted: bool) -> str:
    history = FINE_ALONE if family.independent else FINE
    return _of_details(history if wanted else NOTHING, family)


def _of_details(text: str, family: Family) -> str:
    reads = "".join(f", d.{column}" for column in family.reads)
    return text.format(details=histories.details(family), reads=reads)
