"""Readings of meters: count, sum, least, greatest, first and last at five minutes. A tenant's series have no project."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db import models

from analytics.engine.family import Family, Measure, Merge
from analytics.pure.segments import Grain
from tests.engine.families.tables import Cell, Numeric, Row, Shape, made

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# The total is numeric: a sum of doubles depends on its order, and a rebuild could then differ in the last bit.
SAMPLES = Family(
    name="tests.samples",
    version="tests/1",
    ledger="sample_ledger",
    tail="sample_tail",
    rollup="sample_rollup",
    item="series",
    reads=("value",),
    project=None,
    resolve="""
        SELECT f.*, ARRAY[extract(epoch FROM f.happened_at) * 1000000, f.seq, f.value]::double precision[] AS sample
          FROM fact f
    """,
    contributions="""
        SELECT r.side, r.happened_at, 0 AS project_id, r.item AS series, 1 AS samples, r.value::numeric AS total,
               r.value AS minimum, r.value AS maximum, r.sample AS first_sample, r.sample AS last_sample
          FROM resolved r
    """,
    dimensions=("series",),
    asked=("series",),
    measures=(
        Measure(name="samples"),
        Measure(name="total", type="numeric"),
        Measure(name="minimum", merge=Merge.LEAST, type="double precision"),
        Measure(name="maximum", merge=Merge.GREATEST, type="double precision"),
        Measure(name="first_sample", merge=Merge.LEAST, type="double precision[]"),
        Measure(name="last_sample", merge=Merge.GREATEST, type="double precision[]"),
    ),
    grains=(Grain.FIVE_MINUTES, Grain.HOUR, Grain.DAY),
    keep={Grain.FIVE_MINUTES: 30, Grain.HOUR: 400},
    independent=True,
)
TABLES = made(
    family=SAMPLES,
    columns={"series": models.IntegerField(), "value": models.FloatField()},
    key={"series": models.IntegerField()},
    measures={
        "samples": models.BigIntegerField(),
        "total": Numeric(),
        "minimum": models.FloatField(),
        "maximum": models.FloatField(),
        "first_sample": ArrayField(models.FloatField()),
        "last_sample": ArrayField(models.FloatField()),
    },
)


class Sample(NamedTuple):
    """A reading."""

    seq: int
    happened_at: datetime
    series: int
    value: float


def cells(facts: Sequence[Sample]) -> Iterator[Cell]:
    """Each reading is one of its series."""
    for fact in facts:
        yield Cell(happened_at=fact.happened_at, project_id=0, dimensions=(fact.series,), adds=fact)


def amount(found: list[Sample]) -> Row:
    """By the order of what happened; of one instant the reading that was recorded first is the first."""
    values = [each.value for each in found]
    in_order = sorted(found, key=lambda each: (each.happened_at, each.seq))
    total = sum(Decimal(str(value)) for value in values)
    return (len(values), total, min(values), max(values), _as_array(in_order[0]), _as_array(in_order[-1]))


def _as_array(sample: Sample) -> list[float]:
    return [(sample.happened_at - EPOCH) // timedelta(microseconds=1), sample.seq, sample.value]


SHAPE = Shape(family=SAMPLES, tables=TABLES, asked=[(1,), (3,)], cells=cells, amount=amount)
