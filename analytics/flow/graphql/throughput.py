"""Throughput, as the API shows it: what was finished and cancelled."""

import strawberry

from analytics.engine.figure import Measure, Unit
from analytics.engine.graphql.figures import counts
from analytics.flow.reading import results as flows


@strawberry.type(description="What was finished and cancelled. One number per bucket; null: not known.")
class Throughput:
    finished: list[int | None] = strawberry.field(
        description="Items by their last finish, each once: those DONE at the window's end, where that stay began.",
        metadata=counts(Unit.ITEMS, Measure.RELATIVE),
    )
    finish_events: list[int | None] = strawberry.field(
        description="Entries into the category DONE from outside it, each of them.",
        metadata=counts(Unit.EVENTS, Measure.FLOW),
    )
    cancelled: list[int | None] = strawberry.field(
        description="Entries into the category CANCELLED from outside it: cancelled is not finished.",
        metadata=counts(Unit.EVENTS, Measure.FLOW),
    )


def throughput_node(found: flows.Throughput) -> Throughput:
    """The columns as the API shows them."""
    return Throughput(
        finished=list(found.finished),
        finish_events=list(found.finish_events),
        cancelled=list(found.cancelled),
    )
