"""In whatever order four facts are recorded, the answer is one and the same."""

from datetime import timedelta
from itertools import permutations

import pytest

from tests.oracle.completion import Edge, Throughput
from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  2026-03-10 00:00  WEB-1  created Todo
2026-03-02 09:00  2026-03-10 00:00  WEB-1  moved Done
2026-03-03 09:00  2026-03-10 00:00  WEB-1  moved Doing
2026-03-04 09:00  2026-03-10 00:00  WEB-1  moved Done
"""


HEADING, FACTS = TABLE.strip().splitlines()[:3], TABLE.strip().splitlines()[3:]
OCCUPANCY = """
    todo        1 0  0 0
    doing       0 0  1 0
    done        0 1  0 1
    arrivals    1 0  0 0
    departures  0 0  0 0
"""
CUMULATIVE = """
    todo        1 1  1 1
    doing       0 1  1 1
    review      0 1  1 1
    done        0 1  1 1
    difference  0 0 -1 0
"""


every_order = pytest.mark.parametrize(
    "order", list(permutations(FACTS)), ids=lambda order: "".join(str(FACTS.index(f) + 1) for f in order)
)


@every_order
def test_the_order_of_recording_does_not_matter(engine: Engine, order: tuple[str, ...]) -> None:
    """P15, P56: the state before a late fact is the one that the order of events gives."""
    question = days("2026-03-01", 4)
    loaded(engine, "\n".join([*HEADING, *order]))
    check_flow(engine, question=question, mode=Mode.OCCUPANCY, expected=OCCUPANCY)
    flow = check_flow(engine, question=question, mode=Mode.CUMULATIVE, expected=CUMULATIVE)
    again = CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-03 09:00"), closed_at=utc("2026-03-04 09:00"))
    assert flow.correction_windows == (again,)


@every_order
def test_nor_does_it_for_completion(full_engine: FullEngine, order: tuple[str, ...]) -> None:
    """P15, P56."""
    question = days("2026-03-01", 4)
    loaded(full_engine, "\n".join([*HEADING, *order]))
    assert full_engine.throughput(question=question) == Throughput(
        finished=(0, 0, 0, 1), finish_events=(0, 1, 0, 1), cancelled=(0, 0, 0, 0)
    )
    day = timedelta(days=1)
    assert full_engine.transitions(question=question) == {
        (None, "todo"): Edge(count=1, median=None),
        ("todo", "done"): Edge(count=1, median=day),
        ("done", "doing"): Edge(count=1, median=day),
        ("doing", "done"): Edge(count=1, median=day),
    }
