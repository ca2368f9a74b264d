"""Segments and starts: exact examples, each worked out by hand from the zone's published rules."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from analytics.pure.segments import Grain, Segment, day_starts, month_starts, segments
from analytics.pure.windows import Bucket, between
from analytics.pure.zones import WindowError

LATER = datetime(2030, 1, 1, tzinfo=UTC)
STOCKHOLM = "Europe/Stockholm"
APIA = "Pacific/Apia"
SHORTER = [Grain.MINUTE, Grain.FIVE_MINUTES, Grain.HOUR]


def utc(text: str) -> datetime:
    """An instant from ISO text without an offset, read as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(instant: datetime) -> str:
    """As short as the instant allows."""
    return instant.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


def cut(
    edges: Sequence[str],
    *,
    since: str,
    zone: str = STOCKHOLM,
    breaks: Sequence[str] = (),
    grains: Collection[Grain] = tuple(Grain),
    kept: Mapping[Grain, str] | None = None,
) -> list[str]:
    """The segments of edges given as text, as text."""
    made = segments(
        edges=[utc(edge) for edge in edges],
        zone=zone,
        breaks=[utc(each) for each in breaks],
        grains=grains,
        since=utc(since),
        available_since={grain: utc(text) for grain, text in (kept or {}).items()},
    )
    return [f"{each.grain.name if each.grain else None} {shown(each.start)} - {shown(each.end)}" for each in made]


def test_each_grain_fills_what_the_coarser_one_leaves() -> None:
    """History opens with the month that holds it; then days, hours, five minutes, minutes and the facts of one minute."""
    assert cut(["2026-03-10T12:37:20"], since="2025-11-20T08:15") == [
        "MONTH 2025-10-31 23:00 - 2026-02-28 23:00",
        "DAY 2026-02-28 23:00 - 2026-03-09 23:00",
        "HOUR 2026-03-09 23:00 - 2026-03-10 12:00",
        "FIVE_MINUTES 2026-03-10 12:00 - 2026-03-10 12:35",
        "MINUTE 2026-03-10 12:35 - 2026-03-10 12:37",
        "None 2026-03-10 12:37 - 2026-03-10 12:37:20",
    ]


def test_after_an_edge_grains_grow_again() -> None:
    """The same on the way up: every row lies on one side of the edge at 12:37:20."""
    assert cut(["2026-03-10T12:37:20", "2026-04-30T22:00"], since="2026-03-10T12:36:30") == [
        "MINUTE 2026-03-10 12:36 - 2026-03-10 12:37",
        "None 2026-03-10 12:37 - 2026-03-10 12:38",
        "MINUTE 2026-03-10 12:38 - 2026-03-10 12:40",
        "FIVE_MINUTES 2026-03-10 12:40 - 2026-03-10 13:00",
        "HOUR 2026-03-10 13:00 - 2026-03-10 23:00",
        "DAY 2026-03-10 23:00 - 2026-03-31 22:00",
        "MONTH 2026-03-31 22:00 - 2026-04-30 22:00",
    ]


@pytest.mark.parametrize(
    ("since", "opening"),
    [
        ("2026-01-31T22:59:59", "2025-12-31 23:00"),
        ("2026-01-31T23:00", "2026-01-31 23:00"),
        ("1955-07-04T12:00", "1955-06-30 23:00"),
    ],
)
def test_the_month_of_opening_history_is_used_whole(since: str, opening: str) -> None:
    """Nothing happened before, so its row holds nothing else."""
    assert cut(["2026-02-28T23:00"], since=since) == [f"MONTH {opening} - 2026-02-28 23:00"]


