"""Properties of segments over every zone of the database, against a brute-force model of stored rows.

The model gives each fact a row in every grain, reads the rows that the segments name, and counts by interval.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain, pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.pure.segments import Grain, Segment, day_starts, month_starts, segments
from analytics.pure.windows import Bucket, between
from analytics.pure.zones import first_instant, local_date, zone_names

MICRO = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WIDTHS = {Grain.MINUTE: MINUTE, Grain.FIVE_MINUTES: 5 * MINUTE, Grain.HOUR: HOUR}
ZONES = sorted(zone_names())
# Clocks that change at or over midnight, by half an hour, by a day; and clocks that are not on the hour.
TRICKY = [
    "Africa/Monrovia",
    "America/Havana",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Amsterdam",
    "Europe/Stockholm",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
]
# Clock changes, Apia's and Kwajalein's lost dates, Monrovia's last odd days, a new year; and before 1937 odd seconds.
MOMENTS = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2025, 11, 2, tzinfo=UTC),
    datetime(2011, 12, 30, tzinfo=UTC),
    datetime(1969, 9, 30, tzinfo=UTC),
    datetime(1972, 1, 7, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(1919, 4, 1, tzinfo=UTC),
]


@dataclass(frozen=True)
class Question:
    """The arguments of `segments`."""

    edges: list[datetime]
    zone: str
    breaks: list[datetime]
    grains: list[Grain]
    since: datetime
    available_since: dict[Grain, datetime]

    def answer(self) -> list[Segment]:
        """The segments under test."""
        return segments(
            edges=self.edges,
            zone=self.zone,
            breaks=self.breaks,
            grains=self.grains,
            since=self.since,
            available_since=self.available_since,
        )

    def interval(self, instant: datetime) -> int:
        """The number of the interval between edges that holds the instant."""
        return bisect_right(self.edges, instant)


def month_after(day: date) -> date:
    """The first of the next month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def unit(instant: datetime, grain: Grain, zone: str) -> tuple[datetime, datetime]:
    """The unit that holds the instant."""
    if grain in WIDTHS:
        start = instant - (instant - EPOCH) % WIDTHS[grain]
        return start, start + WIDTHS[grain]
    day = local_date(instant=instant, zone_name=zone)
    first, after = (day, day + DAY) if grain is Grain.DAY else (day.replace(day=1), month_after(day))
    return first_instant(day=first, zone_name=zone), first_instant(day=after, zone_name=zone)


def row(instant: datetime, grain: Grain, asked: Question) -> tuple[datetime, datetime]:
    """From where to where the row that holds the instant reaches; it begins with its bucket."""
    start, end = unit(instant, grain, asked.zone)
    return (
        max(start, *(each for each in asked.breaks if each <= instant), start),
        min(end, *(each for each in asked.breaks if each > instant), end),
    )


def held(fact: datetime, segment: Segment, asked: Question) -> int | None:
    """The interval for which the segment counts the fact, if it does."""
    place = fact if segment.grain is None else row(fact, segment.grain, asked)[0]
    return asked.interval(place) if segment.start <= place < segment.end else None


near = st.builds(
    lambda moment, step, count: moment + count * step,
    st.sampled_from(MOMENTS),
    st.sampled_from([SECOND, MINUTE, 15 * MINUTE, HOUR, DAY]),
    st.integers(-60, 60),
)


@st.composite
def instants(draw: st.DrawFn, zone: str, near_to: datetime) -> datetime:
    """Some instant within three months, often where a unit begins, sometimes within a minute."""
    step = draw(st.sampled_from([MICRO, SECOND, MINUTE, 5 * MINUTE, HOUR, DAY]))
    chosen = near_to + draw(st.integers(-90, 90)) * step
    grain = draw(st.none() | st.sampled_from(list(Grain)))
    return chosen if grain is None else unit(chosen, grain, zone)[draw(st.integers(0, 1))]


@st.composite
def questions(draw: st.DrawFn, *, whole: bool = False, dropped: bool = True) -> Question:
    """Any question; with `whole` each edge is a whole minute or a break, and minutes are there."""
    zone = draw(st.sampled_from(TRICKY) | st.sampled_from(ZONES))
    moment = draw(near)
    some = instants(zone, moment)
    edges = draw(st.lists(some, min_size=1, max_size=6, unique=True))
    breaks = draw(st.lists(some | st.sampled_from(edges), max_size=4))
    if whole:
        breaks += [each for each in edges if (each - EPOCH) % MINUTE and draw(st.booleans())]
        edges = list({each if each in breaks else each - (each - EPOCH) % MINUTE for each in edges})
    grains = draw(st.lists(st.sampled_from(list(Grain)), unique=True) | st.just(list(Grain)))
    since = draw(some | st.integers(0, 3000).map(lambda days: moment - days * DAY))
    kept = draw(st.dictionaries(st.sampled_from(list(Grain)), some, max_size=3 if dropped else 0))
    if whole:
        grains = [*{*grains, Grain.MINUTE}]
        kept.pop(Grain.MINUTE, None)
    return Question(sorted(edges), zone, breaks, grains, since, kept)


