"""Identities of flow: laws that hold in each answer, as data."""

import strawberry

from analytics.flow.figures import identities as laws

MICROSECONDS = 1_000_000


@strawberry.type(description="One size, counted from single items and again from movements.")
class Identity:
    name: str = strawberry.field(
        description="conservation: arrivals - departures = change of items on the board. workConservation: entries into"
        " IN_PROGRESS - exits = change of work in progress. littlesLaw: the integral of work in progress = the sum of the"
        " items' time in progress. lifetime: of each item, the time over all states = from its arrivals to its leavings."
        " Redefined states are taken into account."
    )
    ok: bool = strawberry.field(description="Whether the difference is 0, exactly.")
    difference: float = strawberry.field(
        description="The second count less the first, in items; for littlesLaw and lifetime in seconds, of lifetime the"
        " differences of all items added up without their signs."
    )


def identity_node(found: laws.Identity) -> Identity:
    """The identity as the API shows it."""
    in_seconds = found.of is laws.Of.MICROSECONDS
    difference = found.difference / MICROSECONDS if in_seconds else float(found.difference)
    return Identity(name=found.name, ok=found.difference == 0, difference=difference)
