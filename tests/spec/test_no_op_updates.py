"""What changes no state is no transition."""

from datetime import timedelta

from tests.oracle.completion import Edge
from tests.oracle.items import Visit
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 10:00  -  WEB-1  moved Doing
2026-03-02 10:00  -  WEB-1  moved Doing
2026-03-02 11:00  -  WEB-1  assigned Ada
2026-03-02 12:00  -  WEB-1  renamed "Another title"
2026-03-02 13:00  -  WEB-1  validated by Grace
define  2026-03-02 14:00  reorder Todo,Review,Doing,Done
define  2026-03-03 09:00  rename Doing -> Doing
2026-03-03 10:00  -  WEB-1  moved Done
"""


def test_the_state_graph_has_changes_alone(full_engine: FullEngine) -> None:
    """P16, P29: a repeated state, other fields and a reorder of the board restart no clock."""
    assert loaded(full_engine, TABLE).transitions(question=days("2026-03-01", 3)) == {
        (None, "todo"): Edge(count=1, median=None),
        ("todo", "doing"): Edge(count=1, median=timedelta(hours=1)),
        ("doing", "done"): Edge(count=1, median=timedelta(days=2)),
    }


def test_a_visit_goes_on(engine: Engine) -> None:
    """P16, P29."""
    start, finish = utc("2026-03-01 10:00"), utc("2026-03-03 10:00")
    assert loaded(engine, TABLE).visits(item="WEB-1") == (
        Visit(project="WEB", state="todo", entered_at=utc("2026-03-01 09:00"), left_at=start),
        Visit(project="WEB", state="doing", entered_at=start, left_at=finish),
        Visit(project="WEB", state="done", entered_at=finish, left_at=None),
    )


def test_flows_count_changes_alone(engine: Engine) -> None:
    """P16: a definition that repeats the last one is no change either."""
    expected = """
        doing       1 1 0
        done        0 0 1
        arrivals    1 0 0
        departures  0 0 0
    """
    flow = check_flow(loaded(engine, TABLE), question=days("2026-03-01", 3), mode=Mode.OCCUPANCY, expected=expected)
    assert flow.definition_changes == (utc("2026-03-02 14:00"),)
