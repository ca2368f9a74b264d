"""Cumulative flow diagram, the entry of the figure."""

from collections.abc import Mapping
from typing import Any, Final

from analytics.engine.documents.tables import Data, Table, table_by_bucket
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_bucket
from analytics.engine.reading.costs import Weight
from analytics.flow.admin.cfd import FLOW
from analytics.flow.documents import shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.cumulative_flow import CumulativeFlow, FlowMode, flow_node
from analytics.flow.reading import canonical
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.results import CumulativeFlow as Found
from analytics.flow.reading.results import FlowMode as Mode


def _table(data: Data) -> Table:
    chart = data["analytics"]["cumulativeFlow"]
    lines = {each["state"]["slug"]: each["counts"] for each in chart["series"]}
    flows = {name: chart[name] for name in ("arrivals", "departures", "left", "discarded", "difference")}
    # A state may have any name; one of a flow's would hide it.
    states = {f"state:{slug}" if slug in flows else slug: counts for slug, counts in lines.items()}
    return table_by_bucket(
        data["analytics"], {**states, **flows, "workInProgress": data["analytics"]["workInProgress"]}
    )


def _read(reading: FlowReading, given: Mapping[str, Any]) -> Found:
    return reading.cumulative_flow(mode=Mode(given["mode"]), corrections=given.get("corrections", True))


def _cumulative_flow(root: WindowAnswer, mode: FlowMode = Mode.CUMULATIVE) -> CumulativeFlow:  # type: ignore[valid-type]
    return flow_node(root.asked.figure("cumulativeFlow", mode=Mode(mode).value))


CUMULATIVE_FLOW: Final = Figure(
    name="cumulativeFlow",
    sentence="The cumulative flow diagram.",
    unit=Unit.ITEMS,
    measure=Measure.STOCK,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_bucket,
    weight=Weight(in_window=1.5),
    read=_read,
    canonical=canonical.cumulative_flow,
    resolver=_cumulative_flow,
    defaults={"mode": Mode.CUMULATIVE.value},
    parts=parts_of(CumulativeFlow, beside=("mode",)),
    items=("correctionWindows", "corrections"),
    weight_with_items=Weight(fact=1.0, in_window=5.0, replayed=10.0),
    drills={
        FlowMetric.OCCUPANCY: ("series.counts",),
        FlowMetric.CUMULATIVE: ("series.counts",),
        FlowMetric.ARRIVALS: ("arrivals",),
        FlowMetric.DEPARTURES: ("departures",),
        FlowMetric.LEFT: ("left",),
        FlowMetric.DISCARDED: ("discarded",),
        FlowMetric.CORRECTION_WINDOWS: ("correctionWindows",),
    },
    chart=FLOW,
    document=shipped("cumulative-flow", table=_table),
)
