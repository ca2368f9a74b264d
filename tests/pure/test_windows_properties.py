"""Properties of windows over every zone of the database, against a slow and obvious oracle.

The oracle reads the clock of the zone second by second where something may change, and knows nothing of offset runs.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.pure.windows import Bucket, Unit, Window, between, rolling
from analytics.pure.zones import PROBE_STEP, local_date, local_midnight, zone_names

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST, LAST = datetime(1901, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)
CLOCK_SECONDS = {Bucket.MINUTE: 60, Bucket.FIVE_MINUTES: 300, Bucket.HOUR: 3600}
ZONES = sorted(zone_names())
TRICKY = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Toronto",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Amsterdam",
    "Europe/Dublin",
    "Europe/Stockholm",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
]


@cache
def published_changes(name: str) -> tuple[tuple[datetime, int, int], ...]:
    """(instant, offset before, offset after) of every change of offset since 1900 that the zone's file lists."""
    data = resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    is_ut, is_std, leaps, times, types, letters = struct.unpack(">6l", data[20:44])
    at = 44 + times * 5 + types * 6 + letters + leaps * 8 + is_std + is_ut
    *_, times, types, _ = struct.unpack(">6l", data[at + 20 : at + 44])
    instants = struct.unpack_from(f">{times}q", data, at + 44)
    kinds = data[at + 44 + 8 * times : at + 44 + 9 * times]
    offsets = [struct.unpack_from(">l", data, at + 44 + 9 * times + 6 * n)[0] for n in range(types)]
    before = [offsets[kind] for kind in (0, *kinds)]
    changes = zip(instants, before, before[1:], strict=False)
    return tuple((EPOCH + second * SECOND, a, b) for second, a, b in changes if a != b and second > -2_200_000_000)


def wall(instant: datetime, name: str) -> datetime:
    """What the zone's clock shows."""
    return instant.astimezone(ZoneInfo.no_cache(name)).replace(tzinfo=None)


def seconds_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """`start` and every whole second after it, before `end`."""
    whole = start.replace(microsecond=0)
    yield start
    for n in range(1, int((end - whole) / SECOND) + 1):
        if whole + n * SECOND < end:
            yield whole + n * SECOND


def clock_oracle(start: datetime, end: datetime, name: str, bucket: Bucket) -> list[datetime]:
    """A new bucket at each second at which the offset, or the clock divided by the width, has changed."""
    rules, edges, last = ZoneInfo.no_cache(name), [], None
    for instant in seconds_between(start, end):
        local = instant.astimezone(rules)
        shown = (local.replace(tzinfo=UTC) - FIRST) // (CLOCK_SECONDS[bucket] * SECOND)
        if (shown, local.utcoffset()) != last:
            edges.append(instant)
        last = (shown, local.utcoffset())
    return [*edges, end]


def day_oracle(start: datetime, end: datetime, name: str) -> list[tuple[datetime, date]]:
    """The instants at which a later date than any before is first shown, found minute by minute, then by second."""
    rules, found = ZoneInfo.no_cache(name), []
    # A date that had begun before the window may be hidden at its start, by a clock that was just set back.
    begun = max(instant.astimezone(rules).date() for instant in (*steps(start - DAY, start, MINUTE), start))
    found.append((start, begun))
    for minute in steps(start, end, MINUTE):
        before = min(minute + MINUTE, end)
        if max(minute.astimezone(rules).date(), (before - SECOND).astimezone(rules).date()) > begun:
            for second in steps(minute, before, SECOND):
                shown = second.astimezone(rules).date()
                if shown > begun:
                    begun = shown
                    found.append((second, begun))
    return found


def steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """`start`, `start` + step, ... before `end`, and `end` excluded; at least `start` itself."""
    yield start
    for n in range(1, -((start - end) // step)):
        yield start + n * step


@st.composite
def places(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a whole second in it: near a change of its offset, or anywhere."""
    name = draw(st.sampled_from(TRICKY) | st.sampled_from(ZONES))
    instants = [instant for instant, _, _ in published_changes(name) if FIRST < instant < LAST]
    anywhere = st.integers(0, (LAST - FIRST) // SECOND).map(lambda second: FIRST + second * SECOND)
    if not instants:
        return name, draw(anywhere)
    near = st.sampled_from(instants).flatmap(
        lambda instant: st.integers(-36 * 3600, 36 * 3600).map(lambda second: instant + second * SECOND)
    )
    return name, draw(near | anywhere)


def made(start: datetime, end: datetime, name: str, bucket: Bucket) -> Window:
    """The window under test."""
    return between(start=start, end=end, zone=name, bucket=bucket, now=NOW)


@given(places(), st.sampled_from([*CLOCK_SECONDS]), st.integers(1, 4 * 3600), st.integers(0, 999_999))
@settings(max_examples=150)
def test_clock_buckets_are_what_the_clock_shows(
    place: tuple[str, datetime], bucket: Bucket, seconds: int, micro: int
) -> None:
    """P51, P52, P54: second by second, in every zone, around its changes of offset."""
    name, start = place
    start += timedelta(microseconds=micro)
    end = start + seconds * SECOND
    assert list(made(start, end, name, bucket).edges) == clock_oracle(start, end, name, bucket)


@given(places(), st.integers(1, 6 * 24 * 60))
@example(("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)), 4 * 24 * 60)
@example(("Antarctica/Casey", datetime(2010, 3, 4, 12, tzinfo=UTC)), 24 * 60)
@example(("Pacific/Kwajalein", datetime(1969, 9, 29, tzinfo=UTC)), 4 * 24 * 60)
@settings(max_examples=150)
def test_day_buckets_are_the_dates_that_the_clock_showed(place: tuple[str, datetime], minutes: int) -> None:
    """P50, P52: one bucket per local date that existed, none for another, each from its first second."""
    name, start = place
    end = start + minutes * MINUTE
    days = made(start, end, name, Bucket.DAY)
    expected = day_oracle(start, end, name)
    assert list(days.starts) == [instant for instant, _ in expected]
    assert [local_date(instant=instant, zone_name=name) for instant in days.starts] == [day for _, day in expected]


@given(places(), st.integers(0, 40), st.sampled_from([bucket for bucket in Bucket if bucket is not Bucket.AUTO]))
@settings(max_examples=200)
def test_edges_increase_and_cover_the_window(place: tuple[str, datetime], days: int, bucket: Bucket) -> None:
    """P52: no gap, no overlap, nothing lost: the widths add up to the window."""
    name, start = place
    window = made(start, start + days * DAY // 2 + HOUR, name, bucket)
    assert all(a < b for a, b in pairwise(window.edges))
    assert (window.edges[0], window.edges[-1]) == (window.start, window.end)
    assert window.ends == window.edges[1:]
    assert window.complete == tuple(end <= NOW for end in window.ends)


@given(places(), st.lists(st.integers(0, 10 * 86_400), min_size=1, max_size=10))
@settings(max_examples=150)
def test_the_local_date_of_an_instant_is_that_of_its_day_bucket(
    place: tuple[str, datetime], seconds: list[int]
) -> None:
    """P53: a chart by day and a date computed per item never disagree."""
    name, start = place
    window = made(start, start + 10 * DAY + SECOND, name, Bucket.DAY)
    for instant in (start + second * SECOND for second in seconds):
        begin = max(edge for edge in window.starts if edge <= instant)
        assert local_date(instant=instant, zone_name=name) == local_date(instant=begin, zone_name=name)


@given(
    places(),
    st.sampled_from([Bucket.FIVE_MINUTES, Bucket.HOUR, Bucket.DAY, Bucket.WEEK, Bucket.MONTH, Bucket.QUARTER]),
    st.integers(0, 30 * 86_400),
    st.integers(1, 30 * 86_400),
)
@settings(max_examples=200)
def test_a_sub_window_has_the_big_windows_buckets_clipped(
    place: tuple[str, datetime], bucket: Bucket, skip: int, length: int
) -> None:
    """P53: two charts that overlap agree on every edge they share."""
    name, start = place
    inner_start, inner_end = start + skip * SECOND, start + (skip + length) * SECOND
    big = made(start, start + 60 * DAY, name, bucket)
    shared = [edge for edge in big.edges if inner_start < edge < inner_end]
    assert list(made(inner_start, inner_end, name, bucket).edges) == [inner_start, *shared, inner_end]


@given(places(), st.integers(1, 12))
@settings(max_examples=150)
def test_days_partition_weeks_months_and_quarters(place: tuple[str, datetime], month: int) -> None:
    """Every coarse edge is a day edge, and weeks begin on the first date from Monday on that existed."""
    name, start = place
    end = start + 200 * DAY
    days = set(made(start, end, name, Bucket.DAY).edges)
    for bucket in (Bucket.WEEK, Bucket.MONTH, Bucket.QUARTER):
        window = between(start=start, end=end, zone=name, bucket=bucket, now=NOW, fiscal_year_start_month=month)
        assert days.issuperset(window.edges)
    for edge in made(start, end, name, Bucket.WEEK).starts[1:]:
        monday = local_date(instant=edge, zone_name=name)
        while monday.weekday():
            monday -= DAY
            assert local_midnight(day=monday, zone_name=name) is None


@given(places(), st.sampled_from([*Unit]), st.integers(1, 40))
@example(("Pacific/Apia", datetime(2012, 1, 5, tzinfo=UTC)), Unit.DAY, 30)
@example(("Pacific/Apia", datetime(2011, 12, 30, 12, tzinfo=UTC)), Unit.DAY, 2)
@settings(max_examples=200)
def test_rolling_has_as_many_buckets_as_it_counts(place: tuple[str, datetime], unit: Unit, count: int) -> None:
    """P52: 30 DAY is 30 dates; the last bucket holds now, and cutting the same window gives the same edges."""
    name, now = place
    if (now - datetime(1900, 1, 1, tzinfo=UTC)).days < 100 * count:
        now += 100 * count * DAY
    window = rolling(count=count, unit=unit, zone=name, bucket=Bucket(unit.value), now=now)
    assert len(window.starts) == count
    assert window.starts[-1] <= now < window.end
    wider = made(window.start - DAY, window.end + SECOND, name, Bucket(unit.value))
    assert set(wider.edges).issuperset(window.edges)


@pytest.mark.parametrize("name", TRICKY)
def test_every_published_change_is_an_edge_of_minutes(name: str) -> None:
    """P54: each change of offset is found to the second, whatever its size."""
    for instant, before, after in published_changes(name):
        window = made(instant - 90 * SECOND, instant + 90 * SECOND, name, Bucket.MINUTE)
        assert instant in window.starts
        assert (wall(instant, name) - wall(instant - SECOND, name)) - SECOND == (after - before) * SECOND


def test_no_zone_changes_its_offset_twice_between_two_probes() -> None:
    """What the search for changes relies on: in the files' lists, and by rule in a year after them."""
    step = timedelta(microseconds=PROBE_STEP)
    for name in ZONES:
        listed = [instant for instant, _, _ in published_changes(name)]
        assert all(b - a > step for a, b in pairwise(listed)), name
        rules = ZoneInfo.no_cache(name)
        probes = list(steps(datetime(2150, 1, 1, tzinfo=UTC), datetime(2151, 3, 1, tzinfo=UTC), timedelta(hours=6)))
        offsets = [probe.astimezone(rules).utcoffset() for probe in probes]
        by_rule = [probe for probe, (a, b) in zip(probes, pairwise(offsets), strict=False) if a != b]
        assert all(b - a > step + DAY for a, b in pairwise(by_rule)), name
