"""The comparison of an answer with a chart: it must be able to fail."""

from dataclasses import replace

import pytest

from tests.facts_as_text import parse
from tests.oracle.flow import cumulative_flow
from tests.oracle.questions import Mode
from tests.spec.runner import OracleEngine, chart, check_flow, days, differences

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 09:00  -  WEB-1  moved Doing
"""
FLOW = cumulative_flow(history=parse(TABLE), question=days("2026-03-01", 2), mode=Mode.OCCUPANCY)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("todo 1 0\ndoing 0 1\narrivals 1 0", []),
        ("todo 1 0\ndoing 0 2", ["doing: (0, 1) instead of (0, 2)"]),
        ("todo 1 -\ndoing 0 1", ["todo: (1, 0) instead of (1, None)"]),
        ("todo 1 0\ndoing 0 1\nready 0 0", ["ready: None instead of (0, 0)"]),
        ("todo 1 0", ["doing: (0, 1) instead of nothing"]),
        ("todo 1 0\ndoing 0 1\nleft 0 1", ["left: (0, 0) instead of (0, 1)"]),
    ],
)
def test_each_row_that_differs_is_named(expected: str, found: list[str]) -> None:
    """P61: null is not 0, and a series that the chart leaves out must have nothing in it."""
    assert differences(flow=FLOW, expected=expected) == found


def test_a_null_value_is_not_nothing() -> None:
    """P61: a band of nulls may be left out of the chart, one that holds an item at any time may not."""
    nulls = replace(FLOW, series={"todo": (None, None)})
    assert differences(flow=nulls, expected="") == []
    assert differences(flow=replace(FLOW, series={"todo": (None, 1)}), expected="") == [
        "todo: (None, 1) instead of nothing"
    ]


def test_a_chart_is_rows_of_values() -> None:
    """`-` is null, a figure may be negative."""
    assert chart(text="\n  todo  1 -\n\n  difference -1 0\n") == {"todo": (1, None), "difference": (-1, 0)}


def test_a_wrong_answer_fails() -> None:
    """The check raises, with the difference in its message."""
    engine = OracleEngine()
    engine.load(history=parse(TABLE))
    with pytest.raises(AssertionError, match=r"doing: \(0, 1\) instead of \(0, 2\)"):
        check_flow(engine, question=days("2026-03-01", 2), mode=Mode.OCCUPANCY, expected="todo 1 0\ndoing 0 2")
