"""Cycle time, the entry of the figure: from start to finish."""

from collections.abc import Mapping
from typing import Any, Final

import strawberry

from analytics.engine.documents.tables import nodes, table_by_row
from analytics.engine.figure import Figure, Measure, Unit
from analytics.engine.graphql.answers import WindowAnswer
from analytics.engine.graphql.figures import parts_of
from analytics.engine.graphql.prices import by_item
from analytics.engine.reading.costs import Weight
from analytics.flow.admin.scatter import SCATTER
from analytics.flow.documents import POINTS, shipped
from analytics.flow.drills import FlowMetric
from analytics.flow.family import TRANSITIONS, VERSION
from analytics.flow.figures.durations import Policy
from analytics.flow.figures.start_and_finish import PairError
from analytics.flow.graphql.durations import Calendar, CyclePolicy, DurationSummary, summary_node
from analytics.flow.reading import canonical_durations
from analytics.flow.reading.durations import DurationSummary as Found
from analytics.flow.reading.flow import FlowReading
from analytics.pure.local_days import Calendar as Days
from tasks_app.errors import ApiError


def _read(reading: FlowReading, given: Mapping[str, Any]) -> Found:
    """ApiError BAD_USER_INPUT names the one of `start` and `finish` that cannot be."""
    try:
        return reading.durations.cycle_time(
            policy=Policy(given["policy"]),
            start=given["start"],
            finish=given["finish"],
            calendar=Days(given["calendar"]),
            points=given.get("points", True),
        )
    except PairError as error:
        raise ApiError(f"{error.argument}: {error}", extensions={"argument": error.argument}) from None


def _cycle_time(
    root: WindowAnswer,
    policy: CyclePolicy = Policy.FIRST_START_LAST_FINISH,  # type: ignore[valid-type]
    start: str | None = strawberry.UNSET,
    finish: str | None = strawberry.UNSET,
    calendar: Calendar = Days.ELAPSED,  # type: ignore[valid-type]
) -> DurationSummary:
    given = {
        "policy": Policy(policy).value,
        "start": None if start is strawberry.UNSET else start,
        "finish": None if finish is strawberry.UNSET else finish,
        "calendar": Days(calendar).value,
    }
    return summary_node(root.asked.figure("cycleTime", **given))


CYCLE_TIME: Final = Figure(
    name="cycleTime",
    sentence="From start to finish of the items that are DONE at the window's end, by a stay that began in the"
    " window: start is the first entry into IN_PROGRESS, a state having the category that it had when"
    " it was entered. `start` and `finish` are slugs of two states: from the first of them on, in the"
    " order at the window's end, items are started; from the second on, finished. Left out, the"
    " categories say so. On a project's board clocks begin when the item comes to it.",
    unit=Unit.SECONDS,
    measure=Measure.WHOLE,
    family=TRANSITIONS.name,
    version=VERSION,
    price=by_item,
    weight=Weight(fact=2.0, in_window=2.0),
    read=_read,
    canonical=canonical_durations.summary,
    resolver=_cycle_time,
    defaults={
        "policy": Policy.FIRST_START_LAST_FINISH.value,
        "start": None,
        "finish": None,
        "calendar": Days.ELAPSED.value,
    },
    parts=parts_of(DurationSummary),
    items=("points", "points"),
    drills={
        FlowMetric.CYCLE_TIME: ("items", "points"),
        FlowMetric.NEVER_STARTED: ("neverStarted",),
        FlowMetric.INFERRED: ("inferred",),
    },
    chart=SCATTER,
    document=shipped(
        "cycle-time", table=lambda data: table_by_row(nodes(data["analytics"]["cycleTime"]["points"]), POINTS)
    ),
)
