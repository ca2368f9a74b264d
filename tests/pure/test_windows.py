"""Windows and buckets: exact examples, each worked out by hand from the zone's published rules."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.pure.windows import Bucket, Unit, Window, between, quarter_label, rolling
from analytics.pure.zones import dates, local_date, local_midnight, tzdata_version, zone

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def utc(text: str) -> datetime:
    """An instant from ISO text without an offset, read as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(start: str, end: str, zone: str, bucket: Bucket, **other: int) -> Window:
    """A window between two UTC texts, seen long after it ended."""
    return between(start=utc(start), end=utc(end), zone=zone, bucket=bucket, now=LATER, **other)


def starts(made: Window) -> list[str]:
    """The bucket starts as short UTC texts."""
    return [start.strftime("%m-%d %H:%M:%S") for start in made.starts]


def hours(made: Window) -> list[float]:
    """The width of each bucket in hours."""
    return [(end - start) / timedelta(hours=1) for start, end in zip(made.starts, made.ends, strict=True)]


LOCAL_MIDNIGHTS = [
    ("Europe/Stockholm", date(2026, 1, 15), "2026-01-14T23:00:00", 24),
    ("Europe/Stockholm", date(2026, 3, 29), "2026-03-28T23:00:00", 23),
    ("Europe/Stockholm", date(2025, 10, 26), "2025-10-25T22:00:00", 25),
    ("Europe/Dublin", date(2026, 3, 29), "2026-03-29T00:00:00", 23),
    ("Europe/Dublin", date(2025, 10, 26), "2025-10-25T23:00:00", 25),
    ("Europe/Dublin", date(1910, 1, 1), "1910-01-01T00:25:21", 24),
    ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00:00", 24),
    ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00:00", 24),
    ("America/Havana", date(2025, 3, 9), "2025-03-09T05:00:00", 23),
    ("America/Havana", date(2025, 11, 2), "2025-11-02T04:00:00", 25),
    ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30:00", 23.5),
    ("Africa/Cairo", date(2023, 4, 28), "2023-04-27T22:00:00", 23),
    ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00", 23),
    ("America/Sao_Paulo", date(2018, 2, 17), "2018-02-17T02:00:00", 25),
    ("Africa/Casablanca", date(2023, 3, 19), "2023-03-18T23:00:00", 25),
    ("Africa/Casablanca", date(2023, 4, 23), "2023-04-23T00:00:00", 23),
    ("Africa/Monrovia", date(1972, 1, 6), "1972-01-06T00:44:30", 24),
    ("Africa/Monrovia", date(1972, 1, 7), "1972-01-07T00:44:30", 23 + 15.5 / 60),
    ("Antarctica/Troll", date(2026, 3, 29), "2026-03-29T00:00:00", 22),
    ("Antarctica/Troll", date(2025, 10, 26), "2025-10-25T22:00:00", 26),
    ("Australia/Lord_Howe", date(2025, 4, 6), "2025-04-05T13:00:00", 24.5),
    ("Australia/Lord_Howe", date(2025, 10, 5), "2025-10-04T13:30:00", 23.5),
    ("Asia/Kathmandu", date(1986, 1, 1), "1985-12-31T18:30:00", 23.75),
    ("Pacific/Chatham", date(2025, 4, 6), "2025-04-05T10:15:00", 25),
    ("Pacific/Kwajalein", date(1969, 9, 30), "1969-09-29T13:00:00", 47),
]


@pytest.mark.parametrize(("name", "day", "begins", "length"), LOCAL_MIDNIGHTS)
def test_a_local_day_begins_and_ends_at_local_midnights(name: str, day: date, begins: str, length: float) -> None:
    """P50, P52: the day starts at the first valid instant of its date and has the length the clock gave it."""
    begin = utc(begins)
    end = begin + timedelta(hours=length)
    assert local_midnight(day=day, zone_name=name) == begin
    made = between(start=begin, end=end, zone=name, bucket=Bucket.DAY, now=LATER)
    assert made.edges == (begin, end)
    around = between(
        start=begin - timedelta(hours=1), end=end + timedelta(hours=1), zone=name, bucket=Bucket.DAY, now=LATER
    )
    assert around.edges == (begin - timedelta(hours=1), begin, end, end + timedelta(hours=1))


