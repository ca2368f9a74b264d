"""Laws of conservation, the entry of the figure."""

from typing import Final

from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.identities import Identity, identity_node
from analytics.flow.reading import canonical


def _identities(root: WindowAnswer) -> list[Identity]:
    return [identity_node(found) for found in root.asked.figure("identities")]


IDENTITIES: Final = Figure(
    name="identities",
    sentence="Laws of conservation that must hold, checked on this answer; none for an actor, whose changes hold"
    " no items.",
    unit=Unit.ITEMS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=3.5, in_window=3.0, replayed=8.0),
    read=lambda reading, given: reading.identities(),
    canonical=canonical.identities,
    resolver=_identities,
)