def test_history_that_opens_after_an_edge_takes_no_row_from_before_it() -> None:
    """A month that begins before the edge would count for the wrong interval; days do, and then hours."""
    assert cut(["2026-01-31T23:00", "2026-03-04T10:00", "2026-03-05T23:00"], since="2026-03-04T10:20") == [
        "HOUR 2026-03-04 10:00 - 2026-03-04 23:00",
        "DAY 2026-03-04 23:00 - 2026-03-05 23:00",
    ]
    assert cut(["2026-03-04T10:10:30", "2026-03-04T11:00"], since="2026-03-04T10:10:40") == [
        "None 2026-03-04 10:10:40 - 2026-03-04 10:11",
        "MINUTE 2026-03-04 10:11 - 2026-03-04 10:15",
        "FIVE_MINUTES 2026-03-04 10:15 - 2026-03-04 11:00",
    ]


@pytest.mark.parametrize("since", ["2026-02-28T23:00", "2026-03-01T00:00"])
def test_without_time_there_is_no_segment(since: str) -> None:
    """History that has not begun when the window ends."""
    assert cut(["2026-01-31T23:00", "2026-02-28T23:00"], since=since) == []
    assert cut([], since=since) == []


def test_365_days_of_the_same_zone_are_one_segment() -> None:
    """P52: over both clock changes, and one edge alone decides nothing about its neighbours."""
    window = between(
        start=utc("2025-03-14T23:00"), end=utc("2026-03-14T23:00"), zone=STOCKHOLM, bucket=Bucket.DAY, now=LATER
    )
    assert len(window.starts) == 365
    assert cut([edge.isoformat()[:19] for edge in window.edges], since="2020-05-05T05:05") == [
        "MONTH 2020-04-30 22:00 - 2025-02-28 23:00",
        "DAY 2025-02-28 23:00 - 2026-03-14 23:00",
    ]


def test_days_of_another_zone_are_read_in_hours_and_half_hours_in_five_minutes() -> None:
    """P51: days of Kolkata end at 18:30 UTC, where no hour and no day of Stockholm ends."""
    days = ["2026-03-10T18:30", "2026-03-11T18:30"]
    assert cut(days, since="2026-03-10T00:00") == [
        "HOUR 2026-03-10 00:00 - 2026-03-10 18:00",
        "FIVE_MINUTES 2026-03-10 18:00 - 2026-03-10 19:00",
        "HOUR 2026-03-10 19:00 - 2026-03-11 18:00",
        "FIVE_MINUTES 2026-03-11 18:00 - 2026-03-11 18:30",
    ]
    assert cut(days, since="2026-03-10T00:00", zone="Asia/Kolkata") == ["DAY 2026-03-09 18:30 - 2026-03-11 18:30"]


def test_a_date_that_never_existed_has_no_rows_and_leaves_no_gap() -> None:
    """P52: Apia went from 29 to 31 December 2011 at 10:00 UTC."""
    assert cut(["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"], since="2011-12-29T10:00", zone=APIA) == [
        "DAY 2011-12-29 10:00 - 2011-12-31 10:00"
    ]


def test_an_edge_that_is_a_break_forces_no_finer_grain() -> None:
    """The month's rows on both sides of it are whole."""
    edge = "2026-03-10T12:37:20"
    assert cut([edge, "2026-03-31T22:00"], since="2026-01-05T00:00", breaks=[edge]) == [
        "MONTH 2025-12-31 23:00 - 2026-03-31 22:00"
    ]


def test_a_break_between_edges_is_a_place_to_begin() -> None:
    """The edge at 12:37 cuts the rows up to the break at 12:37:20, and none after it."""
    made = cut(["2026-03-10T12:37", "2026-03-31T22:00"], since="2026-03-10T12:37", breaks=["2026-03-10T12:37:20"])
    assert made == ["MINUTE 2026-03-10 12:37 - 2026-03-10 12:37:20", "MONTH 2026-03-10 12:37:20 - 2026-03-31 22:00"]