HOUR_EDGES = [
    # 02:00 +11 goes back to 01:30 +10:30: local hour 1 comes twice, the second time for half an hour.
    ("Australia/Lord_Howe", "2025-04-05T14:00", "2025-04-05T16:30", ["14:00", "15:00", "15:30"]),
    # 02:00 +10:30 goes on to 02:30 +11: local hour 2 has half an hour.
    ("Australia/Lord_Howe", "2025-10-04T14:30", "2025-10-04T17:00", ["14:30", "15:30", "16:00"]),
    # 01:00 +00 goes on to 03:00 +02: two local hours are skipped, no UTC hour is.
    ("Antarctica/Troll", "2026-03-29T00:00", "2026-03-29T03:00", ["00:00", "01:00", "02:00"]),
    ("Asia/Kolkata", "2026-03-29T00:00", "2026-03-29T02:30", ["00:00", "00:30", "01:30"]),
    ("Asia/Kathmandu", "2026-03-29T00:15", "2026-03-29T02:15", ["00:15", "01:15"]),
    ("Asia/Tehran", "2026-03-29T00:30", "2026-03-29T02:30", ["00:30", "01:30"]),
    ("Pacific/Chatham", "2025-06-05T12:15", "2025-06-05T14:15", ["12:15", "13:15"]),
    # 03:45 +13:45 goes back to 02:45 +12:45: the quarter hour that is left of local hour 2 comes again, then hour 3.
    ("Pacific/Chatham", "2025-04-05T12:15", "2025-04-05T16:15", ["12:15", "13:15", "14:00", "14:15", "15:15"]),
    # 00:01 -02:30 goes back to 23:01 -03:30: the minute of the new date is a bucket of its own.
    ("America/St_Johns", "2010-11-07T01:30", "2010-11-07T04:30", ["01:30", "02:30", "02:31", "03:30"]),
]


@pytest.mark.parametrize(("name", "start", "end", "expected"), HOUR_EDGES)
def test_hours_follow_the_local_clock(name: str, start: str, end: str, expected: list[str]) -> None:
    """P51, P52: half-hour and 45-minute zones; a doubled hour gives two buckets, a skipped one none."""
    made = window(start, end, name, Bucket.HOUR)
    assert [instant.strftime("%H:%M") for instant in made.starts] == expected
    assert made.ends == (*made.starts[1:], utc(end))


def test_a_25_hour_day_has_25_hours_and_a_23_hour_day_23() -> None:
    """P52: every hour is one elapsed hour, in the doubled hour too."""
    assert hours(window("2025-10-25T22:00", "2025-10-26T23:00", "Europe/Stockholm", Bucket.HOUR)) == [1.0] * 25
    assert hours(window("2026-03-28T23:00", "2026-03-29T22:00", "Europe/Stockholm", Bucket.HOUR)) == [1.0] * 23


def test_minutes_of_an_offset_with_seconds_are_not_rounded() -> None:
    """Monrovia was at -00:44:30 until 1972-01-07: its minutes began at half past the UTC minute."""
    made = window("1972-01-07T00:42:00", "1972-01-07T00:47:00", "Africa/Monrovia", Bucket.MINUTE)
    minutes = ["42:00", "42:30", "43:30", "44:30", "45:00", "46:00"]
    assert starts(made) == [f"01-07 00:{minute}" for minute in minutes]


def test_five_minutes_follow_the_local_clock() -> None:
    """A window that starts inside a bucket clips it; the next begins at a local five minutes."""
    made = window("2026-05-05T10:03:10", "2026-05-05T10:12", "Asia/Kathmandu", Bucket.FIVE_MINUTES)
    assert starts(made) == ["05-05 10:03:10", "05-05 10:05:00", "05-05 10:10:00"]
    assert made.ends[-1] == utc("2026-05-05T10:12")


