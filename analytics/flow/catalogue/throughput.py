"""Throughput, the entry of the figure."""

from typing import Final

from analytics.engine.documents.tables import Data, Table, table_by_bucket
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_bucket
from analytics.engine.reading.costs import Weight
from analytics.flow.admin.throughput import THROUGHPUT as CHART
from analytics.flow.documents import shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.throughput import Throughput, throughput_node
from analytics.flow.reading import canonical


def _table(data: Data) -> Table:
    found = data["analytics"]
    return table_by_bucket(found, {**found["throughput"], "workInProgress": found["workInProgress"]})


def _throughput(root: WindowAnswer) -> Throughput:
    return throughput_node(root.asked.figure("throughput"))


THROUGHPUT: Final = Figure(
    name="throughput",
    sentence="What was finished and cancelled.",
    unit=Unit.ITEMS,
    measure=Measure.RELATIVE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_bucket,
    weight=Weight(in_window=2.0),
    read=lambda reading, given: reading.throughput(),
    canonical=canonical.throughput,
    resolver=_throughput,
    parts=parts_of(Throughput),
    drills={
        FlowMetric.FINISHED: ("finished",),
        FlowMetric.FINISH_EVENTS: ("finishEvents",),
        FlowMetric.CANCELLED: ("cancelled",),
    },
    chart=CHART,
    document=shipped("throughput", table=_table),
)
