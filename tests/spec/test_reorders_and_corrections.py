"""Whether an item is behind is judged at its own moves, all of its past by the order in force then."""

from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import AsOf, Mode
from tests.spec.runner import Engine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  A:in_progress  B:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created A
2026-03-01 09:00  -  WEB-2  created A
2026-03-01 10:00  -  WEB-2  moved B
define  2026-03-02 00:00  reorder Todo,B,A,Done
2026-03-03 09:00  -  WEB-1  moved B       # from the second place to the first
2026-03-03 09:00  -  WEB-2  moved B       # repeats the state
2026-03-04 09:00  -  WEB-2  moved Todo
2026-03-04 10:00  -  WEB-2  moved B       # not yet at A again
2026-03-04 11:00  -  WEB-2  moved A
"""


def test_the_order_of_the_move_judges_the_past(engine: Engine) -> None:
    """P2, P7: when A was entered it was the first place; now it is beyond B."""
    flow = loaded(engine, TABLE).cumulative_flow(question=days("2026-03-01", 5), mode=Mode.CUMULATIVE)
    assert flow.correction_windows == (
        CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-03 09:00"), closed_at=None),
        CorrectionWindow(item="WEB-2", opened_at=utc("2026-03-04 09:00"), closed_at=utc("2026-03-04 11:00")),
    )


def test_todays_order_judges_all_of_it(engine: Engine) -> None:
    """P2: as if B had always come first."""
    question = days("2026-03-01", 5, as_of=AsOf.NOW)
    flow = loaded(engine, TABLE).cumulative_flow(question=question, mode=Mode.CUMULATIVE)
    assert [(window.item, window.opened_at, window.closed_at) for window in flow.correction_windows] == [
        ("WEB-2", utc("2026-03-01 10:00"), utc("2026-03-04 11:00")),
        ("WEB-1", utc("2026-03-03 09:00"), None),
    ]