def test_a_date_that_never_existed_has_no_bucket() -> None:
    """P52: Apia went from 29 to 31 December 2011."""
    assert local_midnight(day=date(2011, 12, 30), zone_name="Pacific/Apia") is None
    made = window("2011-12-26T10:00", "2012-01-01T10:00", "Pacific/Apia", Bucket.DAY)
    assert [local_date(instant=start, zone_name="Pacific/Apia").day for start in made.starts] == [26, 27, 28, 29, 31, 1]
    assert hours(made) == [24.0] * 6
    week = between(start=made.start, end=made.end, zone="Pacific/Apia", bucket=Bucket.WEEK, now=LATER)
    assert week.edges == (utc("2011-12-26T10:00"), utc("2012-01-01T10:00"))


def test_rolling_days_count_dates_that_existed() -> None:
    """Three days back from 31 December 2011 in Apia begin on the 28th."""
    made = rolling(count=3, unit=Unit.DAY, zone="Pacific/Apia", bucket=Bucket.DAY, now=utc("2011-12-30T12:00"))
    assert starts(made) == ["12-28 10:00:00", "12-29 10:00:00", "12-30 10:00:00"]
    two = rolling(count=2, unit=Unit.DAY, zone="Pacific/Apia", bucket=Bucket.DAY, now=utc("2011-12-30T12:00"))
    assert starts(two) == ["12-29 10:00:00", "12-30 10:00:00"]


def test_a_date_once_begun_stays_when_the_clock_goes_back_over_midnight() -> None:
    """P53: St John's went from 00:01 on 7 November 2010 back to 23:01 on the 6th; day charts and dates agree."""
    dates = {
        "2010-11-07T02:29:59": 6,  # 23:59:59
        "2010-11-07T02:30:00": 7,  # 00:00:00, the first one
        "2010-11-07T02:45:00": 7,  # 23:15 again
        "2010-11-07T03:30:00": 7,  # 00:00:00, the second one
    }
    assert {at: local_date(instant=utc(at), zone_name="America/St_Johns").day for at in dates} == dates
    made = window("2010-11-06T02:30", "2010-11-08T03:30", "America/St_Johns", Bucket.DAY)
    assert starts(made) == ["11-06 02:30:00", "11-07 02:30:00"]


def test_the_offset_is_taken_per_instant() -> None:
    """P54: one window has winter and summer midnights."""
    made = window("2026-01-31T23:00", "2026-06-30T22:00", "Europe/Stockholm", Bucket.MONTH)
    assert starts(made) == [
        "01-31 23:00:00",
        "02-28 23:00:00",
        "03-31 22:00:00",
        "04-30 22:00:00",
        "05-31 22:00:00",
    ]


def test_the_day_rolls_over_in_the_zone_of_the_window() -> None:
    """P50: 23:30 UTC is tomorrow in Stockholm and today in New York."""
    at = utc("2026-06-10T23:30")
    assert local_date(instant=at, zone_name="Europe/Stockholm") == date(2026, 6, 11)
    assert local_date(instant=at, zone_name="America/New_York") == date(2026, 6, 10)


def test_two_callers_get_the_same_buckets_for_the_same_window() -> None:
    """P53: the offset that an argument is written in does not matter, and the zone is in the answer."""
    stockholm = between(
        start=datetime.fromisoformat("2026-06-01T00:00:00+02:00"),
        end=datetime.fromisoformat("2026-06-04T00:00:00+02:00"),
        zone="Europe/Stockholm",
        bucket=Bucket.DAY,
        now=LATER,
    )
    assert stockholm == window("2026-05-31T22:00", "2026-06-03T22:00", "Europe/Stockholm", Bucket.DAY)
    assert stockholm.zone == "Europe/Stockholm"
    assert stockholm.start.tzinfo is UTC


