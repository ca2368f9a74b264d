"""States that the charts show, the entry of the figure."""

from typing import Final

from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import free
from analytics.engine.reading.costs import Weight
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from analytics.flow.reading import canonical


def _states(root: WindowAnswer) -> list[WorkflowState]:
    return [state_node(definition) for definition in root.asked.figure("states")]


STATES: Final = Figure(
    name="states",
    sentence="The states that the charts show, in workflow order, as definitionAsOf says.",
    unit=Unit.STATES,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=free,
    weight=Weight(tail=0.0, cell=0.0, replayed=0.0),
    read=lambda reading, given: reading.states(),
    canonical=canonical.states,
    resolver=_states,
)
