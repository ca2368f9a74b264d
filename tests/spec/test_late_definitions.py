"""A definition that is recorded late counts from the day it came into force, for whoever knows of it."""

from datetime import datetime

import pytest

from tests.oracle.questions import Mode
from tests.spec.runner import Engine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Review
define  2026-03-02 00:00  2026-03-05 08:00  reorder Todo,Review,Doing,Done
"""


BEFORE = """
    todo    1 1 1
    doing   1 1 1
    review  1 1 1
"""
AFTER = """
    todo    1 1 1
    doing   1 0 0
    review  1 1 1
"""


@pytest.mark.parametrize(
    ("known_at", "expected", "changes"),
    [("2026-03-05 07:59", BEFORE, ()), ("2026-03-05 08:00", AFTER, (utc("2026-03-02"),))],
)
def test_the_order_is_the_one_that_was_known(
    engine: Engine, known_at: str, expected: str, changes: tuple[datetime, ...]
) -> None:
    """P2, P15."""
    question = days("2026-03-01", 3, known_at=utc(known_at))
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
    assert flow.definition_changes == changes
