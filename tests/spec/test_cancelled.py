"""A cancelled item is off the board: it left, and it is not finished."""

from tests.oracle.completion import Throughput
from tests.oracle.questions import Mode
from tests.spec.runner import LONG_AFTER, Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done  Cancelled:cancelled
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 09:00  -  WEB-2  created Todo
2026-03-01 09:00  -  WEB-4  created Todo
2026-03-02 09:00  -  WEB-1  moved Done
2026-03-02 09:00  -  WEB-2  moved Doing
2026-03-02 09:00  -  WEB-3  created Cancelled    # never on the board
2026-03-02 09:00  -  WEB-4  moved Cancelled
2026-03-03 09:00  -  WEB-2  moved Cancelled
2026-03-04 09:00  -  WEB-4  moved Todo           # and back
"""


def test_cancelled_has_no_band(engine: Engine) -> None:
    """P12: entering it is a leaving, coming back an arrival."""
    expected = """
        todo        3 0 0 1
        doing       0 1 0 0
        done        0 1 1 1
        arrivals    3 0 0 1
        departures  0 1 1 0
        left        0 1 1 0
        discarded   0 0 0 0
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-01", 4), mode=Mode.OCCUPANCY, expected=expected)


def test_cancelled_has_no_line(engine: Engine) -> None:
    """P12: an item stays in the lines that it reached; one that was cancelled from the start reached none."""
    expected = """
        todo        3 3 3 3
        doing       0 2 2 2
        done        0 1 1 1
        difference  0 0 1 1
    """
    question = days("2026-03-01", 4)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
    assert flow.correction_windows == ()


def test_cancelled_is_counted_apart(full_engine: FullEngine) -> None:
    """P12: three were cancelled, one was finished."""
    figures = loaded(full_engine, TABLE).throughput(question=days("2026-03-01", 4))
    assert figures == Throughput(finished=(0, 1, 0, 0), finish_events=(0, 1, 0, 0), cancelled=(0, 2, 1, 0))


def test_the_board_has_no_column_for_it(engine: Engine) -> None:
    """P12, P13."""
    found = loaded(engine, TABLE).board(project="WEB", at=utc("2026-03-04"), known_at=LONG_AFTER)
    assert found.columns == {"todo": (), "doing": (), "done": ("WEB-1",)}
    assert found.count == 1


def test_discarding_a_cancelled_item_takes_nothing_off_the_board(engine: Engine) -> None:
    """P12: it has left already, so it is neither a departure nor among the discarded."""
    table = """
    project WEB
    states  Todo:todo  Cancelled:cancelled
    facts
    2026-03-01 09:00  -  WEB-1  created Todo
    2026-03-02 09:00  -  WEB-1  moved Cancelled
    2026-03-03 09:00  -  WEB-1  discarded
    """
    expected = """
        todo        1 0 0
        departures  0 1 0
        left        0 1 0
        discarded   0 0 0
    """
    check_flow(loaded(engine, table), question=days("2026-03-01", 3), mode=Mode.OCCUPANCY, expected=expected)
