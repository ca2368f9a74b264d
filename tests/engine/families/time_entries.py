"""Hours worked: sums per person, task and local date, by the project's zone. A correction is a reversal with its negative."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import models

from analytics.engine.family import Family, Measure
from analytics.pure.segments import Grain
from tests.engine.families.tables import Cell, Row, Shape, made

# Beyond what an int holds.
FIRST_PERSON = 5_000_000_000

TIME_ENTRIES = Family(
    name="tests.time_entries",
    version="tests/1",
    ledger="time_entry_ledger",
    tail="time_entry_tail",
    rollup="time_entry_rollup",
    item="entry_id",
    reads=("project_id", "person", "task", "seconds"),
    contributions="""
        SELECT r.side, r.happened_at, r.project_id, r.person, r.task, r.seconds, sign(r.seconds)::int AS entries
          FROM resolved r
    """,
    dimensions=("person", "task"),
    asked=("person",),
    measures=(Measure(name="seconds"), Measure(name="entries")),
    grains=(Grain.DAY, Grain.MONTH),
    independent=True,
)
TABLES = made(
    family=TIME_ENTRIES,
    columns={
        "entry_id": models.IntegerField(),
        "project_id": models.IntegerField(),
        "person": models.BigIntegerField(),
        "task": models.IntegerField(),
        "seconds": models.IntegerField(),
    },
    key={"person": models.BigIntegerField(), "task": models.IntegerField()},
    measures={"seconds": models.BigIntegerField(), "entries": models.BigIntegerField()},
)


class TimeEntry(NamedTuple):
    """Work of some seconds, or with a negative number its reversal."""

    seq: int
    happened_at: datetime
    entry_id: int
    project_id: int
    person: int
    task: int
    seconds: int


def cells(facts: Sequence[TimeEntry]) -> Iterator[Cell]:
    """Each entry adds its seconds."""
    for fact in facts:
        yield Cell(
            happened_at=fact.happened_at,
            project_id=fact.project_id,
            dimensions=(fact.person, fact.task),
            adds=fact.seconds,
        )


def amount(seconds: list[int]) -> Row | None:
    """The seconds, and the entries that were not reversed. Entries of equal length may leave none of the one only."""
    entries = len([each for each in seconds if each > 0]) - len([each for each in seconds if each < 0])
    return (sum(seconds), entries) if sum(seconds) or entries else None


SHAPE = Shape(
    family=TIME_ENTRIES, tables=TABLES, asked=[(FIRST_PERSON + 1,), (FIRST_PERSON + 3,)], cells=cells, amount=amount
)
