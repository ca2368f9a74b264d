"""Forecast, the entry of the figure: how many items by when."""

from datetime import date
from typing import Final

import strawberry

from analytics.engine.documents.tables import table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.documents import shipped
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.graphql.forecast import TRIALS, Forecast, arguments_of, forecast_node, read_forecast
from analytics.flow.reading import canonical

COLUMNS: Final = ("probability", "items", "date")


def _forecast(
    root: WindowAnswer,
    items: int | None = strawberry.UNSET,
    until: date | None = strawberry.UNSET,
    trials: int = TRIALS,
    seed: int | None = strawberry.UNSET,
    days_off: list[date] | None = strawberry.UNSET,
) -> Forecast:
    given = {"items": items, "until": until, "trials": trials, "seed": seed, "daysOff": days_off}
    written = {name: value for name, value in given.items() if value is not strawberry.UNSET}
    return forecast_node(root.asked.figure("forecast", **arguments_of(written)))


FORECAST: Final = Figure(
    name="forecast",
    sentence="From the throughput of the window's whole days, drawn with replacement, days with nothing"
    " included: how many items are done by the end of `until`, or on which date `items` items are done;"
    " give one of the two. On `daysOff` nothing will be done. At most 100,000 items, 3,650 days ahead,"
    " 20,000 trials. Seeds are from 0 to 2,147,483,647; the same seed and the same facts give the same"
    " answer.",
    unit=Unit.ITEMS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=0.5, in_window=5.0, replayed=8.0),
    read=read_forecast,
    canonical=canonical.forecast,
    resolver=_forecast,
    arguments=arguments_of,
    parts=parts_of(Forecast),
    document=shipped(
        "forecast", table=lambda data: table_by_row(data["analytics"]["forecast"]["percentiles"], COLUMNS)
    ),
)
