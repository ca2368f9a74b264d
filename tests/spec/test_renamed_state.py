"""A rename keeps one series; the label follows definitionAsOf."""

import pytest

from tests.oracle.questions import AsOf, Mode
from tests.spec.runner import Engine, FullEngine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Doing
define  2026-03-03 00:00  rename Doing -> Building
2026-03-03 09:00  -  WEB-2  created Building
"""


@pytest.mark.parametrize(
    ("count", "as_of", "name"),
    [(2, AsOf.THEN, "Doing"), (2, AsOf.NOW, "Building"), (4, AsOf.THEN, "Building"), (4, AsOf.NOW, "Building")],
)
def test_the_label_is_that_of_then_or_now(engine: Engine, count: int, as_of: AsOf, name: str) -> None:
    """P28: THEN is the window's end."""
    question = days("2026-03-01", count, as_of=as_of)
    flow = loaded(engine, TABLE).cumulative_flow(question=question, mode=Mode.OCCUPANCY)
    assert flow.names["doing"] == name


@pytest.mark.parametrize("as_of", AsOf)
def test_the_series_goes_on(engine: Engine, as_of: AsOf) -> None:
    """P28: a rename moves no item."""
    expected = """
        doing       1 1 2 2
        arrivals    1 0 1 0
        departures  0 0 0 0
    """
    question = days("2026-03-01", 4, as_of=as_of)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
    assert flow.definition_changes == (utc("2026-03-03"),)


@pytest.mark.parametrize("as_of", AsOf)
def test_it_is_no_transition(full_engine: FullEngine, as_of: AsOf) -> None:
    """P28."""
    edges = loaded(full_engine, TABLE).transitions(question=days("2026-03-01", 4, as_of=as_of))
    assert {edge: found.count for edge, found in edges.items()} == {(None, "doing"): 2}
