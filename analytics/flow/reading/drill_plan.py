"""Drill-down plan: which facts are read for a point of a chart, and with which values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from analytics.flow.drills import DRILLS, Drill, FlowMetric, Over, States
from analytics.flow.figures.aging import working_states
from analytics.flow.figures.completion import done_states, grouped
from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.figures.meanings import meanings
from analytics.flow.figures.workflow import CANCELLED, EVER, IN_PROGRESS, StateDefinition
from analytics.flow.reading import items
from analytics.flow.reading.board_definitions import BoardDefinitions
from analytics.flow.reading.drill_result import (
    CountedDrillDown,
    DrillDown,
    DrillError,
    DrillQuestion,
    ListedDrillDown,
    Rows,
    Side,
    failure_edges,
)
from analytics.flow.reading.drilled_journeys import WAYS, drilled_journeys
from analytics.flow.reading.durations import Clip, Durations
from analytics.flow.reading.sources import Source
from analytics.flow.replay import aging, quality
from analytics.flow.replay import drilling as replay
from analytics.flow.replay.churn import meant
from analytics.flow.replay.flow import Scope, placed
from analytics.flow.replay.validation import validation_values
from analytics.pure.zones import to_microseconds

NOWHERE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The part of the window that is asked about: its bounds, and the number of the bucket at whose end stocks are."""

    begin: datetime
    end: datetime
    bucket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What the metric's statement takes, of which facts."""

    values: Mapping[str, Any]
    scope: Scope
    touched_since: datetime | None = None


