"""Which instant a timestamp of a file is, and which texts are refused (P15, P52)."""

from datetime import UTC, datetime

import pytest

from tasks_app.imports.timestamps import timestamp_reader
from tasks_app.operations.reporting import microseconds

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2012-05-01T10:30:00+02:00", datetime(2012, 5, 1, 8, 30, tzinfo=UTC)),
        ("2012-05-01 10:30:00+0200", datetime(2012, 5, 1, 8, 30, tzinfo=UTC)),
        ("2012-05-01T10:30Z", datetime(2012, 5, 1, 10, 30, tzinfo=UTC)),
        ("2012-05-01t10:30:00.5Z", datetime(2012, 5, 1, 10, 30, 0, 500_000, tzinfo=UTC)),
        ("2012-05-01T10:30:00,123456+00:00", datetime(2012, 5, 1, 10, 30, 0, 123_456, tzinfo=UTC)),
        ("2012-05-01T10:30:00.123456789Z", datetime(2012, 5, 1, 10, 30, 0, 123_456, tzinfo=UTC)),
        ("1960-01-01T00:00:00.000001Z", datetime(1960, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("2026-01-01T12:00:00Z", NOW),
        ("1900-01-01T00:00:00Z", datetime(1900, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_to_the_microsecond(text: str, instant: datetime) -> None:
    """Offsets in every ISO form, points and commas, before 1970 too."""
    assert timestamp_reader(now=NOW, zone=None)(text) == microseconds(instant)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2012-01-15 10:30", datetime(2012, 1, 15, 9, 30, tzinfo=UTC)),
        ("2012-07-15 10:30:05", datetime(2012, 7, 15, 8, 30, 5, tzinfo=UTC)),
        ("2012-07-15 10:30:05+00:00", datetime(2012, 7, 15, 10, 30, 5, tzinfo=UTC)),
        ("2012-10-28 02:30:00", datetime(2012, 10, 28, 0, 30, tzinfo=UTC)),
        ("2012-10-28 03:00:00", datetime(2012, 10, 28, 2, 0, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_read_in_the_zone(text: str, instant: datetime) -> None:
    """P52: the offset is that of the instant; a time that the clocks show twice is the first; an offset wins."""
    assert timestamp_reader(now=NOW, zone="Europe/Stockholm")(text) == microseconds(instant)


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("2012-05-01T10:30:00", None, "'2012-05-01T10:30:00' has no offset; add one, or name the zone of such times"),
        ("0016-05-01T10:30:00Z", None, "'0016-05-01T10:30:00Z' lies before 1900; correct its year"),
        ("0016-05-01T10:30:00", "Europe/Stockholm", "lies before 1900"),
        ("1899-12-31T23:59:59Z", None, "lies before 1900"),
        ("2026-01-01T12:00:00.000001Z", None, "lies in the future; an event must have happened"),
        ("9999-12-31T23:59:59-23:59", None, "lies in the future"),
        ("2012-03-25 02:30:00", "Europe/Stockholm", "does not exist in Europe/Stockholm, where the clocks skip it"),
        ("", None, "the timestamp is empty; every row needs one"),
        ("yesterday", None, "'yesterday' is no timestamp; write it as 2024-05-01T10:30:00\\+02:00"),
        ("2012-05-01", "UTC", "is no timestamp"),
        ("2012-W18-2T10:30:00Z", None, "is no timestamp"),
        ("20120501T103000Z", None, "is no timestamp"),
        ("2012-05-01X10:30:00Z", None, "is no timestamp"),
        ("2012-05-01T10Z", None, "is no timestamp"),
        ("2012-13-01T10:30:00Z", None, "is no timestamp"),
        ("2012-05-01T24:30:00Z", None, "is no timestamp"),
        ("05/01/2012 10:30", "UTC", "is no timestamp"),
        ("٢٠١٢-05-01T10:30:00Z", None, "is no timestamp"),
    ],
)
def test_what_is_no_instant_is_refused(text: str, zone: str | None, reason: str) -> None:
    """The reason quotes the text and says what to do."""
    with pytest.raises(ValueError, match=reason):
        timestamp_reader(now=NOW, zone=zone)(text)
