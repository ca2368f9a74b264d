"""There and back at one instant is a correction of no length: it belongs to the window that contains the instant."""

import pytest

from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Doing
2026-03-02 00:00  -  WEB-1  moved Todo
2026-03-02 00:00  -  WEB-1  moved Doing
"""


@pytest.mark.parametrize(("first", "count"), [("2026-03-01", 0), ("2026-03-02", 1), ("2026-03-03", 0)])
def test_it_is_in_one_window(engine: Engine, first: str, count: int) -> None:
    """P5: in the one that starts at its instant, neither in the one before nor in the one after."""
    found = CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-02"), closed_at=utc("2026-03-02"))
    flow = loaded(engine, TABLE).cumulative_flow(question=days(first, 1), mode=Mode.CUMULATIVE)
    assert flow.correction_windows == (found,) * count
