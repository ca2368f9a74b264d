"""A forecast draws from the window's whole days, as they were finished."""

from datetime import date

import pytest

from tests.oracle.forecast import Forecast
from tests.oracle.questions import local_days
from tests.spec.runner import FullEngine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 00:00  -  WEB-1   created Doing
2026-03-01 09:00  -  WEB-1   moved Done
2026-03-02 09:00  -  WEB-2   created Done by Ada
2026-03-03 09:00  -  WEB-3   created Done
2026-03-04 09:00  -  WEB-4   created Done
2026-03-05 09:00  -  WEB-5   created Done
2026-03-05 10:00  -  WEB-6   created Done
2026-03-06 09:00  -  WEB-6   moved Doing          # reopened: it has not finished
2026-03-07 09:00  -  WEB-7   created Done         # on a day that is still running, where it is asked that day
"""
SEVENTH = utc("2026-03-07T12:00")


def test_whole_days_are_drawn_from(full_engine: FullEngine) -> None:
    """Of six days over, five have a finish; the running day is where the forecast begins."""
    loaded(full_engine, TABLE)
    found = full_engine.forecast(
        question=days("2026-03-01", 7, now=SEVENTH), until=date(2026, 3, 7), trials=200, seed=1
    )
    assert (found.history_days, found.first_day, found.backtest) == (6, date(2026, 3, 7), None)
    assert found.points == {50: 1, 70: 1, 85: 0, 95: 0}


def test_days_before_all_records_are_none(full_engine: FullEngine) -> None:
    """P61: what is not known is not zero."""
    loaded(full_engine, TABLE)
    early = full_engine.forecast(question=days("2026-02-20", 16), until=date(2026, 3, 8), trials=10, seed=1)
    late = full_engine.forecast(question=days("2026-03-01", 7), until=date(2026, 3, 8), trials=10, seed=1)
    assert (early.history_days, early.first_day) == (7, date(2026, 3, 8))
    assert early == late


@pytest.mark.parametrize(("actor", "assignee"), [("Ada", None), (None, "Ada")])
def test_too_few_days_with_a_finish(full_engine: FullEngine, actor: str | None, assignee: str | None) -> None:
    """P39: one person's changes have one, and nobody's hands have none."""
    loaded(full_engine, TABLE)
    question = days("2026-03-01", 7, actor=actor, assignee=assignee)
    nothing = Forecast(history_days=7, first_day=date(2026, 3, 8), points={}, backtest=None)
    assert full_engine.forecast(question=question, items=1, trials=10, seed=1) == nothing


def rows(day: int, *words: str) -> str:
    """Facts of that day of a long project."""
    first = date(2026, 3, 1).toordinal()
    on = date.fromordinal(first + day)
    return "\n".join(f"{on} 09:00 - WEB-{day}{word}" for word in words)


LONG = "\n".join(
    [
        "project WEB since=2026-03-01",
        "states Todo:todo Doing:in_progress Done:done",
        *(rows(day, "1 created Done") for day in range(49)),
        *(rows(day, "2 created Done") for day in range(0, 49, 2)),
        # What was finished in the sixth week is reopened in the tenth: no forecast made before it may know.
        *(f"2026-05-05 09:00 - WEB-{day}1 moved Doing" for day in range(35, 42)),
        *(rows(day, "3 created Doing") for day in range(49, 70)),
    ]
)


def test_the_back_test_does_not_look_ahead(full_engine: FullEngine) -> None:
    """P38: five weeks held; in the three after the work stopped nothing came."""
    loaded(full_engine, LONG)
    found = full_engine.forecast(question=days("2026-03-01", 70), until=date(2026, 5, 16), trials=50, seed=1)
    assert (found.history_days, found.backtest) == (70, (5, 8))
    assert len(local_days(first=date(2026, 3, 1), count=70, zone="UTC")) == 70
