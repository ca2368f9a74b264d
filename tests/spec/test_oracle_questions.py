"""The oracle's local days, against dates that are known to be odd."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.oracle.questions import local_days, local_midnight


def test_days_touch_and_have_the_length_of_the_clock() -> None:
    """P52."""
    found = local_days(first=date(2026, 3, 28), count=3, zone="Europe/Stockholm")
    assert [end - start for start, end in found] == [timedelta(hours=hours) for hours in (24, 23, 24)]
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]


def test_a_date_that_did_not_exist_has_no_day() -> None:
    """Apia went from the 29th to the 31st of December 2011."""
    found = local_days(first=date(2011, 12, 29), count=3, zone="Pacific/Apia")
    change = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert found == ((change - timedelta(days=1), change), (change, change + timedelta(days=1)))


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
        ("Asia/Kathmandu", date(2026, 3, 1), datetime(2026, 2, 28, 18, 15, tzinfo=UTC)),
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("Africa/Monrovia", date(1971, 6, 1), datetime(1971, 6, 1, 0, 44, 30, tzinfo=UTC)),
    ],
)
def test_midnight(zone: str, day: date, begins: datetime) -> None:
    """P51, P54: also where clocks jump over midnight, and where offsets have seconds."""
    assert local_midnight(day=day, zone=zone) == begins
