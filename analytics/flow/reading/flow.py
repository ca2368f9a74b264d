"""The cumulative flow diagram, work in progress, throughput and the state graph of a project, a tenant or a person."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from analytics.engine.reading.coverage import Standing, standing
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.basis import Ground, ground_of
from analytics.flow.family import TRANSITIONS
from analytics.flow.figures import churn, completion
from analytics.flow.figures import cumulative_flow as flow
from analytics.flow.figures import forecast as forecasting
from analytics.flow.figures.aging import Age
from analytics.flow.figures.churn import Churn
from analytics.flow.figures.cumulative_flow import added
from analytics.flow.figures.identities import Identity, identities
from analytics.flow.figures.validation import ValidationWait, Waits, validation_waits
from analytics.flow.figures.workflow import StateDefinition, Workflows
from analytics.flow.reading import items
from analytics.flow.reading.chart_states import every_state, shown_states
from analytics.flow.reading.drill_plan import Drilling
from analytics.flow.reading.durations import Durations
from analytics.flow.reading.forecast_days import PastDays, past_days
from analytics.flow.reading.quality import DataQuality, data_quality
from analytics.flow.reading.results import AgingItem, CorrectionWindow, CumulativeFlow, FlowMode, Series, Throughput
from analytics.flow.reading.sources import FoldedSource, RawSource, Source, why_not
from analytics.flow.replay import flow as replay
from analytics.flow.replay.definitions import BoardFacts, workflows
from analytics.flow.replay.task_names import ItemName, names_of
from analytics.flow.replay.tasks import TaskList
from analytics.pure.windows import Window

# The figures for which the ways of finished items are read.
TIMES = frozenset({"cycleTime", "leadTime", "flowEfficiency"})
LATEST = datetime.max.replace(tzinfo=UTC)


class FlowReading:
    """The figures of one question. Each statement runs at most once, when the first figure that needs it is asked for.

    To be used inside one read-only transaction, so that all figures see one snapshot of the ledger. With `assignee_id`
    the board is what that actor holds. With `actor_id` the flows are that actor's changes; stocks are null then, for
    a person's changes hold no items. With `filters`, values of analytics.flow.replay.tasks.CONDITIONS, it is of the items that
    meet them at the window's end, or with `filters_as_of_now` by all that has happened since, with their whole past;
    discarded ones are then in no state.
    """

    _snapshot: str | None = None
    _expected: Collection[str] = ()

    def __init__(
        self,
        *,
        tenant_id: int,
        boards: Sequence[BoardFacts],
        whole_tenant: bool,
        window: Window,
        known_at: datetime | None,
        as_defined_now: bool,
        now: datetime,
        assignee_id: int | None = None,
        actor_id: int | None = None,
        filters: Mapping[str, Any] | None = None,
        filters_as_of_now: bool = False,
        read_from: ReadFrom = ReadFrom.MERGED,
    ) -> None:
        self.window = window
        self._tenant_id = tenant_id
        self._boards = boards
        self._whole_tenant = whole_tenant
        self._known_at = known_at
        self._as_defined_now = as_defined_now
        self._now = now
        self._assignee_id = assignee_id
        self._actor_id = actor_id
        self._filters = dict(filters or {})
        self._filters_as_of_now = filters_as_of_now
        self._asked_from = read_from

    def expect(self, figures: Collection[str]) -> None:
        """Names what will be asked for, so that what several of them need is read once. Changes no figure."""
        self._expected = figures

    @property
    def project_ids(self) -> list[int]:
        """Whose boards are read."""
        return [board.id for board in self._boards]

    @property
    def recorded_since(self) -> datetime | None:
        """The instant before which nothing is known; of several projects the earliest. None: nothing was known at all."""
        return min((board.recorded_since for board in self._boards if board.recorded_since), default=None)

    @cached_property
    def workflows(self) -> Workflows:
        """How the states were defined, or with definitionAsOf NOW, how they are."""
        if self._whole_tenant:
            return self._everywhere
        ids = [board.id for board in self._boards]
        return self._everywhere.of(ids) if "aging" in self._expected else self._defined(project_ids=ids)

    @cached_property
    def _everywhere(self) -> Workflows:
        return self._defined(project_ids=None)

    def _defined(self, *, project_ids: Sequence[int] | None) -> Workflows:
        return workflows(
            tenant_id=self._tenant_id,
            project_ids=project_ids,
            known_at=self._known_at,
            frozen=self._as_defined_now,
        )

    @cached_property
    def frame(self) -> flow.Frame:
        """The window in pieces."""
        return flow.cut(window=self.window, workflows=self.workflows, recorded_since=self.recorded_since, now=self._now)

    @cached_property
    def fallback(self) -> str | None:
        """Why the ledger was read though rollups were asked for; None when it was not."""
        if self._asked_from is ReadFrom.RAW:
            return None
        if self._filters:
            return "Rollups have no single items to filter, so the ledger was read."
        if self._known_at is not None:
            return "Rollups have what is known now, not what was known at an instant, so the ledger was read."
        if self._as_defined_now and len(self._ground.epochs) > len({epoch.project_id for epoch in self._ground.epochs}):
            return "The order of states changed, and rollups count by the order of each time, so the ledger was read."
        return why_not(
            asked=self._asked_from, scope=self._scope, frame=self.frame, ground=self._ground, standing=self._standing
        )

    @cached_property
    def _source(self) -> Source:
        if self._asked_from is ReadFrom.RAW or self.fallback:
            return RawSource(scope=self._scope, frame=self.frame)
        return FoldedSource(
            scope=self._scope,
            frame=self.frame,
            ground=self._ground,
            standing=self._standing,
            asked_from=self._asked_from,
        )

    @cached_property
    def _ground(self) -> Ground:
        return ground_of(boards=self._boards, known=self.workflows.as_recorded())

    @cached_property
    def _standing(self) -> Standing:
        return standing(tenant_id=self._tenant_id, family=TRANSITIONS, projects=[board.id for board in self._boards])

    @cached_property
    def _movements(self) -> Sequence[flow.Movement]:
        if "cumulativeFlow" in self._expected:
            # Who reads how far items came has read the movements with it.
            _ = self._lines
        return self._source.movements()

    @cached_property
    def _counts(self) -> flow.Counts:
        return flow.count(frame=self.frame, movements=self._movements)

    @cached_property
    def _lines(self) -> flow.Lines:
        return flow.lines(frame=self.frame, reached=self._source.reached())

    @property
    def _scope(self) -> replay.Scope:
        return replay.Scope(
            tenant_id=self._tenant_id,
            project_id=None if self._whole_tenant else self._boards[0].id,
            until=self.window.end,
            known_at=self._known_at,
            assignee_id=self._assignee_id,
            actor_id=self._actor_id,
            items=self._items if self._filters else None,
        )

    @cached_property
    def _items(self) -> Sequence[int]:
        """The tasks that meet the filters."""
        tasks = TaskList(
            tenant_id=self._tenant_id,
            now=self._now,
            at=None if self._filters_as_of_now else self.window.end,
            known_at=self._known_at,
            snapshot=self._snapshot,
            filters=self._filters,
        )
        return tasks.ids_with_discarded(board=None if self._whole_tenant else self._boards[0].id)

    @property
    def read_from(self) -> ReadFrom:
        """Where the figures were read from."""
        return self._source.read_from

    @property
    def raw_rows(self) -> int:
        """Ledger rows that the figures so far were counted from."""
        # Checks of quality and validations are in the ledger alone, whatever is folded.
        apart: list[int] = [self.__dict__[name][1] for name in ("_quality", "_validation") if name in self.__dict__]
        if not {"_movements", "_edges", "_done_stays", "_ages", "_validation", "durations"} & self.__dict__.keys():
            return sum(apart)
        _ = self._movements
        return self._source.raw_rows + sum(apart)

    @property
    def tail_rows(self) -> int:
        """Facts that the figures were counted from and no rollup had."""
        return self._source.tail_rows

    def states(self) -> list[StateDefinition]:
        """The states that the window's charts show, in order; those of one slug are one for a whole tenant."""
        return [states[0] for states in self._shown]

    def bands(self) -> Mapping[int, Sequence[int | None]]:
        """By state id: the items at each bucket's end, None while it is cancelled; the frame says whether they are known."""
        return self._counts.bands

    def work_in_progress(self) -> list[int | None]:
        """Items in states of category IN_PROGRESS at each bucket's end."""
        return self._stock(self._counts.in_progress)

    def throughput(self) -> Throughput:
        """What was finished and cancelled. `finished` is relative to the window's end: what is not DONE there is not."""
        known = self.frame.where_known
        return Throughput(
            finished=known(completion.finished_per_bucket(frame=self.frame, rows=self._finished)),
            finish_events=known(self._counts.finish_events),
            cancelled=known(self._counts.cancelled),
        )

    @cached_property
    def _finished(self) -> Sequence[completion.Finished]:
        if not TIMES.isdisjoint(self._expected):
            return self.durations.finished()
        return self._source.finished(done=completion.done_states(self.frame))

    def transitions(self) -> list[completion.Edge]:
        """The state graph: the window's transitions from state to state, in the order of the workflow."""
        return self._edges

    @cached_property
    def _edges(self) -> list[completion.Edge]:
        groups = self._every_state
        rows = self._source.traversals(groups=completion.grouped(groups))
        return completion.edges(groups=groups, rows=rows)

    def churn(self, *, within: timedelta) -> Churn:
        """What was reopened or given up within that time, what went back, came and left."""
        groups = self._every_state
        counts = items.churn(
            source=self._source,
            scope=self._scope,
            frame=self.frame,
            known=self.workflows,
            groups=completion.grouped(groups),
            within=within,
            as_of=self._known_at or self._now,
        )
        return churn.churn(frame=self.frame, flows=self._counts, counts=counts, groups=groups)

    def identities(self) -> list[Identity]:
        """The laws that the answer keeps; of an actor's changes, which hold no items, there are none."""
        if self._actor_id is not None:
            return []
        until = max(self.window.start, min(self.window.end, self._now))
        found = items.sizes(source=self._source, scope=self._scope, frame=self.frame, known=self.workflows, until=until)
        return identities(frame=self.frame, flows=self._counts, movements=self._movements, sizes=found, until=until)

    def aging(self) -> list[AgingItem]:
        """The items in progress at the window's end, or now while it runs, the oldest first; none of an actor."""
        at = min(self.window.end, self._now)
        since = self.recorded_since
        if self._actor_id is not None or since is None or at <= since:
            return []
        ages, names = self._ages
        aged = [AgingItem(item=names[each.task_id], age=each) for each in ages]
        return sorted(aged, key=lambda each: (each.age.started_at, each.item.identity, each.item.key))

    @cached_property
    def _ages(self) -> tuple[list[Age], dict[int, ItemName]]:
        return items.ages(
            source=self._source,
            scope=self._scope,
            frame=self.frame,
            everywhere=self._everywhere,
            at=min(self.window.end, self._now),
        )

    @cached_property
    def drilling(self) -> Drilling:
        """What any figure is made of, item by item or event by event."""
        return Drilling(
            source=self._source,
            scope=self._scope,
            frame=self.frame,
            workflows=self.workflows,
            everywhere=lambda: self._everywhere,
            groups=self._every_state,
            as_of=self._known_at or self._now,
            now=self._now,
            recorded_since=self.recorded_since,
        )

    def forecast(self, *, question: forecasting.ForecastQuestion) -> forecasting.Forecast:
        """From the throughput of the window's whole days; ForecastError where `until` is out of reach."""
        past = self._past_days
        return forecasting.forecast(
            question=question, first_day=past.first_day, days=past.count, stays=self._done_stays if past.count else ()
        )

    @cached_property
    def _past_days(self) -> PastDays:
        return past_days(window=self.window, recorded_since=self.recorded_since, known_at=self._known_at, now=self._now)

    @cached_property
    def _done_stays(self) -> Sequence[forecasting.DoneStay]:
        return self._source.done_stays(edges=self._past_days.edges, done=completion.done_states(self.frame))

    def validation(self) -> list[ValidationWait]:
        """How long items waited for a validation, by state and by who gave it."""
        return validation_waits(groups=self._every_state, rows=self._validation[0])

    @cached_property
    def _validation(self) -> tuple[list[Waits], int]:
        return items.validation_waits(
            source=self._source,
            scope=self._scope,
            frame=self.frame,
            known=self.workflows,
            groups=completion.grouped(self._every_state),
        )

    @cached_property
    def durations(self) -> Durations:
        """How long items took."""
        return Durations(
            source=self._source,
            frame=self.frame,
            workflows=self.workflows,
            groups=self._every_state,
            tenant_id=self._tenant_id,
            now=self._now,
            holds_items=self._actor_id is None,
        )

    def data_quality(self) -> DataQuality:
        """The checks of the window's facts, always from the ledger."""
        return self._quality[0]

    @cached_property
    def _quality(self) -> tuple[DataQuality, int]:
        return data_quality(scope=self._scope, begin=self.window.start, workflows=self.workflows)

    def _stock(self, values: Sequence[int | None]) -> list[int | None]:
        """What items amount to where they are; an actor's changes are no items."""
        return [None] * len(values) if self._actor_id is not None else self.frame.where_known(values)

    def cumulative_flow(self, *, mode: FlowMode, corrections: bool = True) -> CumulativeFlow:
        """The diagram in that mode; without `corrections` with none of them, for who does not look at them."""
        # Lines first: who reads them has read the movements with them.
        drawn, counts = self._lines, self._counts
        known, stock = self.frame.where_known, self._stock
        lines = drawn.by_state if mode is FlowMode.CUMULATIVE else counts.bands
        gap = zip(drawn.gap, counts.in_progress, strict=True)
        return CumulativeFlow(
            mode=mode,
            series=[
                Series(state=states[0], counts=stock(added(lines[state.state_id] for state in states)))
                for states in self._shown
            ],
            arrivals=known(counts.arrivals),
            departures=known(counts.departures),
            left=known(counts.departures),
            discarded=known(counts.discarded),
            definition_changes=self.workflows.redefinitions(
                start=self.window.start, end=min(self.window.end, self._now)
            ),
            correction_windows=self._correction_windows if corrections else (),
            difference=stock([reached - in_progress for reached, in_progress in gap]),
        )

    @cached_property
    def _shown(self) -> list[list[StateDefinition]]:
        held: Mapping[int, Sequence[int | None]] = {} if self._actor_id is not None else self._counts.bands
        return shown_states(frame=self.frame, as_defined_now=self._as_defined_now, held=held)

    @cached_property
    def _every_state(self) -> list[list[StateDefinition]]:
        return every_state(frame=self.frame, as_defined_now=self._as_defined_now)

    @cached_property
    def _correction_windows(self) -> list[CorrectionWindow]:
        rows = self._source.corrections(orders=self.workflows.orders(before=self.window.end))
        names = names_of(tenant_id=self._tenant_id, task_ids=sorted({row.task_id for row in rows}))
        windows = [CorrectionWindow(item=names[row.task_id], begin=row.begin, end=row.end) for row in rows]
        # By what is the same in every database; the order of recording differs when a file comes in another order.
        return sorted(windows, key=lambda each: (each.begin, each.item.identity, each.end or LATEST))
