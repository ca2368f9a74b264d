"""Orders of states through time: what the rollups of transitions are cut and counted by."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from analytics.engine.family import Definitions
from analytics.engine.projects import ProjectFacts
from analytics.engine.reading.knowledge import KnownDefinitions
from analytics.engine.rollups import basis
from analytics.engine.rollups.basis import Ground
from analytics.engine.statements import columns
from analytics.flow.figures.workflow import StateOrder, Workflows
from analytics.flow.replay.definitions import workflows

LATEST = datetime.max.replace(tzinfo=UTC)

# place: the project of each state. ordering: the place of each state in each order that ever held, by the order's name.
# epoch: the place of each state while an order held.
RELATIONS = """
place AS MATERIALIZED (
    SELECT * FROM unnest(%(place_states)s::int[], %(place_projects)s::int[]) AS p (state_id, project_id)
),
ordering AS MATERIALIZED (
    SELECT * FROM unnest(%(order_keys)s::bigint[], %(order_projects)s::int[], %(order_states)s::int[],
                         %(order_places)s::int[]) AS o (order_key, project_id, state_id, place)
),
epoch AS MATERIALIZED (
    SELECT * FROM unnest(%(epoch_states)s::int[], %(epoch_projects)s::int[], %(epoch_places)s::int[],
                         %(epoch_begins)s::timestamptz[], %(epoch_ends)s::timestamptz[])
               AS e (state_id, project_id, place, begin_at, end_at)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOrders:
    """The orders of some projects' states: each while it held, the project of each state, and by project the instants at
    which one of its states was redefined."""

    epochs: Sequence[StateOrder]
    project_of: Mapping[int, int]
    redefined_in: Mapping[int, Sequence[datetime]]

    @property
    def is_reordered(self) -> bool:
        """Whether the states of a project were ever ordered anew."""
        return len(self.epochs) > len({epoch.project_id for epoch in self.epochs})


def order_key(places: Mapping[int, int]) -> int:
    """The name of an order of one project's states: equal orders have equal names, whenever they held. Never 0."""
    text = ",".join(f"{state}:{place}" for state, place in sorted(places.items()))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1 | 1


def ground_of(*, boards: Iterable[ProjectFacts], known: Workflows) -> Ground:
    """What rollups of some projects have to be cut and counted by, by their definitions through time."""
    return basis.ground_of(projects=boards, definitions=DEFINITIONS, known=state_orders(known))


def state_orders(known: Workflows) -> StateOrders:
    """The orders that ever held."""
    return StateOrders(
        epochs=known.orders(before=LATEST),
        project_of={state: known.first(state).project_id for state in known.state_ids},
        redefined_in=known.redefined_in,
    )


def _of_tenant(tenant_id: int, defined: KnownDefinitions) -> StateOrders:
    known = workflows(
        tenant_id=tenant_id,
        project_ids=None,
        known_at=defined.known_at,
        snapshot=defined.snapshot,
        without=defined.without,
    )
    return state_orders(known)


def _breaks(known: StateOrders) -> Mapping[int, Sequence[datetime]]:
    return known.redefined_in


def _orders(known: StateOrders) -> Mapping[int, Collection[int]]:
    found: dict[int, set[int]] = {}
    for epoch in known.epochs:
        found.setdefault(epoch.project_id, set()).add(order_key(epoch.places))
    return found


def _parameters(known: StateOrders, orders: Collection[int] | None) -> Mapping[str, list[Any]]:
    by_key = {(order_key(each.places), each.project_id): each.places for each in known.epochs}
    ordering = [
        (key, project, *pair)
        for (key, project), places in by_key.items()
        if orders is None or key in orders
        for pair in places.items()
    ]
    epochs = [
        (state, each.project_id, place, each.begin, each.end)
        for each in known.epochs
        for state, place in each.places.items()
    ]
    return {
        "place_states": list(known.project_of),
        "place_projects": list(known.project_of.values()),
        **columns(ordering, names=("order_keys", "order_projects", "order_states", "order_places")),
        **columns(epochs, names=("epoch_states", "epoch_projects", "epoch_places", "epoch_begins", "epoch_ends")),
    }


DEFINITIONS = Definitions(known=_of_tenant, breaks=_breaks, orders=_orders, relations=RELATIONS, parameters=_parameters)
