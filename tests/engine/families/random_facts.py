"""Random facts of the families, and random windows over them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from analytics.pure.windows import Bucket, Window, between
from tests.engine.families import extremes, findings, meters, samples, time_entries
from tests.engine.families.extremes import Reading
from tests.engine.families.findings import FindingFact, Kind
from tests.engine.families.meters import MeterFact
from tests.engine.families.samples import Sample
from tests.engine.families.tables import Shape
from tests.engine.families.time_entries import TimeEntry
from tests.spec.runner import LONG_AFTER

# A month ends here, and the clocks of Europe change on the 30th.
DAWN = datetime(2025, 3, 29, tzinfo=UTC)
HOURS = 96
ZONES = ("UTC", "Europe/Stockholm", "Asia/Kathmandu", "America/New_York")
SHAPES: Mapping[str, Shape] = {
    "time entries": time_entries.SHAPE,
    "findings": findings.SHAPE,
    "samples": samples.SHAPE,
    "extremes": extremes.SHAPE,
    "meters": meters.SHAPE,
}

# Few, so that ties are common, on edges of buckets and beside them.
instants = st.builds(
    lambda hour, minute, second: DAWN + timedelta(hours=hour, minutes=minute, seconds=second),
    st.one_of(st.integers(0, HOURS - 1), st.integers(40, 50)),
    st.sampled_from([0, 0, 4, 5, 45]),
    st.sampled_from([0, 0, 59]),
)
small = st.integers(1, 3)
# The first project or the second, by the item: an item has one.
PROJECT_OF = {1: 0, 2: 0, 3: 1}


@st.composite
def some_time_entries(draw: st.DrawFn, projects: list[int]) -> list[TimeEntry]:
    """Entries and reversals; they may come to 0 seconds while there are entries."""
    lengths = st.sampled_from([1800, 3600, -1800, -3600])
    persons = small.map(lambda number: time_entries.FIRST_PERSON + number)
    rows = draw(st.lists(st.tuples(instants, st.sampled_from(projects), persons, small, lengths), max_size=14))
    return [TimeEntry(seq, row[0], seq, *row[1:]) for seq, row in enumerate(rows, start=1)]


@st.composite
def some_findings(draw: st.DrawFn, projects: list[int]) -> list[FindingFact]:
    """Any kinds in any order, as they come from scanners that are late."""
    rows = draw(st.lists(st.tuples(instants, small, st.sampled_from(Kind), small), max_size=14))
    return [
        FindingFact(seq, at, findings.FIRST_ID + item, projects[PROJECT_OF[item]], kind, severity)
        for seq, (at, item, kind, severity) in enumerate(rows, start=1)
    ]


@st.composite
def some_samples(draw: st.DrawFn, projects: list[int]) -> list[Sample]:
    """Readings, some of one series at one instant; 0.1 is not exact."""
    values = st.sampled_from([-2.5, 0.0, 0.1, 0.2, 7.0])
    rows = draw(st.lists(st.tuples(instants, small, values), max_size=14))
    return [Sample(seq, *row) for seq, row in enumerate(rows, start=1)]


@st.composite
def some_readings(draw: st.DrawFn, projects: list[int]) -> list[Reading]:
    """Some at one instant, some corrected, in value or project; 0 is a value like any other."""
    values = st.sampled_from([-2.5, 0.0, 0.1, 7.0])
    at = draw(st.lists(instants, min_size=1, max_size=6))
    rows = draw(st.lists(st.tuples(st.sampled_from(range(len(at))), st.sampled_from(projects), values), max_size=14))
    return [
        Reading(seq, at[item], findings.FIRST_ID + item, project, value)
        for seq, (item, project, value) in enumerate(rows, start=1)
    ]


@st.composite
def some_meter_facts(draw: st.DrawFn, projects: list[int]) -> list[MeterFact]:
    """Readings, corrected in value, meter or project, withdrawn and given again."""
    values = st.sampled_from([None, Decimal("-2.5"), Decimal(0), Decimal("2.5"), Decimal(7)])
    at = draw(st.lists(instants, min_size=1, max_size=6))
    of_meter = small.map(lambda number: meters.FIRST_METER + number)
    items = st.sampled_from(range(len(at)))
    rows = draw(st.lists(st.tuples(items, st.sampled_from(projects), of_meter, values), max_size=14))
    return [
        MeterFact(seq, at[item], item, project, meter, value)
        for seq, (item, project, meter, value) in enumerate(rows, start=1)
    ]


FACTS: Mapping[str, Callable[[list[int]], st.SearchStrategy[Any]]] = {
    "time entries": some_time_entries,
    "findings": some_findings,
    "samples": some_samples,
    "extremes": some_readings,
    "meters": some_meter_facts,
}


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Days of some zone, hours, five minutes, or pieces between any instants; it may begin and end within a bucket."""
    first, last = sorted(draw(st.lists(instants, min_size=2, max_size=2, unique=True)))
    bucket = draw(st.sampled_from([Bucket.DAY, Bucket.HOUR, Bucket.FIVE_MINUTES, None]))
    zone = draw(st.sampled_from(ZONES))
    if bucket is not None:
        return between(start=first, end=last, zone=zone, bucket=bucket, now=LONG_AFTER)
    edges = sorted({first, last, *draw(st.lists(instants, max_size=4))})
    return Window(
        start=edges[0],
        end=edges[-1],
        zone=zone,
        bucket=Bucket.DAY,
        starts=tuple(edges[:-1]),
        ends=tuple(edges[1:]),
        complete=(True,) * (len(edges) - 1),
    )