def facts_around(asked: Question) -> Iterator[datetime]:
    """Facts at and just before every place where rows, intervals and segments begin, and between them."""
    marks = {*asked.edges, *asked.breaks, asked.since, *chain(*((each.start, each.end) for each in asked.answer()))}
    marks |= {each for mark in list(marks) for grain in Grain for each in row(mark, grain, asked)}
    marks |= {a + (b - a) / 2 for a, b in pairwise(sorted(marks))}
    return (fact for mark in marks for fact in (mark - MICRO, mark, mark + MICRO) if fact >= asked.since)


@given(questions())
@settings(max_examples=400)
def test_rows_of_the_segments_are_the_facts_of_each_interval(asked: Question) -> None:
    """P52, P54: each fact counts once, and for the interval in which it happened; none after the end counts."""
    made, facts = asked.answer(), list(facts_around(asked))
    read = Counter((fact, at) for fact in facts for each in made if (at := held(fact, each, asked)) is not None)
    assert read == Counter((fact, asked.interval(fact)) for fact in facts if fact < asked.edges[-1])


@given(questions())
@settings(max_examples=200)
def test_segments_touch_and_neighbours_differ(asked: Question) -> None:
    """From the history's beginning, or the start of the unit that holds it, to the last edge."""
    made = asked.answer()
    assert bool(made) == (asked.since < asked.edges[-1])
    assert all(a.end == b.start and a.grain != b.grain for a, b in pairwise(made))
    assert all(each.start < each.end and each.grain in {None, *asked.grains} for each in made)
    if made:
        first = made[0].grain
        assert made[0].start == (asked.since if first is None else row(asked.since, first, asked)[0])
        assert made[-1].end == asked.edges[-1]


@given(questions())
@settings(max_examples=200)
def test_no_row_is_read_that_was_dropped(asked: Question) -> None:
    """The unit of a segment's first row begins when its grain was kept already; later rows follow it."""
    for each in asked.answer():
        if each.grain in asked.available_since:
            assert unit(each.start, each.grain, asked.zone)[0] >= asked.available_since[each.grain]


@given(questions(whole=True))
@settings(max_examples=300)
def test_whole_minutes_and_breaks_never_need_the_facts(asked: Question) -> None:
    """Also where days begin within a minute, and where coarser rows were dropped."""
    assert None not in [each.grain for each in asked.answer()]


@given(questions(dropped=False))
@settings(max_examples=200)
def test_no_coarser_row_would_fit(asked: Question) -> None:
    """Around each end of a segment: a whole row of one interval is not made of finer rows alone."""
    # Before 1973 a day that begins within a minute is passed over.
    assume(min(asked.edges[0], asked.since) > datetime(1973, 1, 1, tzinfo=UTC))
    made = asked.answer()
    for each in made:
        coarser = [grain for grain in asked.grains if each.grain is None or grain > each.grain]
        for place in (max(each.start, asked.since), each.start + (each.end - each.start) / 2, each.end - MICRO):
            for grain in coarser if place >= asked.since else []:
                start, end = row(place, grain, asked)
                parts = [other.grain for other in made if other.start < end and start < other.end]
                coarse_enough = any(part is not None and part >= grain for part in parts)
                assert coarse_enough or asked.interval(start) != asked.interval(end - MICRO) or end > asked.edges[-1]


@given(st.sampled_from(TRICKY) | st.sampled_from(ZONES), near, st.integers(0, 4000))
@settings(max_examples=100)
def test_a_year_of_days_is_read_in_days(zone: str, moment: datetime, before: int) -> None:
    """P52: whatever the clock did, no row is finer than a day, and the history before is months and days."""
    start = unit(moment, Grain.DAY, zone)[0]
    window = between(start=start, end=start + 365 * DAY, zone=zone, bucket=Bucket.DAY, now=NOW)
    made = segments(edges=window.starts, zone=zone, breaks=[], grains=list(Grain), since=start - before * DAY)
    assert {each.grain for each in made} <= {Grain.DAY, Grain.MONTH}
    assert [each.grain for each in made if each.end > start] in ([Grain.DAY], [Grain.MONTH, Grain.DAY])


@given(st.sampled_from(TRICKY) | st.sampled_from(ZONES), near, st.integers(1, 100 * 86_400))
@settings(max_examples=200)
def test_starts_are_those_of_each_instant_of_the_span(zone: str, start: datetime, seconds: int) -> None:
    """P53: the day of an instant, found among the starts, is its local date; and the month."""
    end = start + seconds * SECOND
    for grain, made in (
        (Grain.DAY, day_starts(start=start, end=end, zone=zone)),
        (Grain.MONTH, month_starts(start=start, end=end, zone=zone)),
    ):
        expected, at = [unit(start, grain, zone)[0]], unit(start, grain, zone)[1]
        while at < end:
            expected.append(at)
            at = unit(at, grain, zone)[1]
        assert made == expected
