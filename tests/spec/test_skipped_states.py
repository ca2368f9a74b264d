"""A skipped state counts as reached in the lines, and nowhere else."""

from datetime import timedelta

from tests.oracle.completion import Edge
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 09:00  -  WEB-1  moved Done
"""


def test_lines_count_it(engine: Engine) -> None:
    """An item that is Done has passed Doing and Review."""
    expected = """
        todo        1 1
        doing       0 1
        review      0 1
        done        0 1
        difference  0 0
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-01", 2), mode=Mode.CUMULATIVE, expected=expected)


def test_visits_do_not(engine: Engine) -> None:
    """P22: it was never in Doing."""
    assert [visit.state for visit in loaded(engine, TABLE).visits(item="WEB-1")] == ["todo", "done"]


def test_the_state_graph_does_not(full_engine: FullEngine) -> None:
    """P22: it was never in Doing, and is finished all the same."""
    question = days("2026-03-01", 2)
    assert loaded(full_engine, TABLE).transitions(question=question) == {
        (None, "todo"): Edge(count=1, median=None),
        ("todo", "done"): Edge(count=1, median=timedelta(days=1)),
    }
    assert full_engine.throughput(question=question).finished == (0, 1)
