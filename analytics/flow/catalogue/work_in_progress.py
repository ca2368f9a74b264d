"""Work in progress, the entry of the figure."""

from typing import Final

from analytics.engine.figure import Figure, Measure, Unit, as_it_is
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import by_bucket
from analytics.engine.reading.costs import Weight
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION


def _work_in_progress(root: WindowAnswer) -> list[int | None]:
    found: list[int | None] = root.asked.figure("workInProgress")
    return found


WORK_IN_PROGRESS: Final = Figure(
    name="workInProgress",
    sentence="Items in states of category IN_PROGRESS at each bucket's end; null: not known.",
    unit=Unit.ITEMS,
    measure=Measure.STOCK,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_bucket,
    weight=Weight(in_window=0.7),
    read=lambda reading, given: reading.work_in_progress(),
    canonical=as_it_is,
    resolver=_work_in_progress,
    drills={FlowMetric.WORK_IN_PROGRESS: ("",)},
)
