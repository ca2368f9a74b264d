"""A day of 23 or 25 hours is one bucket, and loses nothing."""

from datetime import timedelta

import pytest

from tests.oracle.questions import Mode
from tests.spec.runner import Engine, check_flow, days, loaded

TABLE = """
project WEB zone=Europe/Stockholm since=2026-03-01
states  Todo:todo  Done:done
facts
2026-03-28 22:59  -  WEB-1  created Todo      # 23:59 on the 28th
2026-03-28 23:00  -  WEB-2  created Todo      # 00:00 on the 29th
2026-03-29 21:59  -  WEB-3  created Todo      # 23:59 on the 29th, in summer time
2026-03-29 22:00  -  WEB-4  created Todo      # 00:00 on the 30th
2026-10-24 22:00  -  WEB-5  created Todo      # 00:00 on the 25th
2026-10-25 22:59  -  WEB-6  created Todo      # 23:59 on the 25th, in winter time
2026-10-25 23:00  -  WEB-7  created Todo      # 00:00 on the 26th
"""


SPRING = """
    todo      1 3 4
    arrivals  1 2 1
"""
AUTUMN = """
    todo      4 6 7
    arrivals  0 2 1
"""


@pytest.mark.parametrize(
    ("first", "length", "expected"), [("2026-03-28", 23, SPRING), ("2026-10-24", 25, AUTUMN)], ids=["spring", "autumn"]
)
def test_the_day_of_the_change_is_one_bucket(engine: Engine, first: str, length: int, expected: str) -> None:
    """P52."""
    question = days(first, 3, zone="Europe/Stockholm")
    assert [end - start for start, end in question.buckets] == [timedelta(hours=n) for n in (24, length, 24)]
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)


def test_another_zone_has_other_days(engine: Engine) -> None:
    """P53: the zone of the question decides, whatever the project's."""
    expected = """
        todo      2 4 4
        arrivals  2 2 0
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-28", 3), mode=Mode.OCCUPANCY, expected=expected)
