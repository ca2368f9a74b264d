"""Churn, the entry of the figure: work that came back or was given up."""

from collections.abc import Mapping
from typing import Any, Final

from analytics.engine.documents.tables import Data, Table, table_by_bucket
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.documents import shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.figures.churn import Churn as Found
from analytics.flow.graphql.churn import REOPEN_WITHIN, WITHIN, Churn, churn_node, days_asked
from analytics.flow.reading import canonical
from analytics.flow.reading.flow import FlowReading


def _table(data: Data) -> Table:
    found = data["analytics"]["churn"]
    return table_by_bucket(data["analytics"], {name: found[name] for name in ("reverts", "scopeAdded", "scopeRemoved")})


def _read(reading: FlowReading, given: Mapping[str, Any]) -> Found:
    return reading.churn(within=days_asked(given[WITHIN], argument=WITHIN))


def _churn(root: WindowAnswer, reopen_within_days: int = REOPEN_WITHIN) -> Churn:
    return churn_node(root.asked.figure("churn", **{WITHIN: reopen_within_days}))


CHURN: Final = Figure(
    name="churn",
    sentence="Work that came back or was given up, and change of scope.",
    unit=Unit.EVENTS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=0.5, in_window=5.0),
    read=_read,
    canonical=canonical.churn,
    resolver=_churn,
    defaults={WITHIN: REOPEN_WITHIN},
    parts=parts_of(Churn),
    drills={
        FlowMetric.ARRIVALS: ("scopeAdded",),
        FlowMetric.DEPARTURES: ("scopeRemoved",),
        FlowMetric.FINISH_EVENTS: ("finishEvents",),
        FlowMetric.REOPENED: ("reopened",),
        FlowMetric.BACKFLOW: ("backflow", "reverts", "edges.count", "edges.medianSeconds"),
        FlowMetric.ABANDONED: ("abandoned",),
        FlowMetric.REVERTED_ITEMS: ("revertedItems",),
        FlowMetric.STARTED_ITEMS: ("churnRate",),
        FlowMetric.FINISHED_STRAIGHT: ("firstPassYield",),
    },
    document=shipped("churn", table=_table),
)
