"""The day that still runs shows the live count; a day that has not begun shows nothing."""

from tests.oracle.completion import Throughput
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 09:00  -  WEB-2  created Todo
2026-03-02 10:00  -  WEB-1  moved Doing
"""


def test_the_last_point_is_the_live_count(engine: Engine) -> None:
    """P13."""
    expected = """
        todo        1 1 -
        doing       0 1 -
        review      0 0 -
        done        0 0 -
        arrivals    1 1 -
        departures  0 0 -
        left        0 0 -
        discarded   0 0 -
        difference  0 0 -
    """
    now = utc("2026-03-02 11:00")
    question = days("2026-03-01", 3, now=now)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
    assert engine.work_in_progress(question=question) == (0, 1, None)
    live = engine.board(project="WEB", at=now, known_at=now)
    assert live.columns == {"todo": ("WEB-2",), "doing": ("WEB-1",), "review": (), "done": ()}


def test_a_day_that_begins_now_has_begun(engine: Engine) -> None:
    """P13: at local midnight the new day shows what the old one left."""
    expected = """
        todo      1 1 -
        arrivals  1 0 -
    """
    question = days("2026-03-01", 3, now=utc("2026-03-02"))
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)


def test_completion_is_null_where_nothing_has_begun(full_engine: FullEngine) -> None:
    """P61."""
    figures = loaded(full_engine, TABLE).throughput(question=days("2026-03-02", 2, now=utc("2026-03-02 11:00")))
    assert figures == Throughput(finished=(0, None), finish_events=(0, None), cancelled=(0, None))
