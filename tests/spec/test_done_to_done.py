"""From one DONE state to another nothing is finished again."""

from tests.oracle.completion import Throughput
from tests.spec.runner import FullEngine, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done  Released:done
facts
2026-03-01 09:00  -  WEB-1  created Doing
2026-03-01 09:00  -  WEB-2  created Doing
2026-03-02 09:00  -  WEB-1  moved Done
2026-03-02 09:00  -  WEB-2  moved Done
2026-03-03 09:00  -  WEB-1  moved Released
2026-03-03 09:00  -  WEB-2  moved Doing
2026-03-04 09:00  -  WEB-2  moved Released
2026-03-04 10:00  -  WEB-3  created Done        # finished without a start
"""


def test_finish_events_are_entries_into_the_category(full_engine: FullEngine) -> None:
    """P18, P22: finished is the start of the stay that lasts; an item created in Done is finished too."""
    figures = loaded(full_engine, TABLE).throughput(question=days("2026-03-01", 4))
    assert figures == Throughput(finished=(0, 1, 0, 2), finish_events=(0, 2, 0, 2), cancelled=(0, 0, 0, 0))


def test_finish_events_add_up_over_sub_ranges(full_engine: FullEngine) -> None:
    """P5: finished does not, it is relative to the window's end."""
    loaded(full_engine, TABLE)
    first = full_engine.throughput(question=days("2026-03-01", 2))
    second = full_engine.throughput(question=days("2026-03-03", 2))
    assert (first.finish_events, second.finish_events) == ((0, 2), (0, 2))
    assert (first.finished, second.finished) == ((0, 2), (0, 2))
