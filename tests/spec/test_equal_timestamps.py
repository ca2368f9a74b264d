"""Facts of one instant are all kept, in the order of recording; each is a visit of zero length."""

import pytest

from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, check_flow, hours, loaded, utc

TABLE = """
project WEB since=2026-03-01
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 09:00  -  WEB-1  moved Doing
2026-03-01 09:00  -  WEB-1  moved Done
2026-03-01 09:00  -  WEB-2  created Doing
2026-03-01 10:00  -  WEB-2  moved Todo
2026-03-01 10:00  -  WEB-2  moved Doing
"""


NINE, TEN = utc("2026-03-01 09:00"), utc("2026-03-01 10:00")


def test_every_visit_is_kept(engine: Engine) -> None:
    """The order of recording breaks the tie."""
    loaded(engine, TABLE)
    first = [(v.state, v.entered_at, v.left_at) for v in engine.visits(item="WEB-1")]
    second = [(v.state, v.entered_at, v.left_at) for v in engine.visits(item="WEB-2")]
    assert first == [("todo", NINE, NINE), ("doing", NINE, NINE), ("done", NINE, None)]
    assert second == [("doing", NINE, TEN), ("todo", TEN, TEN), ("doing", TEN, None)]


def test_bands_show_the_last_of_them(engine: Engine) -> None:
    """A fact belongs to the hour that begins with it, not to the one that ends there."""
    expected = """
        doing     0 1 1
        done      0 1 1
        arrivals  0 2 0
    """
    check_flow(loaded(engine, TABLE), question=hours("2026-03-01 08:00", 3), mode=Mode.OCCUPANCY, expected=expected)


def test_lines_count_all_of_them(engine: Engine) -> None:
    """A visit of zero length has been a visit."""
    expected = """
        todo    0 2 2
        doing   0 2 2
        review  0 1 1
        done    0 1 1
    """
    check_flow(loaded(engine, TABLE), question=hours("2026-03-01 08:00", 3), mode=Mode.CUMULATIVE, expected=expected)


@pytest.mark.parametrize(
    ("first", "count"), [("2026-03-01 09:00", 1), ("2026-03-01 10:00", 1), ("2026-03-01 11:00", 1)]
)
def test_a_correction_of_zero_length_belongs_to_its_instant(engine: Engine, first: str, count: int) -> None:
    """Windows that touch return it once."""
    flow = loaded(engine, TABLE).cumulative_flow(question=hours(first, count), mode=Mode.CUMULATIVE)
    there = CorrectionWindow(item="WEB-2", opened_at=TEN, closed_at=TEN)
    assert flow.correction_windows == ((there,) if first == "2026-03-01 10:00" else ())
