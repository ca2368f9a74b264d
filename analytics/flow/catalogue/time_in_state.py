"""Time in state, the entry of the figure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from analytics.engine.documents.tables import table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.admin.time_in_state import TIME_IN_STATE as CHART
from analytics.flow.documents import STATE, shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.durations import TimeInState, WindowClip, time_in_state_nodes
from analytics.flow.reading import canonical_durations
from analytics.flow.reading.durations import Clip
from analytics.flow.reading.durations import TimeInState as Found
from analytics.flow.reading.flow import FlowReading

COLUMNS: Final = (
    *STATE,
    *(
        "state.category",
        "state.waiting",
        "visits",
        "totalSeconds",
        "meanSeconds",
        "p50Seconds",
        "p85Seconds",
        "p95Seconds",
    ),
    *("maxSeconds", "ongoingVisits", "ongoingSeconds"),
)


def _read(reading: FlowReading, given: Mapping[str, Any]) -> Sequence[Found]:
    return reading.durations.time_in_state(clip=Clip(given["clip"]))


def _time_in_state(root: WindowAnswer, clip: WindowClip = Clip.CLIP) -> list[TimeInState]:  # type: ignore[valid-type]
    return time_in_state_nodes(root.asked.figure("timeInState", clip=Clip(clip).value))


TIME_IN_STATE: Final = Figure(
    name="timeInState",
    sentence="How long items stayed in each state, in workflow order, cancelled states apart: visits that ended"
    " in the window, and apart from them those that last at its end. Clipped, their seconds together"
    " add up across windows. Of an actor: the visits that this actor's changes ended.",
    unit=Unit.SECONDS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=2.0, in_window=2.0),
    read=_read,
    canonical=canonical_durations.time_in_state,
    resolver=_time_in_state,
    defaults={"clip": Clip.CLIP.value},
    drills={
        FlowMetric.VISITS: ("visits", "totalSeconds"),
        FlowMetric.ONGOING_VISITS: ("ongoingVisits", "ongoingSeconds"),
    },
    chart=CHART,
    document=shipped("time-in-state", table=lambda data: table_by_row(data["analytics"]["timeInState"], COLUMNS)),
)
