"""Finished, opened and finished again at one instant: the order of recording says which of them lasts."""

import pytest

from tests.oracle.completion import Throughput
from tests.spec.runner import FullEngine, days, loaded

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Doing
2026-03-02 09:00  -  WEB-1  moved Done by Ada
2026-03-02 09:00  -  WEB-1  moved Doing by Grace
2026-03-01 09:00  -  WEB-2  created Doing
2026-03-02 09:00  -  WEB-2  moved Done by Ada
2026-03-02 09:00  -  WEB-2  moved Doing by Ada
2026-03-02 09:00  -  WEB-2  moved Done by Grace
"""


@pytest.mark.parametrize(
    ("actor", "finished", "events"), [(None, (0, 1), (0, 3)), ("Ada", (0, 0), (0, 2)), ("Grace", (0, 1), (0, 1))]
)
def test_the_last_recorded_lasts(
    full_engine: FullEngine, actor: str | None, finished: tuple[int, ...], events: tuple[int, ...]
) -> None:
    """P24: each finish is an event, and only the stay that lasts is a finish of the item."""
    figures = loaded(full_engine, TABLE).throughput(question=days("2026-03-01", 2, actor=actor))
    assert figures == Throughput(finished=finished, finish_events=events, cancelled=(0, 0))
