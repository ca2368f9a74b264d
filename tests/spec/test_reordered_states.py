"""A reorder changes no day before it, unless today's order is asked for."""

import pytest

from tests.oracle.questions import AsOf, Mode
from tests.spec.runner import Engine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 09:00  -  WEB-2  created Todo
2026-03-02 09:00  -  WEB-1  moved Review
2026-03-02 10:00  -  WEB-2  moved Doing
define  2026-03-04 00:00  reorder Todo,Review,Doing,Done
2026-03-05 09:00  -  WEB-2  moved Done
"""


THEN = """
    todo        2 2 2 2 2
    doing       0 2 2 1 1
    review      0 1 1 2 2
    done        0 0 0 0 1
    difference  0 0 0 0 0
"""
NOW = """
    todo        2 2 2 2 2
    doing       0 1 1 1 1
    review      0 2 2 2 2
    done        0 0 0 0 1
    difference  0 0 0 0 0
"""
OCCUPANCY = """
    todo    2 0 0 0 0
    doing   0 1 1 1 0
    review  0 1 1 1 1
    done    0 0 0 0 1
"""


@pytest.mark.parametrize(("as_of", "expected"), [(AsOf.THEN, THEN), (AsOf.NOW, NOW)])
def test_lines_follow_the_order_that_is_asked_for(engine: Engine, as_of: AsOf, expected: str) -> None:
    """P2: a line may fall on the day of the reorder, and the break is marked."""
    question = days("2026-03-01", 5, as_of=as_of)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
    assert flow.definition_changes == (utc("2026-03-04"),)


def test_days_before_a_reorder_stay_as_they_were(engine: Engine) -> None:
    """P2: with the definitions of THEN, the days before are the same as if nobody had reordered."""
    question = days("2026-03-01", 3)
    before = "".join(line for line in TABLE.splitlines(keepends=True) if not line.startswith("define"))
    untouched = loaded(engine, before).cumulative_flow(question=question, mode=Mode.CUMULATIVE)
    assert loaded(engine, TABLE).cumulative_flow(question=question, mode=Mode.CUMULATIVE) == untouched


@pytest.mark.parametrize("as_of", AsOf)
def test_occupancy_knows_no_order(engine: Engine, as_of: AsOf) -> None:
    """P2."""
    question = days("2026-03-01", 5, as_of=as_of)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=OCCUPANCY)
