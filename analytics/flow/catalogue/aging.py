"""Age of work in progress, the entry of the figure."""

from typing import Final

from analytics.engine.documents.tables import nodes, table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.admin.aging import AGING as CHART
from analytics.flow.documents import STATE, shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.aging import AgingItem, aging_connection
from analytics.flow.reading import canonical
from tasks_app.http.connections import Connection, PageArgs

COLUMNS: Final = ("taskKey", *STATE, "startedAt", "ageSeconds", "ageDays", "percentile")


def _aging(root: WindowAnswer, page: PageArgs) -> Connection[AgingItem]:
    return aging_connection(root.asked.figure("aging"), args=page)


AGING: Final = Figure(
    name="aging",
    sentence="Items in progress at the window's end, or now while it runs, with their age from their start,"
    " oldest first.",
    unit=Unit.ITEMS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=2.0, in_window=2.0),
    read=lambda reading, given: reading.aging(),
    canonical=canonical.aging,
    resolver=_aging,
    paged=True,
    drills={FlowMetric.AGING: ("",)},
    chart=CHART,
    document=shipped("aging", table=lambda data: table_by_row(nodes(data["analytics"]["aging"]), COLUMNS)),
)
