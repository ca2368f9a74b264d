"""Before a project was recorded nothing is known: null, never 0."""

from tests.oracle.completion import Throughput
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, chart, check_flow, days, hours, loaded

TABLE = """
project WEB since=2026-03-02
states  Todo:todo  Doing:in_progress  Done:done
project OPS since=2026-02-28
states  Todo:todo  Done:done
facts
2026-02-28 09:00  -  OPS-1  created Todo
2026-03-02 13:00  -  WEB-1  created Todo
"""


def test_a_bucket_that_ends_there_is_null(engine: Engine) -> None:
    """P61: in every series."""
    expected = """
        todo        - 1 1
        doing       - 0 0
        done        - 0 0
        arrivals    - 1 0
        departures  - 0 0
        left        - 0 0
        discarded   - 0 0
        difference  - 0 0
    """
    question = days("2026-03-01", 3)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
    check_flow(engine, question=question, mode=Mode.CUMULATIVE, expected=expected)
    assert engine.work_in_progress(question=question) == (None, 0, 0)


def test_completion_is_null_there(full_engine: FullEngine) -> None:
    """P61."""
    nothing = (None, 0, 0)
    assert loaded(full_engine, TABLE).throughput(question=days("2026-03-01", 3)) == Throughput(
        finished=nothing, finish_events=nothing, cancelled=nothing
    )


def test_a_bucket_that_reaches_beyond_it_is_known(engine: Engine) -> None:
    """P61: the hour in which recording began is no longer null."""
    expected = """
        todo  - 0
    """
    flow = loaded(engine, TABLE).cumulative_flow(question=hours("2026-03-01 23:00", 2), mode=Mode.OCCUPANCY)
    assert flow.series["todo"] == chart(text=expected)["todo"]


def test_the_tenant_is_known_since_its_earliest_project(engine: Engine) -> None:
    """P61: by then the other project counts as empty."""
    expected = """
        todo        - 1 1 2
        arrivals    - 1 0 1
        difference  - 0 0 0
    """
    question = days("2026-02-27", 4, project=None)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
