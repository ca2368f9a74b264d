"""Board of a project, counted at an instant and not over a window."""

from typing import Final

from analytics.engine.figure import Measure, Metric, Unit
from analytics.flow.family import TRANSITIONS, VERSION

BOARD_ROWS: Final = 5_000
BOARD: Final = Metric(
    name="board",
    sentence="The states in order, each with its tasks.",
    unit=Unit.ITEMS,
    measure=Measure.STOCK,
    family=TRANSITIONS.name,
    version=VERSION,
    price=lambda asked: BOARD_ROWS,
)
