"""Data quality, the entry of the figure: eleven checks of the facts."""

from typing import Final

from analytics.engine.documents.tables import table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.documents import shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.quality import DataQuality, quality_node
from analytics.flow.reading import canonical

COLUMNS: Final = ("code", "title", "failures", "taskKeys")


def _data_quality(root: WindowAnswer) -> DataQuality:
    return quality_node(root.asked.figure("dataQuality"))


DATA_QUALITY: Final = Figure(
    name="dataQuality",
    sentence="Eleven checks of the facts that happened in the window, always read from the ledger; with an"
    " assignee or actor those of the items that were ever in these hands, or ever changed by this"
    " actor.",
    unit=Unit.ITEMS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=6.0, in_window=3.0, replayed=8.0),
    read=lambda reading, given: reading.data_quality(),
    canonical=canonical.data_quality,
    resolver=_data_quality,
    parts=parts_of(DataQuality),
    drills={FlowMetric.QUALITY: ("checks.failures",)},
    document=shipped(
        "data-quality", table=lambda data: table_by_row(data["analytics"]["dataQuality"]["checks"], COLUMNS)
    ),
)
