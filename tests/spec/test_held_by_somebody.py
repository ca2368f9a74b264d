"""The board of an assignee: items are in their states while they are in these hands, and nowhere otherwise."""

from datetime import timedelta

import pytest

from tests.oracle.completion import Edge, Throughput
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -                 WEB-1  created Todo
2026-03-01 10:00  -                 WEB-1  assigned Ada
2026-03-02 09:00  -                 WEB-1  moved Doing
2026-03-03 09:00  -                 WEB-1  assigned Grace     # in the middle of the work
2026-03-04 09:00  -                 WEB-1  moved Done
2026-03-05 09:00  -                 WEB-1  assigned Ada       # done when it is handed over
2026-03-01 09:00  -                 WEB-2  created Todo
2026-03-01 09:00  -                 WEB-2  assigned Ada
2026-03-02 12:00  -                 WEB-2  discarded          # while she held it
2026-03-03 12:00  -                 WEB-2  assigned Grace
2026-03-04 12:00  -                 WEB-2  restored Doing
2026-03-03 09:00  -                 WEB-3  created Todo
2026-03-02 09:00  2026-03-04 09:00  WEB-3  assigned Ada       # told late, of a time before it was created
2026-03-05 09:00  -                 WEB-3  assigned           # to nobody
"""

ADA_OCCUPANCY = """
    todo        2 0 1 1 0
    doing       0 1 0 0 0
    done        0 0 0 0 1
    arrivals    2 0 1 0 1
    departures  0 1 1 0 1
    left        0 1 1 0 1
    discarded   0 1 0 0 0
"""
GRACE_OCCUPANCY = """
    todo        0 0 0 0 0
    doing       0 0 1 1 1
    done        0 0 0 1 0
    arrivals    0 0 1 1 0
    departures  0 0 0 0 1
    discarded   0 0 0 0 0
"""
ADA_CUMULATIVE = """
    todo        2 2 3 3 3
    doing       0 1 1 1 1
    done        0 0 0 0 1
    difference  0 0 1 1 0
"""
GRACE_CUMULATIVE = """
    todo        0 0 1 2 2
    doing       0 0 1 2 2
    done        0 0 0 1 1
    difference  0 0 0 0 0
"""


@pytest.mark.parametrize("project", ["WEB", None])
@pytest.mark.parametrize(
    ("assignee", "mode", "expected"),
    [
        ("Ada", Mode.OCCUPANCY, ADA_OCCUPANCY),
        ("Ada", Mode.CUMULATIVE, ADA_CUMULATIVE),
        ("Grace", Mode.OCCUPANCY, GRACE_OCCUPANCY),
        ("Grace", Mode.CUMULATIVE, GRACE_CUMULATIVE),
    ],
)
def test_an_item_is_on_the_board_of_who_holds_it(
    engine: Engine, project: str | None, assignee: str, mode: Mode, expected: str
) -> None:
    """P13: what one hands over the other has from the state that it is in, and nobody's items are on no board."""
    question = days("2026-03-01", 5, project=project, assignee=assignee)
    check_flow(loaded(engine, TABLE), question=question, mode=mode, expected=expected)


@pytest.mark.parametrize(
    ("assignee", "values"), [("Ada", (0, 1, 0, 0, 0)), ("Grace", (0, 0, 1, 1, 1)), ("Linus", (0, 0, 0, 0, 0))]
)
def test_work_in_progress_is_in_hands(engine: Engine, assignee: str, values: tuple[int, ...]) -> None:
    """Who never held anything has none."""
    question = days("2026-03-01", 5, assignee=assignee)
    assert loaded(engine, TABLE).work_in_progress(question=question) == values


def test_a_done_item_is_finished_where_it_is_held(full_engine: FullEngine) -> None:
    """P24: handed over when done, it has its finish on the day of the hand-over there, and none any more where it was."""
    loaded(full_engine, TABLE)
    of_ada = full_engine.throughput(question=days("2026-03-01", 5, assignee="Ada"))
    of_grace = full_engine.throughput(question=days("2026-03-01", 5, assignee="Grace"))
    nothing = (0, 0, 0, 0, 0)
    assert of_ada == Throughput(finished=(0, 0, 0, 0, 1), finish_events=(0, 0, 0, 0, 1), cancelled=nothing)
    assert of_grace == Throughput(finished=nothing, finish_events=(0, 0, 0, 1, 0), cancelled=nothing)


def test_the_state_graph_begins_and_ends_with_the_hand_over(full_engine: FullEngine) -> None:
    """P33: the stays are those in these hands."""
    found = loaded(full_engine, TABLE).transitions(question=days("2026-03-01", 5, assignee="Grace"))
    assert found == {
        (None, "doing"): Edge(count=2, median=None),
        ("doing", "done"): Edge(count=1, median=timedelta(days=1)),
        ("done", None): Edge(count=1, median=timedelta(days=1)),
    }
