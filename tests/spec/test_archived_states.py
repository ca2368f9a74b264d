"""An archived state stands with the last active state before it."""

from tests.oracle.corrections import CorrectionWindow
from tests.oracle.questions import Mode
from tests.spec.runner import LONG_AFTER, Engine, check_flow, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Old:in_progress  Ready:in_progress  Older:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Older
2026-03-01 10:00  -  WEB-1  moved Todo
define  2026-03-02 00:00  archive Old
define  2026-03-02 00:00  archive Older
2026-03-03 09:00  -  WEB-1  moved Ready
"""


def test_reaching_the_state_before_it_is_reaching_it(engine: Engine) -> None:
    """P27: so the correction window closes there, and work in progress begins at the first state that is left."""
    expected = """
        todo        1 1 1
        old         1 - -
        ready       1 1 1
        older       1 - -
        difference  1 1 0
    """
    question = days("2026-03-01", 3)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
    back = CorrectionWindow(item="WEB-1", opened_at=utc("2026-03-01 10:00"), closed_at=utc("2026-03-03 09:00"))
    assert flow.correction_windows == (back,)
    assert flow.definition_changes == (utc("2026-03-02"),)


def test_the_board_has_no_column_for_it(engine: Engine) -> None:
    """P27: from then on."""
    loaded(engine, TABLE)
    before = engine.board(project="WEB", at=utc("2026-03-02 00:00"), known_at=LONG_AFTER)
    after = engine.board(project="WEB", at=utc("2026-03-02 00:01"), known_at=LONG_AFTER)
    assert before.columns == {"todo": ("WEB-1",), "old": (), "ready": (), "older": (), "done": ()}
    assert after.columns == {"todo": ("WEB-1",), "ready": (), "done": ()}


def test_a_cancelled_state_before_it_is_no_place(engine: Engine) -> None:
    """P12, P27: behind Todo and a cancelled state, it stands with Todo."""
    table = """
    project WEB
    states  Todo:todo  Dropped:cancelled  Old:in_progress  Done:done
    facts
    2026-03-01 09:00  -  WEB-1  created Old
    define  2026-03-02 00:00  archive Old
    2026-03-03 09:00  -  WEB-1  moved Todo
    """
    flow = loaded(engine, table).cumulative_flow(question=days("2026-03-01", 4), mode=Mode.CUMULATIVE)
    assert flow.correction_windows == ()


def test_what_is_still_in_it_is_shown(engine: Engine) -> None:
    """P13, P27: an archived state with items has a band, or the bands would not sum to the items alive."""
    table = """
    project WEB
    states  Todo:todo  Old:in_progress  Done:done
    facts
    2026-03-01 09:00  -                 WEB-1  created Todo
    define  2026-03-02 00:00  archive Old
    2026-03-03 09:00  2026-03-05 09:00  WEB-1  moved Old
    """
    expected = """
        todo  0 0
        old   1 1
    """
    check_flow(loaded(engine, table), question=days("2026-03-03", 2), mode=Mode.OCCUPANCY, expected=expected)