def test_a_unit_that_begins_before_the_drop_is_made_of_finer_rows_or_of_facts() -> None:
    """Minutes are there from 12:33 on, five minutes from 12:35 on, hours from 12:00 on: 12:33 to 12:35 in minutes."""
    kept = {Grain.MINUTE: "2026-03-10T12:32:30", Grain.FIVE_MINUTES: "2026-03-10T12:35", Grain.HOUR: "2026-03-10T12:01"}
    assert cut(["2026-03-10T12:20", "2026-03-10T14:00"], since="2026-03-10T12:10", grains=SHORTER, kept=kept) == [
        "None 2026-03-10 12:10 - 2026-03-10 12:33",
        "MINUTE 2026-03-10 12:33 - 2026-03-10 12:35",
        "FIVE_MINUTES 2026-03-10 12:35 - 2026-03-10 13:00",
        "HOUR 2026-03-10 13:00 - 2026-03-10 14:00",
    ]


def test_where_days_were_dropped_months_reach_to_the_end_of_their_month() -> None:
    """Days are gone until 15 January: that month is one row, unless an edge cuts it."""
    kept: dict[Grain, str] = {grain: "2026-01-14T23:00" for grain in Grain if grain is not Grain.MONTH}
    assert cut(["2026-02-04T23:00"], since="2025-11-20T00:00", kept=kept) == [
        "MONTH 2025-10-31 23:00 - 2026-01-31 23:00",
        "DAY 2026-01-31 23:00 - 2026-02-04 23:00",
    ]
    assert cut(["2026-01-19T23:00", "2026-02-04T23:00"], since="2025-11-20T00:00", kept=kept) == [
        "MONTH 2025-10-31 23:00 - 2025-12-31 23:00",
        "None 2025-12-31 23:00 - 2026-01-14 23:00",
        "DAY 2026-01-14 23:00 - 2026-02-04 23:00",
    ]


def test_days_that_begin_within_a_minute_are_used_only_where_an_edge_meets_them() -> None:
    """Until 7 January 1972 days of Monrovia began at 00:44:30 UTC. No minute ends there, so hours go on instead."""
    zone = "Africa/Monrovia"
    assert cut(["1971-12-05T00:00", "1972-01-09T00:00"], since="1971-12-01T12:00", zone=zone) == [
        "HOUR 1971-12-01 12:00 - 1972-01-08 00:00",
        "DAY 1972-01-08 00:00 - 1972-01-09 00:00",
    ]
    assert cut(["1971-12-05T00:44:30", "1972-01-09T00:00"], since="1971-10-20T12:00", zone=zone) == [
        "MONTH 1971-10-01 00:44:30 - 1971-12-01 00:44:30",
        "DAY 1971-12-01 00:44:30 - 1972-01-09 00:00",
    ]
    # Between an edge that minutes meet and one that days meet, half a minute of facts cannot be helped.
    assert cut(["1971-12-05T00:00", "1971-12-08T00:44:30"], since="1971-12-01T12:00", zone=zone) == [
        "HOUR 1971-12-01 12:00 - 1971-12-05 00:00",
        "FIVE_MINUTES 1971-12-05 00:00 - 1971-12-05 00:40",
        "MINUTE 1971-12-05 00:40 - 1971-12-05 00:44",
        "None 1971-12-05 00:44 - 1971-12-05 00:44:30",
        "DAY 1971-12-05 00:44:30 - 1971-12-08 00:44:30",
    ]


def test_days_on_the_half_hour_are_used_though_hours_are_the_finest() -> None:
    """Half an hour of facts costs less than a month of hours."""
    grains = [Grain.HOUR, Grain.DAY]
    assert cut(["2026-03-10T00:00"], since="2026-02-10T00:00", zone="Asia/Kolkata", grains=grains) == [
        "DAY 2026-02-09 18:30 - 2026-03-09 18:30",
        "None 2026-03-09 18:30 - 2026-03-09 19:00",
        "HOUR 2026-03-09 19:00 - 2026-03-10 00:00",
    ]


def test_without_rows_there_are_the_facts() -> None:
    """From the first of them to the end."""
    made = segments(edges=[utc("2026-01-01")], zone="UTC", breaks=[], grains=[], since=utc("2025-01-01"))
    assert made == [Segment(grain=None, start=utc("2025-01-01"), end=utc("2026-01-01"))]