@dataclass(kw_only=True)
class Drilling:
    """The drill-downs of one question, read from where its figures are. `as_of` is up to when facts are known."""

    source: Source
    scope: Scope
    defined: BoardDefinitions
    as_of: datetime

    @property
    def frame(self) -> Frame:
        """The window in pieces."""
        return self.defined.frame

    @property
    def groups(self) -> Sequence[Sequence[StateDefinition]]:
        """The states as the answer shows them."""
        return self.defined.every_state

    @cached_property
    def _times(self) -> Durations:
        return Durations(source=self.source, defined=self.defined, groups=self.groups)

    def drill_down(self, asked: DrillQuestion) -> DrillDown:
        """What the number is made of. DrillError where there is no such number; PairError as `cycleTime` has it."""
        drill = DRILLS[asked.metric]
        self._check(asked, drill)
        stretch = self._stretch(asked, over=drill.over)
        if asked.metric in WAYS:
            begin, end = to_microseconds(stretch.begin), to_microseconds(stretch.end)
            return drilled_journeys(durations=self._times, asked=asked, begin=begin, end=end)
        if asked.metric is FlowMetric.QUALITY:
            return self._failures(asked, stretch)
        return CountedDrillDown(rows=self._rows(asked.metric, READS[asked.metric](self, asked, stretch)))

    def _rows(self, metric: FlowMetric, reads: Reads) -> Callable[[str, Mapping[str, Any]], Rows]:
        return lambda ending, values: self.source.rows(
            replay.statement_of(metric, ending=ending),
            values={**reads.values, **values},
            scope=reads.scope,
            touched_since=reads.touched_since,
        )

    def _check(self, asked: DrillQuestion, drill: Drill) -> None:
        """That the figure exists for whom it is asked of, and that states are named where it has any."""
        if self.scope.actor_id is not None and drill.needs_items:
            raise DrillError(
                "metric", f"{asked.metric} is of items where they are, and an actor's changes hold no items."
            )
        if isinstance(asked.from_state, str) and drill.states is not States.EDGE:
            raise DrillError("fromState", f"{asked.metric} does not go from one state to another; leave it out.")
        if isinstance(asked.state, str) and drill.states is States.NONE:
            raise DrillError("state", f"{asked.metric} is not of one state; leave it out.")
        if not isinstance(asked.state, str) and drill.states is States.NEEDED:
            raise DrillError("state", f"{asked.metric} is of one state; name one of {self._slugs}.")

    @property
    def _slugs(self) -> str:
        return ", ".join(states[0].slug for states in self.groups)

    def _stretch(self, asked: DrillQuestion, *, over: Over) -> Stretch:
        window, known = self.frame.window, [number for number, is_known in enumerate(self.frame.known) if is_known]
        if not known and over in (Over.STOCK, Over.SERIES):
            raise DrillError("window", "nothing is known of this window, and so there is no number to explain.")
        if asked.bucket is not None:
            number = self._bucket(asked.bucket, metric=asked.metric, over=over)
            return Stretch(begin=window.starts[number], end=window.ends[number], bucket=number)
        whole = Stretch(begin=window.start, end=window.end, bucket=known[-1] if known else len(window.starts) - 1)
        if over is Over.SERIES:
            return replace(whole, begin=window.starts[known[0]], end=window.ends[known[-1]])
        return whole

    def _bucket(self, start: datetime, *, metric: FlowMetric, over: Over) -> int:
        window = self.frame.window
        if start not in window.starts:
            raise DrillError("bucket", f"{start.isoformat()} {_why_no_start(start, window.start, window.end)}")
        number = window.starts.index(start)
        if not self.frame.known[number]:
            raise DrillError("bucket", f"of {start.isoformat()} nothing is known: its number is null, not 0.")
        if over is Over.END and number != len(window.starts) - 1:
            raise DrillError("bucket", f"{metric} is told at the window's end alone; leave it out.")
        return number

    def _group(self, asked: DrillQuestion, slug: str | Side, *, argument: str = "state") -> Sequence[StateDefinition]:
        for states in self.groups:
            if states[0].slug == slug:
                return states
        raise DrillError(argument, f"there is no state {slug!r} in this window; name one of {self._slugs}.")

    def _numbers(self) -> Mapping[int, int]:
        return grouped(self.groups)

    def _group_number(self, asked: DrillQuestion, slug: str | Side, *, argument: str) -> int | None:
        """The number of the state's group; None for any."""
        if not isinstance(slug, str):
            return NOWHERE if slug is Side.NOWHERE else None
        return self._numbers()[self._group(asked, slug, argument=argument)[0].state_id]

    def _horizon(self, end: datetime) -> datetime:
        return min(end, self.defined.question.now)

    def _failures(self, asked: DrillQuestion, stretch: Stretch) -> DrillDown:
        """Checks are of the ledger, wherever the other figures are read from."""
        codes = [check.code for check in quality.CHECKS]
        if asked.check not in codes:
            raise DrillError("check", f"QUALITY is of one check; name one of {', '.join(codes)}.")
        whole = quality.failures_of(
            asked.check, scope=self.scope, begin=self.frame.window.start, workflows=self.defined.workflows
        )
        found = whole.between(to_microseconds(stretch.begin), to_microseconds(stretch.end))
        return ListedDrillDown(edges=failure_edges(found))

    # ------------------------------------------------------------------ what each metric's statement takes

    def _moves(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        values = {
            "from": stretch.begin,
            "to": stretch.end,
            "from_group": self._group_number(asked, asked.from_state, argument="fromState"),
            "to_group": self._group_number(asked, asked.state, argument="state"),
            **meant(meanings(workflows=self.defined.workflows, before=stretch.end), groups=self._numbers()),
        }
        return Reads(values=values, scope=replace(self.scope, until=stretch.end), touched_since=stretch.begin)

    def _standing(self, states: Sequence[int], stretch: Stretch) -> Reads:
        end = self.frame.window.ends[stretch.bucket]
        values = {"states": states, "horizon": self._horizon(end)}
        return Reads(values=values, scope=replace(self.scope, until=end))

    def _working(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        piece = self.frame.last_piece[stretch.bucket]
        working = [state for state in self.frame.first if self.frame.category_of(state, piece=piece) == IN_PROGRESS]
        return self._standing(working, stretch)

    def _band(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        piece, group = self.frame.last_piece[stretch.bucket], self._group(asked, asked.state)
        states = [each.state_id for each in group if self.frame.category_of(each.state_id, piece=piece) != CANCELLED]
        if not states:
            raise DrillError("state", f"{asked.state!r} is a state of cancelled items there, and these have no band.")
        return self._standing(states, stretch)

    def _line(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        defined = self.frame.definitions_of(self.frame.last_piece[stretch.bucket])
        order = self.frame.orders[self.frame.order_of_bucket[stretch.bucket]]
        group = self._group(asked, asked.state)
        lines = [each.state_id for each in group if (now := defined.get(each.state_id)) is None or _has_line(now)]
        if not lines or not self._is_ever_on_board(group):
            raise DrillError(
                "state", f"{asked.state!r} is archived or of cancelled items there, and so it has no line."
            )
        reached = {
            state: each.project_id
            for line in lines
            if line in defined
            for state, each in defined.items()
            if each.project_id == defined[line].project_id and order.get(state, -2) >= order[line]
        }
        scope = replace(self.scope, until=self.frame.window.ends[stretch.bucket])
        return Reads(values=replay.reached_values(reached), scope=scope)

    def _is_ever_on_board(self, group: Sequence[StateDefinition]) -> bool:
        """Whether in some part of the window one of the states is not of cancelled items: else there is no line at all."""
        epochs = range(len(self.frame.epochs))
        return any(
            self.frame.category_in(each.state_id, epoch=epoch) != CANCELLED for each in group for epoch in epochs
        )

    def _behind(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        end = self.frame.window.end
        values = {
            **placed(self.defined.workflows.orders(before=end)),
            **_bounds(stretch),
            "horizon": self._horizon(end),
        }
        return Reads(values=values, scope=self.scope)

    def _finished(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        values = {"done": sorted(done_states(self.frame)), **_bounds(stretch)}
        return Reads(values=values, scope=self.scope, touched_since=stretch.begin)

    def _churned(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        scope, values = items.churn_asked(
            scope=self.scope,
            frame=self.frame,
            known=self.defined.workflows,
            groups=self._numbers(),
            within=asked.within,
            as_of=self.as_of,
        )
        return Reads(values={**values, **_bounds(stretch)}, scope=scope, touched_since=self.frame.window.start)

    def _visits(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        states = [each.state_id for each in self._group(asked, asked.state) if each.category != CANCELLED]
        if not states:
            raise DrillError("state", f"{asked.state!r} is a state of cancelled items, and their time is not counted.")
        window = self.frame.window
        values = {
            "states": states,
            "clip": window.start if asked.clip is Clip.CLIP else EVER,
            "horizon": self._horizon(window.end),
            **_bounds(stretch),
        }
        return Reads(values=values, scope=self.scope)

    def _aging(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        """The clock of an item runs on wherever it is and whoever holds it. Before the record nothing has an age."""
        horizon, since = self._horizon(self.frame.window.end), self.defined.recorded_since
        working = working_states(self.frame) if since is not None and horizon > since else []
        rows = self.source.rows(aging.IN_PROGRESS, values={"working": working}, scope=self.scope)
        tasks = [task for task, _ in rows]
        begun = aging.start_values(
            tasks=tasks, meanings=meanings(workflows=self.defined.everywhere, before=self.scope.until)
        )
        values = {**begun, "horizon": horizon}
        return Reads(values=values, scope=replace(self.scope, assignee_id=None, project_id=None))

    def _waits(self, asked: DrillQuestion, stretch: Stretch) -> Reads:
        end = self.frame.window.end
        values = {
            **validation_values(
                begin=self.frame.window.start,
                states=list(self.frame.first),
                meanings=meanings(workflows=self.defined.workflows, before=end),
                groups=self._numbers(),
            ),
            **_bounds(stretch),
            "group": self._group_number(asked, asked.state, argument="state"),
            "validator": asked.validator_id,
            "horizon": self._horizon(end),
        }
        return Reads(values=values, scope=self.scope)


def _bounds(stretch: Stretch) -> dict[str, datetime]:
    return {"begin": stretch.begin, "end": stretch.end}


def _has_line(state: StateDefinition) -> bool:
    return state.on_board and not state.archived


def _why_no_start(start: datetime, begin: datetime, end: datetime) -> str:
    if begin <= start < end:
        return "is not where a bucket starts; pass one of window.starts."
    return "lies outside the window; pass one of window.starts."


READS: Mapping[FlowMetric, Callable[[Drilling, DrillQuestion, Stretch], Reads]] = {
    **dict.fromkeys(replay.EVENTS, Drilling._moves),
    **dict.fromkeys(replay.VALIDATIONS, Drilling._waits),
    FlowMetric.WORK_IN_PROGRESS: Drilling._working,
    FlowMetric.OCCUPANCY: Drilling._band,
    FlowMetric.CUMULATIVE: Drilling._line,
    FlowMetric.CORRECTION_WINDOWS: Drilling._behind,
    FlowMetric.FINISHED: Drilling._finished,
    FlowMetric.REOPENED: Drilling._churned,
    FlowMetric.ABANDONED: Drilling._churned,
    FlowMetric.REVERTED_ITEMS: Drilling._churned,
    FlowMetric.STARTED_ITEMS: Drilling._churned,
    FlowMetric.FINISHED_STRAIGHT: Drilling._churned,
    FlowMetric.VISITS: Drilling._visits,
    FlowMetric.ONGOING_VISITS: Drilling._visits,
    FlowMetric.AGING: Drilling._aging,
}
