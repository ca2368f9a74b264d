"""What began before the window is its opening balance."""

from tests.oracle.questions import Mode
from tests.spec.runner import Engine, check_flow, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 09:00  -  WEB-1  moved Doing
2026-03-03 09:00  -  WEB-2  created Todo
2026-03-11 10:00  -  WEB-1  moved Done
"""


def test_items_from_before_are_counted(engine: Engine) -> None:
    """P6."""
    expected = """
        todo        1 1 1
        doing       1 0 0
        done        0 1 1
        arrivals    0 0 0
        departures  0 0 0
    """
    question = days("2026-03-10", 3)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
    assert engine.work_in_progress(question=question) == (1, 0, 0)


def test_lines_do_not_begin_at_the_window(engine: Engine) -> None:
    """P6."""
    expected = """
        todo    2 2 2
        doing   1 1 1
        review  0 1 1
        done    0 1 1
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-10", 3), mode=Mode.CUMULATIVE, expected=expected)


def test_a_sub_range_shows_the_same_day(engine: Engine) -> None:
    """P5."""
    expected = """
        todo   1
        done   1
        left   0
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-11", 1), mode=Mode.OCCUPANCY, expected=expected)
