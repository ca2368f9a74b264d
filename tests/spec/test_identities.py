"""Sizes that are counted in two ways, from items and from movements: they are the same."""

from datetime import timedelta

import pytest

from tests.oracle.laws import Laws
from tests.oracle.questions import AsOf
from tests.spec.runner import FullEngine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done  Cancelled:cancelled
project OPS
states  Todo:todo  Doing:in_progress
define  WEB  2026-03-04 00:00  recategorise Todo in_progress
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 06:00  -  WEB-1  moved Doing
2026-03-03 09:00  -  WEB-1  moved Done
2026-03-01 09:00  -  WEB-2  created Doing
2026-03-02 18:00  -  WEB-2  moved Cancelled
2026-03-02 12:00  -  WEB-3  created Doing
2026-03-02 18:00  -  WEB-3  transferred OPS:Doing
2026-03-02 12:00  -  WEB-4  created Todo
"""


def test_littles_law(full_engine: FullEngine) -> None:
    """P20: item-seconds in progress are the integral of work in progress, to the microsecond."""
    found = loaded(full_engine, TABLE).laws(question=days("2026-03-02", 1))
    assert found == Laws(
        items=0,  # WEB-3 and WEB-4 came; WEB-2 was cancelled, WEB-3 went to another project
        work=0,
        work_time=timedelta(hours=18 + 18 + 6),
        lifetime=timedelta(hours=39 + 39 + 6 + 12),
    )


def test_a_transfer_inside_the_tenant_is_no_change(full_engine: FullEngine) -> None:
    """The clock of WEB-3 goes on."""
    found = loaded(full_engine, TABLE).laws(question=days("2026-03-02", 1, project=None))
    assert found is not None
    assert (found.items, found.work, found.work_time) == (1, 1, timedelta(hours=18 + 18 + 12))


@pytest.mark.parametrize(("as_of", "work", "hours"), [(AsOf.THEN, 1, 24), (AsOf.NOW, 0, 48)])
def test_a_state_that_becomes_work_brings_its_items(
    full_engine: FullEngine, as_of: AsOf, work: int, hours: int
) -> None:
    """P2: from the change on; no item moved."""
    found = loaded(full_engine, TABLE).laws(question=days("2026-03-03", 2, as_of=as_of))
    started = 9  # WEB-1, until it is done
    assert found is not None
    assert (found.items, found.work, found.work_time) == (0, work - 1, timedelta(hours=hours + started))


def test_time_runs_up_to_now(full_engine: FullEngine) -> None:
    """What is to come is no work in progress yet."""
    loaded(full_engine, TABLE)
    question = days("2026-03-02", 5, now=utc("2026-03-02 10:00"))
    found = full_engine.laws(question=question)
    assert found is not None
    assert (found.work, found.work_time) == (1, timedelta(hours=4 + 10))


def test_changes_of_an_actor_hold_no_items(full_engine: FullEngine) -> None:
    """P61: there is nothing that could be kept."""
    assert loaded(full_engine, TABLE).laws(question=days("2026-03-02", 1, actor="Ada")) is None
