"""A discarded item leaves from that instant on, never earlier; a restored one arrives again."""

from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import LONG_AFTER, Engine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 09:00  -  WEB-2  created Todo
2026-03-01 09:00  -  WEB-3  created Doing
2026-03-02 09:00  -  WEB-1  moved Doing
2026-03-02 12:00  -  WEB-3  discarded
2026-03-03 12:00  -  WEB-1  discarded
2026-03-04 12:00  -  WEB-3  restored Todo
2026-03-05 12:00  -  WEB-1  restored Doing
"""


def test_scope_falls_from_the_discard_on(engine: Engine) -> None:
    """P10."""
    expected = """
        todo        2 1 1 2 2
        doing       1 1 0 0 1
        arrivals    3 0 0 1 1
        departures  0 1 1 0 0
        left        0 1 1 0 0
        discarded   0 1 1 0 0
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-01", 5), mode=Mode.OCCUPANCY, expected=expected)


def test_lines_keep_what_was_reached(engine: Engine) -> None:
    """P10: coming back below the furthest state opens a correction window, coming back to it does not."""
    expected = """
        todo        3 3 3 3 3
        doing       1 2 2 2 2
        difference  0 1 2 2 1
    """
    question = days("2026-03-01", 5)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
    below = CorrectionWindow(item="WEB-3", opened_at=utc("2026-03-04 12:00"), closed_at=None)
    assert flow.correction_windows == (below,)


def test_the_board_holds_the_instant_before(engine: Engine) -> None:
    """P10: at the very instant of the discard the item is still there, a minute later it is not."""
    loaded(engine, TABLE)
    at = utc("2026-03-02 12:00")
    assert engine.board(project="WEB", at=at, known_at=LONG_AFTER).columns["doing"] == ("WEB-1", "WEB-3")
    assert engine.board(project="WEB", at=utc("2026-03-02 12:01"), known_at=LONG_AFTER).columns["doing"] == ("WEB-1",)
