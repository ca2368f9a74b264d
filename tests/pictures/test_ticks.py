"""Marks on the axes of charts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pictures.ticks import number_ticks, time_ticks


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7, [0, 2, 4, 6, 8]),
        (12, [0, 5, 10, 15]),
        (100, [0, 20, 40, 60, 80, 100]),
        (7554, [0, 2000, 4000, 6000, 8000]),
    ],
)
def test_counts_have_round_whole_marks(largest: int, expected: list[int]) -> None:
    """From 0 to the first at or above the largest."""
    assert number_ticks(largest=largest) == expected


def labels(start: datetime, end: datetime, zone: str = "UTC") -> list[tuple[str, str]]:
    """What stands below the marks."""
    return [(tick.label, tick.sub) for tick in time_ticks(start=start, end=end, zone_name=zone)]


def test_days_are_marked_with_their_year_once() -> None:
    """The second line says what has changed, and only then."""
    assert labels(datetime(2025, 12, 30, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)) == [
        ("00:00", "30 Dec 2025"),
        ("12:00", ""),
        ("00:00", "31 Dec 2025"),
        ("12:00", ""),
        ("00:00", "1 Jan 2026"),
        ("12:00", ""),
        ("00:00", "2 Jan 2026"),
        ("12:00", ""),
        ("00:00", "3 Jan 2026"),
    ]
    assert labels(datetime(2025, 12, 28, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))[3:5] == [
        ("31 Dec", ""),
        ("1 Jan", "2026"),
    ]


def test_months_and_years_for_long_windows() -> None:
    """First days of months; then first days of years."""
    assert labels(datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)) == [
        ("Jan", "2024"),
        ("Mar", ""),
        ("May", ""),
        ("Jul", ""),
        ("Sep", ""),
        ("Nov", ""),
        ("Jan", "2025"),
        ("Mar", ""),
        ("May", ""),
        ("Jul", ""),
    ]
    assert labels(datetime(2010, 3, 31, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))[:2] == [
        ("2012", ""),
        ("2014", ""),
    ]


def test_marks_stand_at_local_midnights_through_a_clock_change() -> None:
    """Stockholm's days around 29 March 2026: one of them has 23 hours."""
    found = time_ticks(
        start=datetime(2026, 3, 26, 23, tzinfo=UTC),
        end=datetime(2026, 4, 2, 22, tzinfo=UTC),
        zone_name="Europe/Stockholm",
    )
    assert [(tick.at.day, tick.at.hour) for tick in found][:4] == [(26, 23), (27, 23), (28, 23), (29, 22)]


def test_half_hour_zones_have_marks_at_their_own_round_hours() -> None:
    """Kathmandu is 5:45 ahead."""
    found = time_ticks(
        start=datetime(2026, 3, 1, 18, 15, tzinfo=UTC),
        end=datetime(2026, 3, 2, 4, 15, tzinfo=UTC),
        zone_name="Asia/Kathmandu",
    )
    assert [tick.label for tick in found] == [
        "00:00",
        "01:00",
        "02:00",
        "03:00",
        "04:00",
        "05:00",
        "06:00",
        "07:00",
        "08:00",
        "09:00",
        "10:00",
    ]
    assert found[0].sub == "2 Mar 2026"


@given(
    st.integers(60, 30 * 366 * 86_400),
    st.integers(0, 10**9),
    st.sampled_from(["UTC", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_there_are_never_too_many_and_they_are_in_order(seconds: int, offset: int, zone: str) -> None:
    """Labels need room: at most twelve, each inside the window and later than the one before."""
    start = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=offset)
    end = start + timedelta(seconds=seconds)
    instants = [tick.at for tick in time_ticks(start=start, end=end, zone_name=zone)]
    assert len(instants) <= 12
    assert instants == sorted(set(instants))
    assert all(start <= instant <= end for instant in instants)
