"""The state graph counts the window's transitions, and how long the state before had lasted."""

from datetime import timedelta

from tests.oracle.completion import Edge
from tests.spec.runner import FullEngine, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 09:00  -  WEB-2  created Todo
2026-03-02 09:00  -  WEB-1  moved Doing
2026-03-03 12:00  -  WEB-1  discarded
2026-03-04 09:00  -  WEB-2  moved Doing
2026-03-04 12:00  -  WEB-1  restored Doing
"""


def test_the_median_is_an_observed_stay(full_engine: FullEngine) -> None:
    """P33: nearest rank: of one day and three days it is one day."""
    assert loaded(full_engine, TABLE).transitions(question=days("2026-03-01", 4)) == {
        (None, "todo"): Edge(count=2, median=None),
        ("todo", "doing"): Edge(count=2, median=timedelta(days=1)),
        ("doing", None): Edge(count=1, median=timedelta(days=1, hours=3)),
        (None, "doing"): Edge(count=1, median=None),
    }


def test_stays_may_begin_before_the_window(full_engine: FullEngine) -> None:
    """P6: the whole stay counts, the transition that began it does not."""
    assert loaded(full_engine, TABLE).transitions(question=days("2026-03-02", 2)) == {
        ("todo", "doing"): Edge(count=1, median=timedelta(days=1)),
        ("doing", None): Edge(count=1, median=timedelta(days=1, hours=3)),
    }
