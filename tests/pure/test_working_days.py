"""Time of working days, date by date, in zones that are known to be odd."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pure.local_days import Calendar, LocalDays
from analytics.pure.spans import Spans
from analytics.pure.zones import to_microseconds
from tests.oracle.calendars import time_that_counts

ZONES = ("UTC", "Europe/Stockholm", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia")
HOUR = timedelta(hours=1)
INSTANTS = st.datetimes(datetime(2011, 11, 1), datetime(2012, 11, 30), timezones=st.just(UTC))  # noqa: DTZ001


def worked(begin: datetime, end: datetime, zone: str) -> timedelta:
    """The product's answer for one span."""
    days = LocalDays(start=begin, end=end, zone=zone)
    span = Spans(*(np.array([each]) for each in (0, to_microseconds(begin), to_microseconds(end))))
    (found,) = days.lengths(span, calendar=Calendar.WORKING).tolist()
    return timedelta(microseconds=found)


@given(ends=st.tuples(INSTANTS, INSTANTS), zone=st.sampled_from(ZONES))
def test_any_span_in_any_zone(ends: tuple[datetime, datetime], zone: str) -> None:
    """Clock changes and the date that Apia left out included."""
    begin, end = sorted(ends)
    assert worked(begin, end, zone) == time_that_counts(begin, end, zone=zone, working=True)


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        (datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC), 0),
        (datetime(2026, 3, 26, 23, tzinfo=UTC), datetime(2026, 3, 30, 22, tzinfo=UTC), 48),
    ],
)
def test_the_weekend_of_a_clock_change(begin: datetime, end: datetime, hours: int) -> None:
    """P34, P52: in Stockholm that Sunday has 23 hours, none of which counts."""
    assert worked(begin, end, "Europe/Stockholm") == hours * HOUR
