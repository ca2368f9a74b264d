"""A late fact in the middle changes what its successor means."""

from datetime import timedelta

from tests.oracle.completion import Edge
from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -                 WEB-1  created Todo
2026-03-01 09:00  -                 WEB-2  created Todo
2026-03-02 09:00  2026-03-05 08:00  WEB-1  moved Doing
2026-03-02 09:00  2026-03-05 08:00  WEB-2  moved Doing
2026-03-03 09:00  -                 WEB-2  moved Todo      # first repeats the state, then goes back to it
2026-03-04 09:00  -                 WEB-1  moved Doing     # first a start, then repeats the state
"""


EARLY = utc("2026-03-05 07:00")


def test_before_it_is_known(engine: Engine) -> None:
    """P15, P16."""
    expected = """
        todo        2 2 2 1 1
        doing       0 0 0 1 1
        difference  0 0 0 0 0
    """
    question = days("2026-03-01", 5, known_at=EARLY)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
    assert flow.correction_windows == ()


def test_the_state_graph_before_it_is_known(full_engine: FullEngine) -> None:
    """P15, P16."""
    assert loaded(full_engine, TABLE).transitions(question=days("2026-03-01", 5, known_at=EARLY)) == {
        (None, "todo"): Edge(count=2, median=None),
        ("todo", "doing"): Edge(count=1, median=timedelta(days=3)),
    }


def test_once_it_is_known(engine: Engine) -> None:
    """P15, P16, P56: one successor becomes a backward move, the other no transition at all."""
    expected = """
        todo        2 0 1 1 1
        doing       0 2 1 1 1
        difference  0 0 1 1 1
        arrivals    2 0 0 0 0
    """
    question = days("2026-03-01", 5)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
    back = CorrectionWindow(item="WEB-2", opened_at=utc("2026-03-03 09:00"), closed_at=None)
    assert flow.correction_windows == (back,)


def test_the_state_graph_once_it_is_known(full_engine: FullEngine) -> None:
    """P15, P16, P56: one successor becomes a backward move, the other no transition at all."""
    assert loaded(full_engine, TABLE).transitions(question=days("2026-03-01", 5)) == {
        (None, "todo"): Edge(count=2, median=None),
        ("todo", "doing"): Edge(count=2, median=timedelta(days=1)),
        ("doing", "todo"): Edge(count=1, median=timedelta(days=1)),
    }


def test_lines_only_gain(engine: Engine) -> None:
    """P56: a late fact adds to a past day's lines and takes nothing away."""
    before = """
        todo   2 2 2 2 2
        doing  0 0 0 1 1
    """
    after = """
        todo   2 2 2 2 2
        doing  0 2 2 2 2
    """
    known_early = days("2026-03-01", 5, known_at=EARLY)
    check_flow(loaded(engine, TABLE), question=known_early, mode=Mode.CUMULATIVE, expected=before)
    check_flow(engine, question=days("2026-03-01", 5), mode=Mode.CUMULATIVE, expected=after)
