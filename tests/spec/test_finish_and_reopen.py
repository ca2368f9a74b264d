"""An item that is finished and opened again: the two diagrams say different things, and say which they are."""

from tests.oracle.completion import Throughput
from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 09:00  -  WEB-1  moved Doing
2026-03-03 09:00  -  WEB-1  moved Done
2026-03-04 12:00  -  WEB-1  moved Doing
"""


def test_occupancy_falls(engine: Engine) -> None:
    """P7."""
    expected = """
        todo   1 0 0 0 0
        doing  0 1 0 1 1
        done   0 0 1 0 0
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-01", 5), mode=Mode.OCCUPANCY, expected=expected)


def test_cumulative_stays_and_says_why_it_differs(engine: Engine) -> None:
    """P7: the Done line stays, work in progress counts the item again, and a correction window is open."""
    expected = """
        todo        1 1 1  1  1
        doing       0 1 1  1  1
        review      0 0 1  1  1
        done        0 0 1  1  1
        difference  0 0 0 -1 -1
    """
    question = days("2026-03-01", 5)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
    assert engine.work_in_progress(question=question) == (0, 1, 0, 1, 1)
    reopened = CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-04 12:00"), closed_at=None)
    assert flow.correction_windows == (reopened,)


def test_an_open_item_is_not_finished(full_engine: FullEngine) -> None:
    """P24: it adds to no `finished`, though its finish event stays."""
    figures = loaded(full_engine, TABLE).throughput(question=days("2026-03-01", 5))
    assert figures == Throughput(finished=(0, 0, 0, 0, 0), finish_events=(0, 0, 1, 0, 0), cancelled=(0, 0, 0, 0, 0))


def test_finished_is_relative_to_the_window(full_engine: FullEngine) -> None:
    """At the end of the third day the item was finished."""
    figures = loaded(full_engine, TABLE).throughput(question=days("2026-03-01", 3))
    assert figures == Throughput(finished=(0, 0, 1), finish_events=(0, 0, 1), cancelled=(0, 0, 0))