def test_a_window_clips_its_first_and_last_bucket() -> None:
    """A window inside one day is one bucket; over a midnight it is two."""
    inside = window("2026-05-05T10:00", "2026-05-05T11:00", "Europe/Stockholm", Bucket.DAY)
    assert inside.edges == (utc("2026-05-05T10:00"), utc("2026-05-05T11:00"))
    over = window("2026-05-05T10:00", "2026-05-06T11:00:00.000001", "Europe/Stockholm", Bucket.DAY)
    assert over.edges == (utc("2026-05-05T10:00"), utc("2026-05-05T22:00"), utc("2026-05-06T11:00:00.000001"))


def test_a_bucket_is_complete_once_its_end_has_come() -> None:
    """The end is not part of the bucket, so it is complete at that very instant and not a microsecond before."""
    end = utc("2026-05-06T22:00")
    for now, expected in ((end, (True, True)), (end - timedelta(microseconds=1), (True, False))):
        made = between(start=utc("2026-05-04T22:00"), end=end, zone="Europe/Stockholm", bucket=Bucket.DAY, now=now)
        assert made.complete == expected


ROLLING = [
    (30, Unit.DAY, "2026-02-27T23:00", "2026-03-29T22:00"),
    (1, Unit.DAY, "2026-03-28T23:00", "2026-03-29T22:00"),
    (1, Unit.MINUTE, "2026-03-29T12:34", "2026-03-29T12:35"),
    (60, Unit.MINUTE, "2026-03-29T11:35", "2026-03-29T12:35"),
    (24, Unit.HOUR, "2026-03-28T13:00", "2026-03-29T13:00"),
    (1, Unit.WEEK, "2026-03-22T23:00", "2026-03-29T22:00"),
    (2, Unit.WEEK, "2026-03-15T23:00", "2026-03-29T22:00"),
    (3, Unit.MONTH, "2025-12-31T23:00", "2026-03-31T22:00"),
    (2, Unit.QUARTER, "2025-09-30T22:00", "2026-03-31T22:00"),
]


@pytest.mark.parametrize(("count", "unit", "start", "end"), ROLLING)
def test_rolling_is_the_running_unit_and_those_before(count: int, unit: Unit, start: str, end: str) -> None:
    """P50: 29 March 2026 is a Sunday, the last day of its ISO week, and 23 hours long in Stockholm."""
    now = utc("2026-03-29T12:34:56")
    made = rolling(count=count, unit=unit, zone="Europe/Stockholm", bucket=Bucket(unit.value), now=now)
    assert (made.start, made.end) == (utc(start), utc(end))
    assert made.complete == (True,) * (count - 1) + (False,)


def test_rolling_hours_count_local_hours_over_a_half_hour_change() -> None:
    """Lord Howe: the running hour and the doubled, half-hour one before it."""
    made = rolling(count=3, unit=Unit.HOUR, zone="Australia/Lord_Howe", bucket=Bucket.HOUR, now=utc("2025-04-05T15:45"))
    assert starts(made) == ["04-05 14:00:00", "04-05 15:00:00", "04-05 15:30:00"]
    assert made.end == utc("2025-04-05T16:30")
    running = rolling(
        count=1, unit=Unit.HOUR, zone="Australia/Lord_Howe", bucket=Bucket.HOUR, now=utc("2025-04-05T15:10")
    )
    assert running.edges == (utc("2025-04-05T15:00"), utc("2025-04-05T15:30"))


def test_a_fiscal_quarter_starts_in_the_tenants_month() -> None:
    """P74: with a year that starts in February, March is in the quarter February to April."""
    made = rolling(
        count=2,
        unit=Unit.QUARTER,
        zone="Europe/Stockholm",
        bucket=Bucket.QUARTER,
        now=utc("2026-03-29T12:00"),
        fiscal_year_start_month=2,
    )
    assert made.edges == (utc("2025-10-31T23:00"), utc("2026-01-31T23:00"), utc("2026-04-30T22:00"))


