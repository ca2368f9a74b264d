"""Durations of items: time in states, cycle time, lead time, flow efficiency."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import strawberry

from analytics.engine.figure import Unit
from analytics.engine.graphql.figures import counts
from analytics.engine.graphql.lists import listed
from analytics.flow.figures import durations as pure
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from analytics.flow.reading import durations as windows
from analytics.pure import histogram, local_days
from analytics.pure.zones import from_microseconds
from tasks_app.graphql.connection_fields import connection_field
from tasks_app.http.connections import Connection, PageArgs
from tasks_app.http.cursors import Column, Keyset

BY_FINISH = Keyset(columns=(Column("finished_at", "asc"), Column("key", "asc", str)))

WindowClip = strawberry.enum(
    windows.Clip,
    name="WindowClip",
    description="CLIP: of each visit the part inside the window. FULL: the whole of each visit that ends in it.",
)
CyclePolicy = strawberry.enum(
    pure.Policy,
    name="CyclePolicy",
    description="FIRST_START_LAST_FINISH: all the time from the first start to the last finish. LAST_START_LAST_FINISH: from"
    " the last time that the item came from not started to started. SUM_OF_EPISODES: the unbroken times in progress, added"
    " up. ERASE_BACKFLOW: from the first start that is left when each move back erases the visits that it went back from.",
)
Calendar = strawberry.enum(
    local_days.Calendar,
    name="Calendar",
    description="What of the time counts. ELAPSED: all of it. WORKING: what of it is on local dates from Monday to Friday,"
    " in the window's zone; the dates that it touches are counted alike.",
)
PercentileMethod = strawberry.enum(
    histogram.PercentileMethod,
    name="PercentileMethod",
    description="EXACT: each percentile is one of the values. HISTOGRAM: it is within 1 % of one of them, as there are more"
    " than 20,000.",
)
RatioStatus = strawberry.enum(
    windows.RatioStatus,
    name="RatioStatus",
    description="NO_DATA: there is nothing to divide by. NOT_CONFIGURED: nothing is set up to be counted. Else OK.",
)


@strawberry.type(
    description="How long items stayed in one state. Times are elapsed seconds; percentiles are observed ones."
)
class TimeInState:
    state: WorkflowState = strawberry.field(description="The state; of a whole tenant, all states of that slug as one.")
    visits: int = strawberry.field(
        description="Closed visits: those that ended in the window. The state at its end is the ongoing one."
    )
    total_seconds: float = strawberry.field(description="All closed visits together.")
    mean_seconds: float | None = strawberry.field(description="Of the closed visits; null where there are none.")
    p50_seconds: float | None = strawberry.field(description="The median of the closed visits (nearest rank).")
    p85_seconds: float | None = strawberry.field(description="85 % of the closed visits were no longer (nearest rank).")
    p95_seconds: float | None = strawberry.field(description="95 % of the closed visits were no longer (nearest rank).")
    method: PercentileMethod = strawberry.field(description="How exact the percentiles are.")  # type: ignore[valid-type]
    max_seconds: float | None = strawberry.field(description="The longest closed visit.")
    ongoing_visits: int = strawberry.field(description="Items that are in the state at the window's end, or now.")
    ongoing_seconds: float = strawberry.field(description="How long those have been there, together, up to then.")


@strawberry.type(description="One finished item of a duration.")
class DurationPoint:
    task_key: str = strawberry.field(description="The item.")
    started_at: datetime = strawberry.field(description="Where its time begins, UTC.")
    finished_at: datetime = strawberry.field(description="Its last finish, UTC.")
    seconds: float = strawberry.field(description="Its time, by the calendar asked for.")
    days: int = strawberry.field(
        description="Local dates of the calendar that the time touches, the first and the last included."
    )
    episodes: int = strawberry.field(
        description="Its unbroken times in progress, one that was skipped after another included; 0: it never was."
    )
    flags: list[str] = strawberry.field(
        description="What the time holds beside work. RETURNED_TO_TODO: it went back to a state to do after its start."
        " LEFT_THE_BOARD: it was discarded, cancelled or on another board meanwhile. Of leadTime and"
        " FIRST_START_LAST_FINISH; the times of other policies leave that out."
    )


@strawberry.type(
    description="Durations of the items that finished in the window, percentiles by nearest rank; null: of none."
)
class DurationSummary:
    policy: CyclePolicy | None = strawberry.field(  # type: ignore[valid-type]
        description="How returns are counted; null for lead time.", metadata=counts(Unit.POLICY)
    )
    calendar: Calendar = strawberry.field(  # type: ignore[valid-type]
        description="What of the time counts: all of it, or what is on Mondays to Fridays.",
        metadata=counts(Unit.CALENDAR),
    )
    items: int = strawberry.field(description="Items that have a duration.", metadata=counts(Unit.ITEMS))
    never_started: int = strawberry.field(
        description="Finished items without a duration: they never were in progress.", metadata=counts(Unit.ITEMS)
    )
    inferred: int = strawberry.field(
        description="Finished items without a duration: they were only ever seen done.", metadata=counts(Unit.ITEMS)
    )
    mean_seconds: float | None = strawberry.field(
        description="The mean, in seconds of the calendar; null of none.", metadata=counts(Unit.SECONDS)
    )
    p50_seconds: float | None = strawberry.field(
        description="The median, in seconds of the calendar (nearest rank); null of none.",
        metadata=counts(Unit.SECONDS),
    )
    p85_seconds: float | None = strawberry.field(
        description="85 % of the items took no longer, in seconds of the calendar (nearest rank); null of none.",
        metadata=counts(Unit.SECONDS),
    )
    p95_seconds: float | None = strawberry.field(
        description="95 % of the items took no longer, in seconds of the calendar (nearest rank); null of none.",
        metadata=counts(Unit.SECONDS),
    )
    method: PercentileMethod = strawberry.field(  # type: ignore[valid-type]
        description="How exact the percentiles in seconds are: each is one of the times, or within 1 % of one where there"
        " are more than 20,000. Those in dates are always exact.",
        metadata=counts(Unit.METHOD),
    )
    p50_days: int | None = strawberry.field(
        description="The median, in local dates of the calendar (nearest rank); null of none.",
        metadata=counts(Unit.DAYS),
    )
    p85_days: int | None = strawberry.field(
        description="85 % of the items took no longer, in local dates of the calendar (nearest rank); null of none.",
        metadata=counts(Unit.DAYS),
    )
    p95_days: int | None = strawberry.field(
        description="95 % of the items took no longer, in local dates of the calendar (nearest rank); null of none.",
        metadata=counts(Unit.DAYS),
    )
    found: strawberry.Private[windows.DurationSummary]

    @connection_field(
        description="The items, the earliest finish first, those of one instant by key.", metadata=counts(Unit.ITEMS)
    )
    def points(self, page: PageArgs) -> Connection[DurationPoint]:
        return listed(self.found.points(), keyset=BY_FINISH, values=_place, args=page, node=_point_node)


@strawberry.type(description="A ratio of sums.")
class Ratio:
    status: RatioStatus = strawberry.field(description="Whether there is a value.", metadata=counts(Unit.STATUS))  # type: ignore[valid-type]
    value: float | None = strawberry.field(
        description="Numerator / denominator, the ratio of the sums; null unless OK.", metadata=counts(Unit.RATIO)
    )
    numerator: float = strawberry.field(description="The sum of the parts, in seconds.", metadata=counts(Unit.SECONDS))
    denominator: float = strawberry.field(
        description="The sum of the wholes, in seconds.", metadata=counts(Unit.SECONDS)
    )


def time_in_state_nodes(found: Sequence[windows.TimeInState]) -> list[TimeInState]:
    """The states as the API shows them."""
    return [
        TimeInState(
            state=state_node(each.state),
            visits=each.visits,
            total_seconds=each.total.total_seconds(),
            mean_seconds=_seconds(each.mean),
            p50_seconds=_seconds(each.p50),
            p85_seconds=_seconds(each.p85),
            p95_seconds=_seconds(each.p95),
            method=each.method,
            max_seconds=_seconds(each.longest),
            ongoing_visits=each.ongoing_visits,
            ongoing_seconds=each.ongoing.total_seconds(),
        )
        for each in found
    ]


def summary_node(found: windows.DurationSummary) -> DurationSummary:
    """The durations as the API shows them."""
    p50, p85, p95 = (_seconds(found.percentile(percent)) for percent in (50, 85, 95))
    p50_days, p85_days, p95_days = (found.percentile_of_days(percent) for percent in (50, 85, 95))
    return DurationSummary(
        policy=found.policy,
        calendar=found.calendar,
        items=found.items,
        never_started=found.never_started,
        inferred=found.inferred,
        mean_seconds=_seconds(found.mean()),
        p50_seconds=p50,
        p85_seconds=p85,
        p95_seconds=p95,
        method=found.method,
        p50_days=p50_days,
        p85_days=p85_days,
        p95_days=p95_days,
        found=found,
    )


def ratio_node(found: windows.Ratio) -> Ratio:
    """The ratio as the API shows it."""
    has_value = found.status is windows.RatioStatus.OK
    return Ratio(
        status=found.status,
        value=found.numerator / found.denominator if has_value else None,
        numerator=found.numerator.total_seconds(),
        denominator=found.denominator.total_seconds(),
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _place(point: windows.Point) -> tuple[int, str]:
    return point.finished_at, point.key


def _point_node(point: windows.Point) -> DurationPoint:
    return DurationPoint(
        task_key=point.key,
        started_at=from_microseconds(point.started_at),
        finished_at=from_microseconds(point.finished_at),
        seconds=point.length / 1_000_000,
        days=point.days,
        episodes=point.episodes,
        flags=list(point.flags),
    )
