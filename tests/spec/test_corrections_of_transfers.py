"""An item that is behind on two boards in turn has a correction window on each."""

import pytest

from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
project OPS
states  Todo:todo  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Doing
2026-03-02 09:00  -  WEB-1  transferred OPS:Done
2026-03-03 09:00  -  WEB-1  transferred WEB:Todo   # behind what it reached here on the first day
2026-03-04 09:00  -  WEB-1  transferred OPS:Todo   # and there
"""
IN_WEB = CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-03 09:00"), closed_at=utc("2026-03-04 09:00"))
IN_OPS = CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-04 09:00"), closed_at=None)


@pytest.mark.parametrize(
    ("project", "windows"), [("WEB", (IN_WEB,)), ("OPS", (IN_OPS,)), (None, (IN_WEB, IN_OPS))], ids=str
)
def test_the_transfer_closes_one_and_opens_the_other(
    engine: Engine, project: str | None, windows: tuple[CorrectionWindow, ...]
) -> None:
    """P7: the tenant's chart has those of all its boards."""
    question = days("2026-03-01", 5, project=project)
    flow = loaded(engine, TABLE).cumulative_flow(question=question, mode=Mode.CUMULATIVE)
    assert flow.correction_windows == windows
