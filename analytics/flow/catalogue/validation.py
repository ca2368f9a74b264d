"""Waits for a validation, the entry of the figure."""

from typing import Final

from analytics.engine.documents.tables import table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.documents import STATE, shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.validation import ValidationWait, validation_nodes
from analytics.flow.reading import canonical
from tasks_app.graphql.asking import Info

COLUMNS: Final = (
    *STATE,
    "validator.name",
    "validated",
    "unapproved",
    "waiting",
    "p50Seconds",
    "p85Seconds",
    "meanSeconds",
)


def _validation(root: WindowAnswer, info: Info) -> list[ValidationWait]:
    return validation_nodes(root.asked.figure("validation"), caller=info.context.caller)


VALIDATION: Final = Figure(
    name="validation",
    sentence="Waits from an item's entry into a state that needs validation to the first validation, or to its"
    " leaving without one, by state and validator.",
    unit=Unit.EVENTS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=1.5, in_window=0.5),
    read=lambda reading, given: reading.validation(),
    canonical=canonical.validation,
    resolver=_validation,
    drills={
        FlowMetric.VALIDATED: ("validated",),
        FlowMetric.UNAPPROVED: ("unapproved",),
        FlowMetric.WAITING_FOR_VALIDATION: ("waiting",),
    },
    document=shipped("validation", table=lambda data: table_by_row(data["analytics"]["validation"], COLUMNS)),
)
