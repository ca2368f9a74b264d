"""Charts go by when it happened; knownAt gives back what was known."""

from datetime import datetime

import pytest

from tests.oracle.questions import Mode
from tests.spec.runner import Engine, OracleEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -                 WEB-1  created Todo
2026-03-02 10:00  2026-03-05 08:00  WEB-1  moved Doing
2026-03-04 09:00  -                 WEB-1  moved Done
"""


BEFORE = utc("2026-03-05 07:59")
LEARNED = utc("2026-03-05 08:00")
OCCUPANCY_BEFORE = """
    todo   1 1 1 0 0
    done   0 0 0 1 1
"""
OCCUPANCY_AFTER = """
    todo   1 0 0 0 0
    doing  0 1 1 0 0
    done   0 0 0 1 1
"""
CUMULATIVE_BEFORE = """
    todo    1 1 1 1 1
    doing   0 0 0 1 1
    review  0 0 0 1 1
    done    0 0 0 1 1
"""
CUMULATIVE_AFTER = """
    todo    1 1 1 1 1
    doing   0 1 1 1 1
    review  0 0 0 1 1
    done    0 0 0 1 1
"""


@pytest.mark.parametrize(
    ("known_at", "mode", "expected"),
    [
        (BEFORE, Mode.OCCUPANCY, OCCUPANCY_BEFORE),
        (LEARNED, Mode.OCCUPANCY, OCCUPANCY_AFTER),
        (BEFORE, Mode.CUMULATIVE, CUMULATIVE_BEFORE),
        (LEARNED, Mode.CUMULATIVE, CUMULATIVE_AFTER),
    ],
)
def test_a_chart_shows_what_was_known(engine: Engine, known_at: datetime, mode: Mode, expected: str) -> None:
    """P15: the late fact counts from the day it happened, for whoever knows of it."""
    question = days("2026-03-01", 5, known_at=known_at)
    check_flow(loaded(engine, TABLE), question=question, mode=mode, expected=expected)


def test_a_board_shows_what_was_known(engine: Engine) -> None:
    """P15."""
    loaded(engine, TABLE)
    at = utc("2026-03-03")
    assert engine.board(project="WEB", at=at, known_at=BEFORE).columns["todo"] == ("WEB-1",)
    assert engine.board(project="WEB", at=at, known_at=LEARNED).columns["doing"] == ("WEB-1",)


def test_visits_show_what_was_known() -> None:
    """P15: the late fact shortens the visit before it. A rule that the oracle alone has."""
    oracle = loaded(OracleEngine(), TABLE)
    before = [(visit.state, visit.left_at) for visit in oracle.visits_known(item="WEB-1", known_at=BEFORE)]
    after = [(visit.state, visit.left_at) for visit in oracle.visits_known(item="WEB-1", known_at=LEARNED)]
    finish = utc("2026-03-04 09:00")
    assert before == [("todo", finish), ("done", None)]
    assert after == [("todo", utc("2026-03-02 10:00")), ("doing", finish), ("done", None)]
