"""Two states of one name, and one that has been archived."""

from tests.oracle.questions import AsOf, Mode
from tests.spec.runner import Engine, check_flow, days, loaded

TABLE = """
project WEB
states  Todo:todo  Review:in_progress  Review:in_progress  Old:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-01 10:00  -  WEB-2  created Review
2026-03-01 12:00  -  WEB-1  moved Old
2026-03-02 12:00  -  WEB-1  moved review-2
define  2026-03-03 00:00  archive Old
2026-03-04 09:00  -  WEB-1  moved Done
"""


def test_states_of_one_name_are_two_bands(engine: Engine) -> None:
    """P27: identity is by id; the name is a label."""
    expected = """
        review    1 1 1 1
        review-2  0 1 1 0
        old       1 0 0 0
        done      0 0 0 1
    """
    question = days("2026-03-01", 4)
    flow = check_flow(loaded(engine, TABLE), question=question, mode=Mode.OCCUPANCY, expected=expected)
    assert (flow.names["review"], flow.names["review-2"]) == ("Review", "Review")


def test_an_archived_state_has_no_line_from_then_on(engine: Engine) -> None:
    """P27: what was reached through it is still counted in the lines before it."""
    expected = """
        todo      2 2 2 2
        review    2 2 2 2
        review-2  1 1 1 1
        old       1 1 - -
        done      0 0 0 1
    """
    check_flow(loaded(engine, TABLE), question=days("2026-03-01", 4), mode=Mode.CUMULATIVE, expected=expected)


def test_in_todays_order_an_archived_state_stands_with_the_one_before_it(engine: Engine) -> None:
    """P27."""
    expected = """
        todo      2 2 2 2
        review    2 2 2 2
        review-2  1 1 1 1
        done      0 0 0 1
    """
    question = days("2026-03-01", 4, as_of=AsOf.NOW)
    check_flow(loaded(engine, TABLE), question=question, mode=Mode.CUMULATIVE, expected=expected)
