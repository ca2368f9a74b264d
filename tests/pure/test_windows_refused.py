"""Windows that cannot be answered: each refusal names its argument, what is wrong and what to do."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from analytics.pure.windows import Bucket, Unit, WindowError, between, quarter_label, rolling

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 2, tzinfo=UTC)

BETWEEN = [
    ({"end": START}, "window.between.to", "not later than 'from'"),
    ({"end": START - timedelta(days=1)}, "window.between.to", "not later than 'from'"),
    ({"start": datetime(2026, 1, 1)}, "window.between.from", "has no time zone; add an offset"),  # noqa: DTZ001
    ({"end": datetime(2026, 1, 2)}, "window.between.to", "has no time zone; add an offset"),  # noqa: DTZ001
    ({"now": datetime(2026, 1, 2)}, "now", "has no time zone; add an offset"),  # noqa: DTZ001
    ({"start": datetime(16, 1, 1, tzinfo=UTC)}, "window.between.from", "years 1900 to 2200"),
    ({"start": datetime(1899, 12, 31, 23, 59, tzinfo=UTC)}, "window.between.from", "years 1900 to 2200"),
    ({"start": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))}, "window.between.from", "years 1900 to 2200"),
    ({"end": datetime(2201, 1, 1, 0, 1, tzinfo=UTC)}, "window.between.to", "years 1900 to 2200"),
    ({"end": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))}, "window.between.to", "1900 to 2200"),
    ({"zone": "Europe/Stokholm"}, "timezone", "'Europe/Stokholm' is not known; did you mean 'Europe/Stockholm'?"),
    ({"zone": "europe/stockholm"}, "timezone", "'europe/stockholm' is not known"),
    ({"zone": ""}, "timezone", "'' is not known; give an IANA name such as 'Europe/Stockholm'."),
    ({"zone": "../../etc/passwd"}, "timezone", "is not known"),
    ({"zone": "Europe"}, "timezone", "is not known"),
    ({"zone": "UTC\x00"}, "timezone", "is not known"),
    ({"zone": "\ud800"}, "timezone", "'\\ud800' is not known"),
    ({"zone": "x" * 100_000}, "timezone", "is not known"),
    ({"fiscal_year_start_month": 0}, "fiscal_year_start_month", "month 1 to 12, not 0"),
    ({"fiscal_year_start_month": 13}, "fiscal_year_start_month", "month 1 to 12, not 13"),
]


@pytest.mark.parametrize(("wrong", "argument", "says"), BETWEEN)
def test_between_refuses(wrong: dict[str, object], argument: str, says: str) -> None:
    """One wrong argument at a time; the sentence stays short whatever was given."""
    good: dict[str, object] = {"start": START, "end": END, "zone": "UTC", "bucket": Bucket.HOUR, "now": END}
    with pytest.raises(WindowError, match=re.escape(says)) as refused:
        between(**{**good, **wrong})  # type: ignore[arg-type]
    assert refused.value.argument == argument
    assert len(str(refused.value)) < 250


ROLLING = [
    (0, Unit.DAY, "at least 1 DAY, not 0"),
    (-5, Unit.HOUR, "at least 1 HOUR, not -5"),
    (2**31 - 1, Unit.MINUTE, "2,147,483,647 MINUTE goes beyond"),
    (10**40, Unit.QUARTER, "give a smaller count"),
    (46_100, Unit.DAY, "46,100 DAY goes beyond the years 1900 to 2200"),
]


@pytest.mark.parametrize(("count", "unit", "says"), ROLLING)
def test_rolling_refuses_a_count_that_cannot_be(count: int, unit: Unit, says: str) -> None:
    """An absurd count is refused at once, before anything is computed from it."""
    with pytest.raises(WindowError, match=re.escape(says)) as refused:
        rolling(count=count, unit=unit, zone="UTC", bucket=Bucket.AUTO, now=END)
    assert refused.value.argument == "window.rolling.count"


def test_rolling_reaches_back_to_1900_and_no_further() -> None:
    """126 years and one day: 2026-01-02 is the 46,022nd day since 1900-01-01."""
    days = (END - datetime(1900, 1, 1, tzinfo=UTC)).days + 1
    made = rolling(count=days, unit=Unit.DAY, zone="UTC", bucket=Bucket.DAY, now=END)
    assert (len(made.starts), made.start) == (days, datetime(1900, 1, 1, tzinfo=UTC))
    with pytest.raises(WindowError, match="goes beyond"):
        rolling(count=days + 1, unit=Unit.DAY, zone="UTC", bucket=Bucket.DAY, now=END)


TOO_MANY = [
    (timedelta(minutes=50_001), Bucket.MINUTE, "50,001 MINUTE buckets", "FIVE_MINUTES"),
    (timedelta(days=365), Bucket.MINUTE, "525,600 MINUTE buckets", "HOUR"),
    (timedelta(days=365 * 10), Bucket.FIVE_MINUTES, "1,051,200 FIVE_MINUTES buckets", "DAY"),
    (timedelta(days=50_001), Bucket.DAY, "50,001 DAY buckets", "WEEK"),
]


@pytest.mark.parametrize(("length", "bucket", "says", "fits"), TOO_MANY)
def test_more_than_50_000_buckets_are_refused(length: timedelta, bucket: Bucket, says: str, fits: str) -> None:
    """The sentence says how many there would be and names the next bucket that fits; that one is answered."""
    with pytest.raises(WindowError, match=f"{says} and an answer has at most 50,000; ask for {fits} ") as refused:
        between(start=START, end=START + length, zone="UTC", bucket=bucket, now=END)
    assert refused.value.argument == "bucket"
    assert between(start=START, end=START + length, zone="UTC", bucket=Bucket(fits), now=END).bucket == fits


def test_50_000_buckets_are_answered() -> None:
    """The limit itself is allowed."""
    end = START + timedelta(minutes=50_000)
    assert len(between(start=START, end=end, zone="UTC", bucket=Bucket.MINUTE, now=END).starts) == 50_000


def test_a_label_refuses_a_month_that_is_none() -> None:
    """P74: the fiscal year starts in one of twelve months."""
    with pytest.raises(WindowError, match="month 1 to 12, not 13"):
        quarter_label(start=START, zone="UTC", fiscal_year_start_month=13)
