"""Lowest and highest readings, which are corrected later: a family without any sum."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import models

from analytics.engine.family import Family, Measure, Merge
from analytics.pure.segments import Grain
from tests.engine.families.tables import Cell, Row, Shape, made

EXTREMES = Family(
    name="tests.extremes",
    version="tests/1",
    ledger="reading_ledger",
    tail="reading_tail",
    rollup="reading_rollup",
    item="reading_id",
    item_type="bigint",
    reads=("project_id", "value"),
    resolve="SELECT DISTINCT ON (f.side, f.item) f.* FROM fact f ORDER BY f.side, f.item, f.seq DESC",
    contributions="""
        SELECT r.side, r.happened_at, r.project_id, r.value AS lowest, r.value AS highest FROM resolved r
    """,
    dimensions=(),
    asked=(),
    measures=(
        Measure(name="lowest", merge=Merge.LEAST, type="double precision"),
        Measure(name="highest", merge=Merge.GREATEST, type="double precision"),
    ),
    grains=(Grain.MINUTE, Grain.FIVE_MINUTES, Grain.DAY),
)
TABLES = made(
    family=EXTREMES,
    columns={
        "reading_id": models.BigIntegerField(),
        "project_id": models.IntegerField(),
        "value": models.FloatField(),
    },
    key={},
    measures={"lowest": models.FloatField(), "highest": models.FloatField()},
)


class Reading(NamedTuple):
    """What a reading is from now on, in which project."""

    seq: int
    happened_at: datetime
    reading_id: int
    project_id: int
    value: float


def cells(facts: Sequence[Reading]) -> Iterator[Cell]:
    """The last that was recorded of each reading."""
    last = {fact.reading_id: fact for fact in sorted(facts)}
    for fact in last.values():
        yield Cell(happened_at=fact.happened_at, project_id=fact.project_id, dimensions=(), adds=fact.value)


def amount(found: list[float]) -> Row:
    """The ends of their range."""
    return (min(found), max(found))


SHAPE = Shape(family=EXTREMES, tables=TABLES, asked=[()], cells=cells, amount=amount)
