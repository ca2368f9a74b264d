"""An actor's figures: the changes that this actor made. Changes hold no items, so there are no stocks."""

from datetime import timedelta

import pytest

from tests.oracle.completion import Edge, Throughput
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done  Closed:done  Cancelled:cancelled
project OPS
states  Queue:todo  Doing:in_progress
facts
2026-03-01 09:00  -  WEB-1  created Todo by Ada
2026-03-02 09:00  -  WEB-1  moved Doing by Grace
2026-03-03 09:00  -  WEB-1  moved Done by Ada
2026-03-03 12:00  -  WEB-1  moved Closed by Grace      # the stay in DONE goes on
2026-03-01 09:00  -  WEB-2  created Todo by Grace
2026-03-02 09:00  -  WEB-2  moved Todo by Ada          # changes nothing
2026-03-02 12:00  -  WEB-2  discarded by Ada
2026-03-03 12:00  -  WEB-2  restored Doing by Grace
2026-03-04 12:00  -  WEB-2  moved Cancelled by Ada
2026-03-01 09:00  -  WEB-3  created Todo by Ada
2026-03-02 09:00  -  WEB-3  transferred OPS:Queue by Grace
2026-03-03 09:00  -  WEB-3  transferred WEB:Done by Grace
2026-03-04 09:00  -  WEB-3  moved Doing by Ada
"""

OF_ADA = """
    todo        - - - -
    doing       - - - -
    done        - - - -
    closed      - - - -
    arrivals    2 0 0 0
    departures  0 1 0 1
    left        0 1 0 1
    discarded   0 1 0 0
    difference  - - - -
"""
OF_GRACE = """
    todo        - - - -
    doing       - - - -
    done        - - - -
    closed      - - - -
    arrivals    1 0 2 0
    departures  0 1 0 0
    left        0 1 0 0
    discarded   0 0 0 0
    difference  - - - -
"""


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("actor", "expected"), [("Ada", OF_ADA), ("Grace", OF_GRACE)])
def test_flows_are_the_actors_and_there_are_no_stocks(engine: Engine, actor: str, expected: str, mode: Mode) -> None:
    """P13: what is not known is null, never 0."""
    question = days("2026-03-01", 4, actor=actor)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=mode, expected=expected)
    assert flow.correction_windows == ()
    assert engine.work_in_progress(question=question) == (None, None, None, None)


def test_the_actors_flows_add_up_to_the_boards(engine: Engine) -> None:
    """P13: every change was somebody's."""
    loaded(engine, TABLE)
    questions = [days("2026-03-01", 4, actor=actor) for actor in ("Ada", "Grace", None)]
    ada, grace, board = (engine.cumulative_flow(question=each, mode=Mode.OCCUPANCY) for each in questions)
    for name in ("arrivals", "departures", "discarded"):
        parts = zip(getattr(ada, name), getattr(grace, name), strict=True)
        assert tuple(sum(values) for values in parts) == getattr(board, name)


def test_finished_is_whose_fact_began_the_stay(full_engine: FullEngine) -> None:
    """P24: Ada's finish lasts though Grace moved the item on; what Grace finished was opened again."""
    loaded(full_engine, TABLE)
    of_ada = full_engine.throughput(question=days("2026-03-01", 4, actor="Ada"))
    of_grace = full_engine.throughput(question=days("2026-03-01", 4, actor="Grace"))
    nothing = (0, 0, 0, 0)
    assert of_ada == Throughput(finished=(0, 0, 1, 0), finish_events=(0, 0, 1, 0), cancelled=(0, 0, 0, 1))
    assert of_grace == Throughput(finished=nothing, finish_events=(0, 0, 1, 0), cancelled=nothing)


def test_the_state_graph_has_the_actors_steps(full_engine: FullEngine) -> None:
    """P33: the stay before the step counts whole, whoever began it. A transfer is a step where the tenant is asked about."""
    loaded(full_engine, TABLE)
    of_ada = full_engine.transitions(question=days("2026-03-02", 3, actor="Ada"))
    assert of_ada == {
        ("todo", None): Edge(count=1, median=timedelta(days=1, hours=3)),
        ("doing", "done"): Edge(count=1, median=timedelta(days=1)),
        ("doing", "cancelled"): Edge(count=1, median=timedelta(days=1)),
        ("done", "doing"): Edge(count=1, median=timedelta(days=1)),
    }
    of_grace = full_engine.transitions(question=days("2026-03-02", 1, project=None, actor="Grace"))
    assert of_grace == {
        ("todo", "doing"): Edge(count=1, median=timedelta(days=1)),
        ("todo", "queue"): Edge(count=1, median=timedelta(days=1)),
    }
