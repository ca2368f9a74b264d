"""Readings that are corrected: the newest fact of a reading counts, so that lowest and highest values are taken back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from analytics.engine.family import Family, Measure, Merge
from analytics.pure.segments import Grain
from tests.engine.families.tables import Cell, Row, Shape

TABLES = """
CREATE TABLE corrected_ledger (
    tenant_id bigint, seq bigint, happened_at timestamptz, recorded_at timestamptz DEFAULT now(),
    xact bigint DEFAULT txid_current(), reading_id int, project_id int, meter int, value double precision,
    PRIMARY KEY (tenant_id, seq));
CREATE TABLE corrected_tail (tenant_id bigint, seq bigint, PRIMARY KEY (tenant_id, seq));
CREATE TABLE corrected_rollup (
    tenant_id bigint, project_id int, grain smallint, bucket timestamptz, meter int,
    readings bigint NOT NULL, lowest double precision NOT NULL, highest double precision NOT NULL,
    PRIMARY KEY (tenant_id, project_id, grain, bucket, meter))
"""
CORRECTED = Family(
    name="tests.corrected_readings",
    version="tests/1",
    ledger="corrected_ledger",
    tail="corrected_tail",
    rollup="corrected_rollup",
    item="reading_id",
    reads=("project_id", "meter", "value"),
    resolve="SELECT DISTINCT ON (f.side, f.item) f.* FROM fact f ORDER BY f.side, f.item, f.seq DESC",
    contributions="""
        SELECT r.side, r.happened_at, r.project_id, r.meter, 1 AS readings, r.value AS lowest, r.value AS highest
          FROM resolved r
    """,
    dimensions=("meter",),
    asked=("meter",),
    measures=(
        Measure(name="readings"),
        Measure(name="lowest", merge=Merge.LEAST, type="double precision"),
        Measure(name="highest", merge=Merge.GREATEST, type="double precision"),
    ),
    grains=(Grain.FIVE_MINUTES, Grain.HOUR, Grain.DAY),
)


class Corrected(NamedTuple):
    """A reading, or what it should have been."""

    seq: int
    happened_at: datetime
    reading_id: int
    project_id: int
    meter: int
    value: float


def cells(facts: Sequence[Corrected]) -> Iterator[Cell]:
    """Each reading once, as it was told last."""
    newest = {fact.reading_id: fact for fact in sorted(facts, key=lambda fact: fact.seq)}
    for fact in newest.values():
        yield Cell(happened_at=fact.happened_at, project_id=fact.project_id, dimensions=(fact.meter,), adds=fact.value)


def amount(found: list[float]) -> Row:
    """How many there are, and the ends of their range."""
    return (len(found), min(found), max(found))


SHAPE = Shape(family=CORRECTED, tables=TABLES, asked=[(1,), (3,)], cells=cells, amount=amount)
