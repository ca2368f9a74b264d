"""Lead time, the entry of the figure: from arrival to finish."""

from collections.abc import Mapping
from typing import Any, Final

from analytics.engine.documents.tables import nodes, table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.documents import POINTS, shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.durations import Calendar, DurationSummary, summary_node
from analytics.flow.reading import canonical_durations
from analytics.flow.reading.durations import DurationSummary as Found
from analytics.flow.reading.flow import FlowReading
from analytics.pure.local_days import Calendar as Days


def _read(reading: FlowReading, given: Mapping[str, Any]) -> Found:
    return reading.durations.lead_time(calendar=Days(given["calendar"]), points=given.get("points", True))


def _lead_time(root: WindowAnswer, calendar: Calendar = Days.ELAPSED) -> DurationSummary:  # type: ignore[valid-type]
    return summary_node(root.asked.figure("leadTime", calendar=Days(calendar).value))


LEAD_TIME: Final = Figure(
    name="leadTime",
    sentence="From the first arrival on the board to the last finish, of the items that finished in the window.",
    unit=Unit.SECONDS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=2.0, in_window=2.0),
    read=_read,
    canonical=canonical_durations.summary,
    resolver=_lead_time,
    defaults={"calendar": Days.ELAPSED.value},
    parts=parts_of(DurationSummary),
    items=("points", "points"),
    drills={FlowMetric.LEAD_TIME: ("items", "points")},
    document=shipped(
        "lead-time", table=lambda data: table_by_row(nodes(data["analytics"]["leadTime"]["points"]), POINTS)
    ),
)
