"""A new category is a definition, not a move: it changes what counts from then on, and moves nothing."""

import pytest

from tests.oracle.questions import AsOf, Mode
from tests.spec.runner import Engine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Parked:todo  Doing:in_progress  Review:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Review
2026-03-01 09:00  -  WEB-2  created Parked
define  2026-03-03 00:00  recategorise Review todo
define  2026-03-04 00:00  recategorise Parked cancelled
"""


OCCUPANCY_THEN = """
    review      1 1 1 1
    parked      1 1 1 -
    arrivals    2 0 0 0
    departures  0 0 0 0
"""
OCCUPANCY_NOW = """
    review      1 1 1 1
    arrivals    1 0 0 0
    departures  0 0 0 0
"""
CUMULATIVE_THEN = """
    todo        2 2 2 1
    parked      2 2 2 -
    doing       1 1 1 1
    review      1 1 1 1
    difference  0 0 1 1
"""
CUMULATIVE_NOW = """
    todo        1 1 1 1
    doing       1 1 1 1
    review      1 1 1 1
    difference  1 1 1 1
"""


@pytest.mark.parametrize(
    ("as_of", "mode", "expected"),
    [
        (AsOf.THEN, Mode.OCCUPANCY, OCCUPANCY_THEN),
        (AsOf.NOW, Mode.OCCUPANCY, OCCUPANCY_NOW),
        (AsOf.THEN, Mode.CUMULATIVE, CUMULATIVE_THEN),
        (AsOf.NOW, Mode.CUMULATIVE, CUMULATIVE_NOW),
    ],
)
def test_categories_hold_then_or_now(engine: Engine, as_of: AsOf, mode: Mode, expected: str) -> None:
    """P2: a state that becomes CANCELLED loses its band and its line, and its items no longer count."""
    question = days("2026-03-01", 4, as_of=as_of)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=mode, expected=expected)
    assert flow.definition_changes == (utc("2026-03-03"), utc("2026-03-04"))


@pytest.mark.parametrize(("as_of", "values"), [(AsOf.THEN, (1, 1, 0, 0)), (AsOf.NOW, (0, 0, 0, 0))])
def test_work_in_progress_follows(engine: Engine, as_of: AsOf, values: tuple[int, ...]) -> None:
    """P2."""
    question = days("2026-03-01", 4, as_of=as_of)
    assert loaded(engine, TABLE).work_in_progress(question=question) == values
