"""Meters: readings that are corrected and withdrawn. The last recorded of a reading counts; least and greatest fall back."""

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

# The total may be 0 where there are readings, and is no count of them.
METERS = Family(
    name="tests.meters",
    version="tests/1",
    ledger="meter_ledger",
    tail="meter_tail",
    rollup="meter_rollup",
    item="reading_id",
    item_type="bigint",
    reads=("project_id", "meter", "value"),
    resolve="""
        SELECT DISTINCT ON (f.side, f.item) f.*, ARRAY[extract(epoch FROM f.happened_at), f.item, f.value] AS reading
          FROM fact f ORDER BY f.side, f.item, f.seq DESC
    """,
    contributions="""
        SELECT r.side, r.happened_at, r.project_id, r.meter, r.value AS total, r.value AS lowest, r.value AS highest,
               r.reading AS first_reading, r.reading AS last_reading
          FROM resolved r WHERE r.value IS NOT NULL
    """,
    dimensions=("meter",),
    asked=("meter",),
    measures=(
        Measure(name="total", type="numeric"),
        Measure(name="lowest", merge=Merge.LEAST, type="numeric"),
        Measure(name="highest", merge=Merge.GREATEST, type="numeric"),
        Measure(name="first_reading", merge=Merge.LEAST, type="numeric[]"),
        Measure(name="last_reading", merge=Merge.GREATEST, type="numeric[]"),
    ),
    grains=(Grain.FIVE_MINUTES, Grain.HOUR, Grain.DAY, Grain.MONTH),
    dimension_columns={"meter": "meter"},
)
TABLES = made(
    family=METERS,
    columns={
        "reading_id": models.BigIntegerField(),
        "project_id": models.IntegerField(),
        "meter": models.BigIntegerField(),
        "value": Numeric(null=True),
    },
    key={"meter": models.BigIntegerField()},
    measures={
        "total": Numeric(),
        "lowest": Numeric(),
        "highest": Numeric(),
        "first_reading": ArrayField(Numeric()),
        "last_reading": ArrayField(Numeric()),
    },
)


class MeterFact(NamedTuple):
    """What a reading is from now on: of this meter in this project, of this value (None: it was none)."""

    seq: int
    happened_at: datetime
    reading_id: int
    project_id: int
    meter: int
    value: Decimal | None


def cells(facts: Sequence[MeterFact]) -> Iterator[Cell]:
    """The last that was recorded of each reading."""
    last = {fact.reading_id: fact for fact in sorted(facts)}
    for fact in last.values():
        if fact.value is not None:
            yield Cell(happened_at=fact.happened_at, project_id=fact.project_id, dimensions=(fact.meter,), adds=fact)


def amount(found: list[MeterFact]) -> Row:
    """By the order of what happened; of one instant the reading with the smaller number is the first."""
    values = [each.value or Decimal(0) for each in found]
    in_order = sorted(found, key=lambda each: (each.happened_at, each.reading_id))
    return (sum(values), min(values), max(values), _as_array(in_order[0]), _as_array(in_order[-1]))


def _as_array(fact: MeterFact) -> list[Decimal | None]:
    return [Decimal((fact.happened_at - EPOCH) // timedelta(seconds=1)), Decimal(fact.reading_id), fact.value]


FIRST_METER = 6_000_000_000
SHAPE = Shape(family=METERS, tables=TABLES, asked=[(FIRST_METER + 1,), (FIRST_METER + 3,)], cells=cells, amount=amount)
