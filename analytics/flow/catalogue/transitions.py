"""State graph, the entry of the figure."""

from typing import Final

from analytics.engine.documents.tables import table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import by_bucket
from analytics.engine.reading.costs import Weight
from analytics.flow.documents import shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.state_graph import Edge, edge_node
from analytics.flow.reading import canonical

COLUMNS: Final = ("from.slug", "to.slug", "count", "medianSeconds")


def _transitions(root: WindowAnswer) -> list[Edge]:
    return [edge_node(edge) for edge in root.asked.figure("transitions")]


TRANSITIONS_BETWEEN_STATES: Final = Figure(
    name="transitions",
    sentence="The state graph: transitions from state to state, in workflow order.",
    unit=Unit.TRANSITIONS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_bucket,
    weight=Weight(in_window=2.5),
    read=lambda reading, given: reading.transitions(),
    canonical=canonical.transitions,
    resolver=_transitions,
    drills={FlowMetric.TRANSITIONS: ("count", "medianSeconds")},
    document=shipped("transitions", table=lambda data: table_by_row(data["analytics"]["transitions"], COLUMNS)),
)
