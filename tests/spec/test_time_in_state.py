"""How long items stayed in each state: closed visits, and apart from them those that last."""

from datetime import timedelta

from tests.oracle.durations import TimeInState
from tests.spec.runner import FullEngine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done  Dropped:cancelled
facts
2026-03-01 00:00  -  WEB-1  created Todo
2026-03-02 00:00  -  WEB-1  moved Doing
2026-03-04 00:00  -  WEB-1  moved Todo
2026-03-05 00:00  -  WEB-1  moved Doing
2026-03-05 00:00  -  WEB-1  moved Review
2026-03-08 00:00  -  WEB-1  moved Done
2026-03-02 00:00  -  WEB-2  created Doing
2026-03-09 00:00  -  WEB-2  moved Dropped
"""


def in_days(found: dict[str, TimeInState]) -> dict[str, tuple[int, float, int, float]]:
    """Visits, days in them, ongoing visits, days in them."""
    day = timedelta(days=1)
    return {
        state: (each.visits, each.total / day, each.ongoing_visits, each.ongoing / day)
        for state, each in sorted(found.items())
    }


def test_all_visits_are_summed(full_engine: FullEngine) -> None:
    """P19, P20: a second visit adds its own time, one of no length is a visit; cancelled is off the board."""
    found = loaded(full_engine, TABLE).time_in_state(question=days("2026-03-01", 10), is_full=True)
    assert in_days(found) == {
        "doing": (3, 9, 0, 0),
        "done": (0, 0, 1, 3),
        "review": (1, 3, 0, 0),
        "todo": (2, 2, 0, 0),
    }
    day = timedelta(days=1)
    assert (found["doing"].p50, found["doing"].p85, found["doing"].longest) == (2 * day, 7 * day, 7 * day)
    assert (found["done"].p50, found["done"].longest) == (None, None)


def test_the_parts_inside_windows_add_up(full_engine: FullEngine) -> None:
    """P5, P6: what begins before the window counts from its start on; a visit is closed in one window only."""
    engine = loaded(full_engine, TABLE)
    parts = [engine.time_in_state(question=days(first, 5), is_full=False) for first in ("2026-03-01", "2026-03-06")]
    assert in_days(parts[0]) == {"doing": (2, 2, 1, 4), "review": (0, 0, 1, 1), "todo": (2, 2, 0, 0)}
    assert in_days(parts[1]) == {"doing": (1, 3, 0, 0), "done": (0, 0, 1, 3), "review": (1, 2, 0, 0)}


def test_full_takes_what_ends_in_the_window(full_engine: FullEngine) -> None:
    """P35: the whole of a visit, from wherever it began."""
    found = loaded(full_engine, TABLE).time_in_state(question=days("2026-03-06", 5), is_full=True)
    assert in_days(found) == {"doing": (1, 7, 0, 0), "done": (0, 0, 1, 3), "review": (1, 3, 0, 0)}


def test_the_ongoing_visit_is_as_long_as_now_says(full_engine: FullEngine) -> None:
    """The window is running: nothing is counted that has not been."""
    question = days("2026-03-01", 10, now=utc("2026-03-07T12:00"))
    assert in_days(loaded(full_engine, TABLE).time_in_state(question=question, is_full=False)) == {
        "doing": (2, 2, 1, 5.5),
        "review": (0, 0, 1, 2.5),
        "todo": (2, 2, 0, 0),
    }


def test_waiting_states_are_no_activity(full_engine: FullEngine) -> None:
    """From the first start, 2 March, to the finish on the 8th: two days of work of six."""
    engine = loaded(full_engine, TABLE)
    day = timedelta(days=1)
    assert engine.flow_efficiency(question=days("2026-03-01", 10)) == ("OK", 2 * day, 6 * day)
    assert engine.flow_efficiency(question=days("2026-03-01", 5)) == ("NO_DATA", 0 * day, 0 * day)
    unmarked = loaded(full_engine, TABLE.replace(":waiting", ""))
    assert unmarked.flow_efficiency(question=days("2026-03-01", 10)) == ("NOT_CONFIGURED", 5 * day, 6 * day)