def test_50_000_minutes_are_one_segment() -> None:
    """Eighty years before the first edge are months, then what leads to the minutes."""
    first = utc("2026-03-10T12:31")
    edges = [first + n * timedelta(minutes=1) for n in range(50_001)]
    made = segments(edges=edges, zone=STOCKHOLM, breaks=[], grains=list(Grain), since=utc("1946-03-10"))
    assert [(each.grain, shown(each.start)) for each in made] == [
        (Grain.MONTH, "1946-02-28 23:00"),
        (Grain.DAY, "2026-02-28 23:00"),
        (Grain.HOUR, "2026-03-09 23:00"),
        (Grain.FIVE_MINUTES, "2026-03-10 12:00"),
        (Grain.MINUTE, "2026-03-10 12:30"),
    ]
    assert made[-1].end == edges[-1]


def test_an_unknown_zone_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(WindowError, match="'Europe/Stokholm' is not known"):
        cut(["2026-01-01"], since="2025-01-01", zone="Europe/Stokholm")


def starts(made: list[datetime]) -> list[str]:
    """The instants as text."""
    return [shown(each) for each in made]


def test_day_starts_begin_with_the_day_that_holds_the_start() -> None:
    """P52: days of 24, 23 and 24 hours; the end belongs to none of them."""
    begin, end = utc("2026-03-28T12:00"), utc("2026-03-30T22:00")
    expected = ["2026-03-27 23:00", "2026-03-28 23:00", "2026-03-29 22:00"]
    assert starts(day_starts(start=begin, end=end, zone=STOCKHOLM)) == expected
    later = end + timedelta(microseconds=1)
    assert starts(day_starts(start=begin, end=later, zone=STOCKHOLM)) == [*expected, "2026-03-30 22:00"]
    assert starts(day_starts(start=utc(expected[1]), end=utc(expected[2]), zone=STOCKHOLM)) == [expected[1]]
    assert day_starts(start=end, end=end, zone=STOCKHOLM) == []


def test_a_date_that_never_existed_has_no_start() -> None:
    """P52: Kiritimati had no 31 December 1994, so its year ended a day early; Apia had no 30 December 2011."""
    made = day_starts(start=utc("1994-12-29T12:00"), end=utc("1995-01-01T12:00"), zone="Pacific/Kiritimati")
    assert starts(made) == ["1994-12-29 10:00", "1994-12-30 10:00", "1994-12-31 10:00", "1995-01-01 10:00"]
    made = day_starts(start=utc("2011-12-29T10:00"), end=utc("2011-12-31T10:00"), zone=APIA)
    assert starts(made) == ["2011-12-29 10:00", "2011-12-30 10:00"]


def test_a_midnight_that_was_skipped_or_came_twice() -> None:
    """P52: Havana's clock skips midnight in March, and passes it twice in November: the first counts."""
    made = day_starts(start=utc("2025-03-09T05:00"), end=utc("2025-03-10T04:00"), zone="America/Havana")
    assert starts(made) == ["2025-03-09 05:00"]
    made = day_starts(start=utc("2025-11-02T05:30"), end=utc("2025-11-03T05:00"), zone="America/Havana")
    assert starts(made) == ["2025-11-02 04:00"]


def test_month_starts_begin_with_the_month_that_holds_the_start() -> None:
    """New year in UTC is not that of the zone: Honolulu is still in December."""
    made = month_starts(start=utc("2026-01-01T05:00"), end=utc("2026-03-01T10:00"), zone="Pacific/Honolulu")
    assert starts(made) == ["2025-12-01 10:00", "2026-01-01 10:00", "2026-02-01 10:00"]
    made = month_starts(start=utc("2025-12-31T12:00"), end=utc("2025-12-31T20:00"), zone=APIA)
    assert starts(made) == ["2025-12-31 11:00"]


def test_a_century_has_each_of_its_days() -> None:
    """1926 to 2025 with 25 leap years."""
    made = day_starts(start=utc("1926-01-01"), end=utc("2026-01-01"), zone="UTC")
    assert len(made) == 36_525
    assert len(month_starts(start=utc("1926-01-01"), end=utc("2026-01-01"), zone="UTC")) == 1_200
