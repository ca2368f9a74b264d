"""A state that is created later shows 0 on every day before."""

from tests.oracle.questions import AsOf, Mode
from tests.spec.runner import Engine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 09:00  -  WEB-2  created Todo
2026-03-02 10:00  -  WEB-3  created Done
define  2026-03-03 00:00  add Doing:in_progress after Todo
2026-03-03 12:00  -  WEB-1  moved Doing
2026-03-05 09:00  -  WEB-1  moved Done
"""


def test_its_band_is_zero_before_it_existed(engine: Engine) -> None:
    """P1."""
    expected = """
        todo      1 2 1 1 1
        doing     0 0 1 1 0
        done      0 1 1 1 2
        arrivals  1 2 0 0 0
    """
    flow = check_flow(loaded(engine, TABLE), question=days("2026-03-01", 5), mode=Mode.OCCUPANCY, expected=expected)
    assert flow.definition_changes == (utc("2026-03-03"),)


def test_its_line_is_zero_before_it_existed(engine: Engine) -> None:
    """P1: from its first day on it counts what went past it before."""
    expected = """
        todo   1 3 3 3 3
        doing  0 0 2 2 2
        done   0 1 1 1 2
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-01", 5), mode=Mode.CUMULATIVE, expected=expected)


def test_with_todays_order_its_line_is_that_of_its_successor(engine: Engine) -> None:
    """P1: what lies between its line and the next one is 0 before it existed, in today's order too."""
    expected = """
        todo   1 3 3 3 3
        doing  0 1 2 2 2
        done   0 1 1 1 2
    """
    question = days("2026-03-01", 5, as_of=AsOf.NOW)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
