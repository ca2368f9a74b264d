"""A project without items: measured zeros, empty lists, no errors."""

import pytest

from tests.oracle.completion import Throughput
from tests.oracle.questions import Mode
from tests.spec.runner import LONG_AFTER, Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB since=2026-03-01
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
"""


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("project", ["WEB", None])
def test_every_series_is_zero(engine: Engine, mode: Mode, project: str | None) -> None:
    """P61: 0 is measured."""
    expected = """
        todo        0 0
        doing       0 0
        review      0 0
        done        0 0
        arrivals    0 0
        departures  0 0
        left        0 0
        discarded   0 0
        difference  0 0
    """
    question = days("2026-03-01", 2, project=project)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=mode, expected=expected)
    assert flow.names == {"todo": "Todo", "doing": "Doing", "review": "Review", "done": "Done"}
    assert (flow.definition_changes, flow.correction_windows) == ((), ())


def test_there_is_nothing_to_list(engine: Engine) -> None:
    """P61."""
    question = days("2026-03-01", 2)
    loaded(engine, TABLE)
    assert engine.work_in_progress(question=question) == (0, 0)
    board = engine.board(project="WEB", at=utc("2026-03-02"), known_at=LONG_AFTER)
    assert board.columns == {"todo": (), "doing": (), "review": (), "done": ()}


def test_nothing_was_finished(full_engine: FullEngine) -> None:
    """P61."""
    question = days("2026-03-01", 2)
    figures = loaded(full_engine, TABLE).throughput(question=question)
    assert figures == Throughput(finished=(0, 0), finish_events=(0, 0), cancelled=(0, 0))
    assert full_engine.transitions(question=question) == {}
