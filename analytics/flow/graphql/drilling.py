"""Drill-down from a point of a chart to its tasks, each with the ledger row that put it there."""

from datetime import datetime
from typing import Any

import strawberry

from analytics.flow import drills as metrics
from analytics.flow.catalogue import EXPLAINED
from analytics.flow.catalogue.drill_down import DRILL_DOWN
from analytics.flow.drills import DRILLS
from analytics.flow.figures.durations import Policy
from analytics.flow.figures.start_and_finish import PairError
from analytics.flow.graphql.churn import REOPEN_WITHIN, WITHIN, days_asked
from analytics.flow.graphql.durations import Calendar, CyclePolicy, WindowClip
from analytics.flow.graphql.persons import seen_by
from analytics.flow.graphql.tasks import TaskConnection, TaskEdge, TaskInterval, nodes_by_id
from analytics.flow.reading.drill_result import (
    DrillDown,
    DrilledEdge,
    DrillError,
    DrillQuestion,
    Interval,
    Side,
    in_order,
)
from analytics.flow.reading.durations import Clip
from analytics.flow.replay.drilling import Place, Slice
from analytics.pure.local_days import Calendar as Days
from tasks_app.errors import ApiError
from tasks_app.graphql.asking import Info
from tasks_app.graphql.connection_fields import connection_field
from tasks_app.graphql.fields import scoped
from tasks_app.http.connections import PageArgs
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import encode_id
from tasks_app.models import Scope

BY_PLACE = Keyset([Column("happened_at", "asc", datetime), Column("seq", "asc"), Column("task_id", "asc")])

FlowMetric = strawberry.enum(
    metrics.FlowMetric,
    name="FlowMetric",
    description="A figure that can be drilled into. One edge is what its description names: where that is an event, a task"
    " comes once for each.",
)
for value in FlowMetric.__strawberry_definition__.values:  # type: ignore[attr-defined]
    drill = DRILLS[FlowMetric[value.name]]
    value.description = f"{drill.sentence} Explains {', '.join(EXPLAINED[value.name])}."


@strawberry.type(description="What the figures of an answer are made of.")
class DrillFields:
    asked: strawberry.Private[Any]

    @connection_field(
        extensions=[scoped(Scope.TASKS_READ)],
        description=DRILL_DOWN.sentence,
    )
    def drill_down(
        self,
        info: Info,
        metric: FlowMetric,  # type: ignore[valid-type]
        bucket: datetime | None = strawberry.UNSET,
        state: str | None = strawberry.UNSET,
        from_state: str | None = strawberry.UNSET,
        policy: CyclePolicy = Policy.FIRST_START_LAST_FINISH,  # type: ignore[valid-type]
        start: str | None = strawberry.UNSET,
        finish: str | None = strawberry.UNSET,
        calendar: Calendar = Days.ELAPSED,  # type: ignore[valid-type]
        clip: WindowClip = Clip.CLIP,  # type: ignore[valid-type]
        reopen_within_days: int = REOPEN_WITHIN,
        check: str | None = strawberry.UNSET,
        validator: strawberry.ID | None = strawberry.UNSET,
        *,
        page: PageArgs,
    ) -> TaskConnection:
        question = DrillQuestion(
            metric=metrics.FlowMetric(metric),
            bucket=_given(bucket),
            state=side(state),
            from_state=side(from_state),
            policy=Policy(policy),
            start=_given(start),
            finish=_given(finish),
            calendar=Days(calendar),
            clip=Clip(clip),
            within=days_asked(reopen_within_days, argument=WITHIN),
            check=_given(check),
            validator_id=seen_by(info.context.caller, validator, argument="validator") if validator else None,
        )
        found = drill_down(self.asked.reading, question)
        return _connection(found, args=page, info=info)


def drill_down(reading: Any, question: DrillQuestion) -> DrillDown:
    """The drill-down of one number; an ApiError that names the argument where there is no such number."""
    try:
        found: DrillDown = reading.drill_down(question)
    except (DrillError, PairError) as error:
        raise ApiError(f"{error.argument}: {error}", extensions={"argument": error.argument}) from None
    return found


def _given(value: Any) -> Any:
    return None if value is strawberry.UNSET else value


def side(slug: str | None) -> str | Side:
    """Left out: any state. null: none of them."""
    if slug is strawberry.UNSET:
        return Side.ANY
    return Side.NOWHERE if slug is None else slug


def _connection(found: DrillDown, *, args: PageArgs, info: Info) -> TaskConnection:
    """One page, in the order of happening. No more tasks are read than it shows."""
    bounds = args.checked(BY_PLACE)
    asked = Slice(
        limit=bounds.fetch, after=_place(bounds.after), before=_place(bounds.before), backwards=bounds.backwards
    )
    page = bounds.page(found.read(asked), count=found.count, values=lambda edge: in_order(edge.place))
    ids = {edge.task_id for edge in page.rows}
    tasks = nodes_by_id(tenant_id=info.context.tenant.id, task_ids=ids, now=info.context.now)
    shown = page.connection(node=lambda edge: edge)
    return TaskConnection(
        edges=[_edge(each.node, node=tasks[each.node.task_id], cursor=each.cursor) for each in shown.edges],
        page_info=shown.page_info,
        count=found.count,
    )


def _place(values: tuple[Any, ...] | None) -> Place | None:
    return None if values is None else Place(happened_at=values[0], seq=values[1], task_id=values[2])


def _edge(edge: DrilledEdge, *, node: Any, cursor: str) -> TaskEdge:
    return TaskEdge(
        node=node,
        cursor=cursor,
        ledger_id=_ledger_id(edge.seq),
        happened_at=edge.place.happened_at,
        seconds=None if edge.length is None else edge.length.total_seconds(),
        intervals=[_interval(each) for each in edge.intervals],
    )


def _interval(found: Interval) -> TaskInterval:
    return TaskInterval(
        from_=found.begin,
        to=found.end,
        seconds=(found.end - found.begin).total_seconds(),
        from_ledger_id=_ledger_id(found.begin_seq),
        to_ledger_id=_ledger_id(found.end_seq),
    )


def _ledger_id(seq: int | None) -> strawberry.ID | None:
    return None if seq is None else encode_id(type_name="Activity", pk=seq)
