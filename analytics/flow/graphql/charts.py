"""Flow figures over a window, as fields of one type."""

import strawberry

from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import with_figures
from analytics.flow.catalogue import FIGURES
from analytics.flow.graphql.drilling import DrillFields


@strawberry.type(description="Figures over one window. All of one answer are counted from one snapshot of the ledger.")
@with_figures(FIGURES)
class Analytics(WindowAnswer, DrillFields):
    """Its fields are those of the catalogue's entries."""
