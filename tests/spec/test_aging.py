"""How old work in progress is, beside what was finished lately."""

from datetime import timedelta

import pytest

from tests.oracle.aging import AgingItem
from tests.spec.runner import FullEngine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
project OPS
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 12:00  -  WEB-1  moved Doing
2026-03-01 12:00  -  WEB-1  assigned Ada
2026-03-02 12:00  -  WEB-1  moved Todo                 # returned: the clock goes on
2026-03-03 12:00  -  WEB-1  moved Review
2026-03-02 00:00  -  WEB-2  created Doing
2026-03-02 06:00  -  WEB-2  moved Done                 # 6 hours
2026-03-02 00:00  -  WEB-3  created Doing
2026-03-04 00:00  -  WEB-3  moved Done                 # 2 days
2026-03-02 00:00  -  WEB-4  created Done               # never started
2026-01-01 00:00  -  WEB-5  created Doing
2026-01-02 00:00  -  WEB-5  moved Done                 # within 90 days of March 5th, no more on April 3rd
2026-03-01 00:00  -  OPS-1  created Doing
2026-03-04 06:00  -  OPS-1  transferred WEB:Doing      # its clock goes on; its start is there
"""


def found(engine: FullEngine, **asked: object) -> dict[str, tuple[str, timedelta, int, int]]:
    """By item: the state, the age, how many were shorter, of how many. March 1st to 4th."""
    items = loaded(engine, TABLE).aging(question=days("2026-03-01", 4, **asked))  # type: ignore[arg-type]
    return {each.item: (each.state, each.age, each.shorter, each.compared) for each in items}


@pytest.mark.parametrize("project", ["WEB", None])
def test_age_runs_from_the_first_start(full_engine: FullEngine, project: str | None) -> None:
    """P22: returned or transferred, an item is as old; what was never started has no cycle time."""
    assert found(full_engine, project=project) == {
        "OPS-1": ("doing", timedelta(days=4), 3, 3),
        "WEB-1": ("review", timedelta(days=3, hours=12), 3, 3),
    }


def test_the_oldest_comes_first(full_engine: FullEngine) -> None:
    """With its start: that of its project does not matter."""
    first, second = loaded(full_engine, TABLE).aging(question=days("2026-03-01", 4))
    assert first == AgingItem(
        item="OPS-1", state="doing", started_at=utc("2026-03-01"), age=timedelta(days=4), shorter=3, compared=3
    )
    assert second.started_at == utc("2026-03-01 12:00")


def test_a_running_window_ends_now(full_engine: FullEngine) -> None:
    """P24: finished later is in progress still, and nothing to be compared with."""
    assert found(full_engine, now=utc("2026-03-02 05:00")) == {
        "WEB-1": ("doing", timedelta(hours=17), 0, 1),
        "WEB-2": ("doing", timedelta(hours=5), 0, 1),
        "WEB-3": ("doing", timedelta(hours=5), 0, 1),
    }


def test_ninety_days_are_looked_back(full_engine: FullEngine) -> None:
    """An item that was finished earlier is out of date."""
    items = loaded(full_engine, TABLE).aging(question=days("2026-04-02", 1))
    assert [(each.item, each.compared) for each in items] == [("OPS-1", 2), ("WEB-1", 2)]


@pytest.mark.parametrize(("assignee", "items"), [("Ada", ["WEB-1"]), ("Grace", [])])
def test_of_an_assignee_what_they_hold(full_engine: FullEngine, assignee: str, items: list[str]) -> None:
    """Compared with all that the project finished, whoever held it."""
    assert [(item, each[3]) for item, each in found(full_engine, assignee=assignee).items()] == [(i, 3) for i in items]


def test_of_an_actor_there_is_none(full_engine: FullEngine) -> None:
    """P61: changes hold no items."""
    assert found(full_engine, actor="Ada") == {}


RECATEGORISED = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
define  2026-03-03 00:00  recategorise Todo in_progress
facts
2026-03-01 09:00  -  WEB-1  created Todo
"""


def test_a_state_that_became_work(full_engine: FullEngine) -> None:
    """As with finishes: the item began when it came into the state that it is in."""
    (item,) = loaded(full_engine, RECATEGORISED).aging(question=days("2026-03-03", 1))
    assert (item.started_at, item.shorter, item.compared) == (utc("2026-03-01 09:00"), 0, 0)
