"""A backward move rewrites no past day: it opens a correction window."""

from dataclasses import replace

import pytest

from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 09:00  -  WEB-2  created Todo
2026-03-01 09:00  -  WEB-3  created Doing
2026-03-01 10:00  -  WEB-1  moved Doing
2026-03-02 10:00  -  WEB-1  moved Review
2026-03-02 11:00  -  WEB-2  moved Review
2026-03-03 10:00  -  WEB-1  moved Doing       # below its furthest
2026-03-03 11:00  -  WEB-2  moved Todo        # below its furthest
2026-03-04 11:00  -  WEB-2  moved Doing       # still below
2026-03-04 12:00  -  WEB-3  moved Todo        # below, and stays there
2026-03-05 10:00  -  WEB-1  moved Review      # there again
2026-03-05 11:00  -  WEB-2  discarded         # gone
"""


FIRST = CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-03 10:00"), closed_at=utc("2026-03-05 10:00"))
SECOND = CorrectionWindow(item="WEB-2", opened_at=utc("2026-03-03 11:00"), closed_at=utc("2026-03-05 11:00"))
THIRD = CorrectionWindow(item="WEB-3", opened_at=utc("2026-03-04 12:00"), closed_at=None)


def test_lines_stay_while_bands_fall(engine: Engine) -> None:
    """P7."""
    cumulative = """
        todo        3 3 3 3 3 3
        doing       2 3 3 3 3 3
        review      0 2 2 2 2 2
        difference  0 0 1 1 2 2
        left        0 0 0 0 1 0
    """
    occupancy = """
        todo        1 0 1 1 1 1
        doing       2 1 2 2 0 0
        review      0 2 0 0 1 1
        difference  0 0 1 1 2 2
    """
    question = days("2026-03-01", 6)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=cumulative)
    check_flow(engine, question=question, mode=Mode.OCCUPANCY, expected=occupancy)
    assert engine.work_in_progress(question=question) == (2, 3, 2, 2, 1, 1)


@pytest.mark.parametrize(
    ("first", "count", "expected"),
    [
        ("2026-03-01", 6, (FIRST, SECOND, THIRD)),
        ("2026-03-01", 2, ()),
        ("2026-03-01", 3, (replace(FIRST, closed_at=None), replace(SECOND, closed_at=None))),
        ("2026-03-05", 2, (FIRST, SECOND, THIRD)),
        ("2026-03-06", 1, (THIRD,)),
    ],
)
def test_windows_that_overlap_are_returned(
    engine: Engine, first: str, count: int, expected: tuple[CorrectionWindow, ...]
) -> None:
    """Each from the fall to the recovery or the leaving; open when that comes after the end of what was asked."""
    flow = loaded(engine, TABLE).cumulative_flow(question=days(first, count), mode=Mode.CUMULATIVE)
    assert flow.correction_windows == expected
