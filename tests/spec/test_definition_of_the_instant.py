"""A definition and a fact of one instant: the fact meets the new definition, the bucket that ends there the old one."""

from tests.oracle.completion import Throughput
from tests.oracle.questions import Mode
from tests.spec.runner import Engine, FullEngine, days, loaded, utc

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Review:in_progress:waiting  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Doing
define  2026-03-02 00:00  recategorise Review done
2026-03-02 00:00  -  WEB-1  moved Review
"""


def test_the_move_is_a_finish(full_engine: FullEngine) -> None:
    """The state is DONE from that instant on."""
    figures = loaded(full_engine, TABLE).throughput(question=days("2026-03-01", 2))
    assert figures == Throughput(finished=(0, 1), finish_events=(0, 1), cancelled=(0, 0))


def test_the_item_is_in_progress_until_then(engine: Engine) -> None:
    """The state is DONE from that instant on."""
    assert loaded(engine, TABLE).work_in_progress(question=days("2026-03-01", 2)) == (1, 0)


def test_the_bucket_that_ends_there_knows_nothing_of_it(engine: Engine) -> None:
    """Windows are half-open, for definitions too."""
    loaded(engine, TABLE)
    first = engine.cumulative_flow(question=days("2026-03-01", 1), mode=Mode.CUMULATIVE)
    second = engine.cumulative_flow(question=days("2026-03-02", 1), mode=Mode.CUMULATIVE)
    assert (first.definition_changes, second.definition_changes) == ((), (utc("2026-03-02"),))
    assert (first.difference, second.difference) == ((0,), (0,))
