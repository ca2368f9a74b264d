"""Bottlenecks, the entry of the figure: states by time waited."""

from typing import Final

from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.durations import TimeInState, time_in_state_nodes
from analytics.flow.reading import canonical_durations
from tasks_app.errors import ApiError

MOST_STATES: Final = 500


def _bottlenecks(root: WindowAnswer, first: int = 3) -> list[TimeInState]:
    if not 1 <= first <= MOST_STATES:
        raise ApiError(f"first: {first} is out of range; pass a number from 1 to {MOST_STATES}.")
    return time_in_state_nodes(root.asked.figure("bottlenecks", first=first))


BOTTLENECKS: Final = Figure(
    name="bottlenecks",
    sentence="The states by time waited, the worst first: all seconds of their visits inside the window, ongoing"
    " ones included. States that are DONE or cancelled are left out, and so are those in which nothing"
    " was.",
    unit=Unit.SECONDS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=2.0, in_window=2.0),
    read=lambda reading, given: reading.durations.bottlenecks(first=given["first"]),
    canonical=canonical_durations.time_in_state,
    resolver=_bottlenecks,
    defaults={"first": 3},
    drills={
        FlowMetric.VISITS: ("visits", "totalSeconds"),
        FlowMetric.ONGOING_VISITS: ("ongoingVisits", "ongoingSeconds"),
    },
)
