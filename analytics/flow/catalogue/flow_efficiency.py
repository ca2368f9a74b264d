"""Flow efficiency, the entry of the figure."""

from typing import Final

from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.durations import Ratio, ratio_node
from analytics.flow.reading import canonical_durations


def _flow_efficiency(root: WindowAnswer) -> Ratio | None:
    return ratio_node(root.asked.figure("flowEfficiency"))


FLOW_EFFICIENCY: Final = Figure(
    name="flowEfficiency",
    sentence="Time in IN_PROGRESS states that are not waiting / time from first start to finish, summed over the"
    " items that finished in the window. NOT_CONFIGURED where no state is marked waiting.",
    unit=Unit.RATIO,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=2.0, in_window=2.0),
    read=lambda reading, given: reading.durations.flow_efficiency(),
    canonical=canonical_durations.ratio,
    resolver=_flow_efficiency,
    parts=parts_of(Ratio),
    drills={FlowMetric.CYCLE_TIME: ("denominator",), FlowMetric.FLOW_EFFICIENCY: ("numerator",)},
)
