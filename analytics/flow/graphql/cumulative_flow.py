"""Cumulative flow diagram, as the API shows it."""

from datetime import datetime

import strawberry

from analytics.engine.figure import Measure, Unit
from analytics.engine.graphql.figures import counts
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from analytics.flow.reading import results as flows

FlowMode = strawberry.enum(
    flows.FlowMode,
    name="FlowMode",
    description="CUMULATIVE: items whose furthest state so far is the line's or beyond. OCCUPANCY: items in the state.",
)


@strawberry.type(description="One state's numbers.")
class StateSeries:
    state: WorkflowState = strawberry.field(description="The state; of a whole tenant, all states of that slug as one.")
    counts: list[int | None] = strawberry.field(description="Items at each bucket's end; null where nothing is known.")


@strawberry.type(description="A time in which an item was behind the furthest state that it had reached.")
class CorrectionWindow:
    task_key: str = strawberry.field(description="The item.")
    from_: datetime = strawberry.field(name="from", description="When it moved back, UTC.")
    to: datetime | None = strawberry.field(
        description="When it was there again, or left the board, UTC; null while it is behind at the window's end."
    )


@strawberry.type(description="The cumulative flow diagram. All lists have one number per bucket; null: not known.")
class CumulativeFlow:
    mode: FlowMode = strawberry.field(description="What the lines count.")  # type: ignore[valid-type]
    series: list[StateSeries] = strawberry.field(
        description="A line or band per state, in workflow order.", metadata=counts(Unit.ITEMS, Measure.STOCK)
    )
    arrivals: list[int | None] = strawberry.field(
        description="Items that came to the board in the bucket.", metadata=counts(Unit.ITEMS, Measure.FLOW)
    )
    departures: list[int | None] = strawberry.field(
        description="Items that left the board in the bucket. Change of items on the board = arrivals - departures.",
        metadata=counts(Unit.ITEMS, Measure.FLOW),
    )
    left: list[int | None] = strawberry.field(
        description="Items discarded, cancelled or transferred out in the bucket: CUMULATIVE lines keep them.",
        metadata=counts(Unit.ITEMS, Measure.FLOW),
    )
    discarded: list[int | None] = strawberry.field(
        description="Of those that left, the ones that were discarded.", metadata=counts(Unit.ITEMS, Measure.FLOW)
    )
    definition_changes: list[datetime] = strawberry.field(
        description="When states were renamed, reordered, recategorised, added or archived within the window, UTC.",
        metadata=counts(Unit.INSTANTS),
    )
    correction_windows: list[CorrectionWindow] = strawberry.field(
        description="When items were behind their furthest state, in order of their beginning.",
        metadata=counts(Unit.ITEMS),
    )
    difference: list[int | None] = strawberry.field(
        description="CUMULATIVE gap (reached IN_PROGRESS less reached DONE) minus work in progress. Returns, leavings and"
        " reopens explain it.",
        metadata=counts(Unit.ITEMS, Measure.STOCK),
    )


def flow_node(found: flows.CumulativeFlow) -> CumulativeFlow:
    """The diagram as the API shows it."""
    return CumulativeFlow(
        mode=found.mode,
        series=[StateSeries(state=state_node(each.state), counts=list(each.counts)) for each in found.series],
        arrivals=list(found.arrivals),
        departures=list(found.departures),
        left=list(found.left),
        discarded=list(found.discarded),
        definition_changes=list(found.definition_changes),
        correction_windows=[
            CorrectionWindow(task_key=each.item.key, from_=each.begin, to=each.end) for each in found.correction_windows
        ],
        difference=list(found.difference),
    )
