"""Drill-down, what one number of an answer counts; it is in no digest."""

from typing import Final

from analytics.engine.documents.tables import table_by_row
from analytics.engine.figure import Measure, Metric, Unit
from analytics.engine.graphql.prices import by_item
from analytics.flow.documents import shipped
from analytics.flow.family import TRANSITIONS, VERSION

COLUMNS: Final = (
    *("node.key", "node.title", "node.project.key", "node.state.slug", "happenedAt", "seconds", "ledgerId"),
    *("node.createdAt", "node.startedAt", "node.finishedAt"),
)


DRILL_DOWN: Final = Metric(
    name="drillDown",
    sentence="What one number of the answer counts: an edge for each item or event, in the order of happening,"
    " with the ledger row that explains it; totalCount is the number. `bucket` is one of window.starts;"
    " without it the number is that of the window, of items in their places that at its end. A number"
    " that is null is refused. Tasks are as they are now, discarded and deleted ones, too. Needs the"
    " scope TASKS_READ.",
    unit=Unit.EVENTS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    document=shipped("drilldown", table=lambda data: table_by_row(data["analytics"]["drillDown"]["edges"], COLUMNS)),
)
