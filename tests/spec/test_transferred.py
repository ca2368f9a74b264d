"""A transfer leaves one project and arrives in the other at one instant; the tenant sees neither."""

from datetime import timedelta

import pytest

from tests.oracle.completion import Edge
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
project OPS
states  Queue:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 09:00  -  WEB-2  created Todo
2026-03-01 09:00  -  OPS-1  created Queue
2026-03-02 09:00  -  WEB-1  moved Doing
2026-03-03 12:00  -  WEB-1  transferred OPS:Doing
2026-03-04 09:00  -  WEB-1  moved OPS:Done
"""


WEB_OCCUPANCY = """
    todo        2 1 1 1
    doing       0 1 0 0
    arrivals    2 0 0 0
    departures  0 0 1 0
    left        0 0 1 0
    discarded   0 0 0 0
"""
WEB_CUMULATIVE = """
    todo        2 2 2 2
    doing       0 1 1 1
    difference  0 0 1 1
"""
OPS_OCCUPANCY = """
    queue       1 1 1 1
    doing       0 0 1 0
    done        0 0 0 1
    arrivals    1 0 1 0
    departures  0 0 0 0
"""
OPS_CUMULATIVE = """
    queue       1 1 2 2
    doing       0 0 1 1
    done        0 0 0 1
    difference  0 0 0 0
"""
TENANT_OCCUPANCY = """
    todo        2 1 1 1
    queue       1 1 1 1
    doing       0 1 1 0
    done        0 0 0 1
    arrivals    3 0 0 0
    departures  0 0 0 0
    left        0 0 0 0
"""
TENANT_CUMULATIVE = """
    todo        2 2 2 2
    queue       1 1 2 2
    doing       0 1 2 2
    done        0 0 0 1
    difference  0 0 1 1
"""


@pytest.mark.parametrize(
    ("project", "mode", "expected"),
    [
        ("WEB", Mode.OCCUPANCY, WEB_OCCUPANCY),
        ("WEB", Mode.CUMULATIVE, WEB_CUMULATIVE),
        ("OPS", Mode.OCCUPANCY, OPS_OCCUPANCY),
        ("OPS", Mode.CUMULATIVE, OPS_CUMULATIVE),
        (None, Mode.OCCUPANCY, TENANT_OCCUPANCY),
        (None, Mode.CUMULATIVE, TENANT_CUMULATIVE),
    ],
)
def test_each_board_shows_its_side(engine: Engine, project: str | None, mode: Mode, expected: str) -> None:
    """The tenant merges states of one slug; its lines are the sums of the projects' lines."""
    check_flow(loaded(engine, TABLE), question=days("2026-03-01", 4, project=project), mode=mode, expected=expected)


@pytest.mark.parametrize(("project", "values"), [("WEB", (0, 1, 0, 0)), ("OPS", (0, 0, 1, 0)), (None, (0, 1, 1, 0))])
def test_work_in_progress_goes_along(engine: Engine, project: str | None, values: tuple[int, ...]) -> None:
    """The projects' figures sum to the tenant's."""
    question = days("2026-03-01", 4, project=project)
    assert loaded(engine, TABLE).work_in_progress(question=question) == values


def test_the_state_graph_has_an_edge_out_and_an_edge_in(full_engine: FullEngine) -> None:
    """In the project that it leaves, the item goes nowhere; in the other it comes from nowhere."""
    loaded(full_engine, TABLE)
    out = full_engine.transitions(question=days("2026-03-01", 4))
    into = full_engine.transitions(question=days("2026-03-01", 4, project="OPS"))
    assert out["doing", None] == Edge(count=1, median=timedelta(days=1, hours=3))
    assert into[None, "doing"] == Edge(count=1, median=None)


def test_the_item_keeps_its_visits(engine: Engine) -> None:
    """Its age goes on across the transfer."""
    found = loaded(engine, TABLE).visits(item="WEB-1")
    assert [(visit.project, visit.state) for visit in found] == [
        ("WEB", "todo"),
        ("WEB", "doing"),
        ("OPS", "doing"),
        ("OPS", "done"),
    ]