LABELS = [
    (1, "2026 Q1", "2026 Q4"),
    (2, "FY2025-26 Q4", "FY2026-27 Q4"),
    (3, "FY2025-26 Q4", "FY2026-27 Q4"),
    (4, "FY2025-26 Q4", "FY2026-27 Q3"),
    (5, "FY2025-26 Q3", "FY2026-27 Q3"),
    (6, "FY2025-26 Q3", "FY2026-27 Q3"),
    (7, "FY2025-26 Q3", "FY2026-27 Q2"),
    (8, "FY2025-26 Q2", "FY2026-27 Q2"),
    (9, "FY2025-26 Q2", "FY2026-27 Q2"),
    (10, "FY2025-26 Q2", "FY2026-27 Q1"),
    (11, "FY2025-26 Q1", "FY2026-27 Q1"),
    (12, "FY2025-26 Q1", "FY2026-27 Q1"),
]


@pytest.mark.parametrize(("month", "january", "december"), LABELS)
def test_a_quarter_is_labelled_by_its_fiscal_year(month: int, january: str, december: str) -> None:
    """P74: 12 start months, the first and the last month of 2026."""
    for day, expected in ((date(2026, 1, 31), january), (date(2026, 12, 1), december)):
        assert quarter_label(start=day, zone="UTC", fiscal_year_start_month=month) == expected


def test_the_label_of_an_instant_is_that_of_its_local_date() -> None:
    """P50, P74: 23:00 UTC on 31 March is in the next quarter in Stockholm; a century keeps two digits."""
    at = utc("2026-03-31T23:00")
    assert quarter_label(start=at, zone="Europe/Stockholm", fiscal_year_start_month=1) == "2026 Q2"
    assert quarter_label(start=at, zone="UTC", fiscal_year_start_month=1) == "2026 Q1"
    assert quarter_label(start=date(2099, 4, 1), zone="UTC", fiscal_year_start_month=4) == "FY2099-00 Q1"


AUTO = [
    ("2026-01-01T06:40", Bucket.MINUTE, 400),
    ("2026-01-01T06:40:00.000001", Bucket.HOUR, 7),
    ("2026-01-17T16:00", Bucket.HOUR, 400),
    ("2026-01-17T17:00", Bucket.DAY, 17),
    ("2027-02-05T00:00", Bucket.DAY, 400),
    ("2027-02-06T00:00", Bucket.WEEK, 58),
    ("2033-08-29T00:00", Bucket.WEEK, 400),
    ("2033-08-29T00:01", Bucket.MONTH, 92),
    ("2100-01-01T00:00", Bucket.MONTH, 888),
]


@pytest.mark.parametrize(("end", "bucket", "count"), AUTO)
def test_auto_is_the_finest_bucket_with_at_most_400(end: str, bucket: Bucket, count: int) -> None:
    """MONTH is the coarsest that AUTO chooses, however long the window is."""
    made = window("2026-01-01T00:00", end, "UTC", Bucket.AUTO)
    assert (made.bucket, len(made.starts)) == (bucket, count)


def test_zones_come_from_the_pinned_database() -> None:
    """An answer can name the version of the rules that it used."""
    assert tzdata_version() == "2026f"
    assert zone("Europe/Stockholm").key == "Europe/Stockholm"


def test_a_calendar_has_only_dates_that_were() -> None:
    """P52: Apia had no 30 December 2011, and whoever asks for that date alone gets none."""
    apia = "Pacific/Apia"
    asked = (date(2011, 12, 28), date(2012, 1, 1))
    assert [day.day for day in dates(first=asked[0], last=asked[1], zone_name=apia)] == [28, 29, 31, 1]
    assert [day.day for day in dates(first=asked[0], last=asked[1], zone_name="UTC")] == [28, 29, 30, 31, 1]
    assert dates(first=date(2011, 12, 30), last=date(2011, 12, 30), zone_name=apia) == []
    assert dates(first=asked[1], last=asked[0], zone_name=apia) == []
