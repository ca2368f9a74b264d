"""Flow figures of a project, a tenant or a person over one window: what the API, the pages and the dual run ask for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from analytics.engine.projects import ProjectFacts
from analytics.engine.reading.knowledge import ALL_RECORDED, Knowledge
from analytics.engine.reading.ledger_rows import LedgerRows
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.figures import churn, completion
from analytics.flow.figures import forecast as forecasting
from analytics.flow.figures.aging import Age
from analytics.flow.figures.churn import Churn
from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.figures.identities import Identity, identities
from analytics.flow.figures.validation import ValidationWait, Waits, validation_waits
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.reading import items
from analytics.flow.reading.board_definitions import BoardDefinitions
from analytics.flow.reading.diagram import Diagram
from analytics.flow.reading.drill_plan import Drilling
from analytics.flow.reading.drill_result import DrillDown, DrillQuestion
from analytics.flow.reading.durations import Durations
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.forecast_days import PastDays, past_days
from analytics.flow.reading.quality import DataQuality, data_quality
from analytics.flow.reading.results import AgingItem, CumulativeFlow, FlowMode, Throughput
from analytics.flow.reading.source_choice import SourceChoice
from analytics.flow.replay.task_names import ItemName
from analytics.pure.windows import Window

# The figures for which the ways of finished items are read.
TIMES = frozenset({"cycleTime", "leadTime", "flowEfficiency"})


class FlowReading:
    """The figures of one question about these boards. Each statement runs at most once, when a figure first needs it.

    An analytics.engine.reading.wing_reading.Reading, to be used inside one read-only transaction, so that all figures see
    one snapshot of the ledger. The boards are as they are known by `knowledge`.
    """

    def __init__(
        self,
        *,
        question: FlowQuestion,
        boards: Sequence[ProjectFacts],
        knowledge: Knowledge = ALL_RECORDED,
        read_from: ReadFrom = ReadFrom.MERGED,
    ) -> None:
        self.question = question
        self._as_of = knowledge.known_at or question.now
        self._defined = BoardDefinitions(question=question, boards=boards, knowledge=knowledge)
        self._choice = SourceChoice(defined=self._defined, asked_from=read_from)
        self._diagram = Diagram(question=question, defined=self._defined, choice=self._choice)
        self._reads_times = False

    def expect(self, figures: Collection[str]) -> None:
        """Names what will be asked for, so that what several of them need is read once. Changes no figure."""
        self._defined.needs_everywhere = "aging" in figures
        self._diagram.needs_lines = "cumulativeFlow" in figures
        self._reads_times = not TIMES.isdisjoint(figures)

    @property
    def window(self) -> Window:
        """The window and its buckets."""
        return self.question.window

    @property
    def frame(self) -> Frame:
        """The window in pieces in which all definitions hold still."""
        return self._defined.frame

    @property
    def project_ids(self) -> list[int]:
        """Whose boards are read."""
        return self._defined.project_ids

    @property
    def fallback(self) -> str | None:
        """Why the ledger was read though rollups were asked for; None when it was not."""
        return self._choice.fallback

    @property
    def read_from(self) -> ReadFrom:
        """Where the figures were read from."""
        return self._choice.source.read_from

    @property
    def raw_rows(self) -> int:
        """Ledger rows that the figures so far were counted from."""
        return self._choice.rows.total(lambda: self._choice.source.ledger_rows(self._diagram.movements))

    @property
    def tail_rows(self) -> int:
        """Facts that the figures were counted from and no rollup had."""
        return self._choice.source.tail_rows

    def drill_down(self, asked: DrillQuestion) -> DrillDown:
        """What one number is made of, item by item or event by event.

        DrillError where there is no such number; PairError as `cycleTime` has it. Adds nothing to `raw_rows`.
        """
        return self._drilling.drill_down(asked)

    @cached_property
    def _drilling(self) -> Drilling:
        apart = self._choice.source.noting(LedgerRows())
        return Drilling(source=apart, scope=self._choice.scope, defined=self._defined, as_of=self._as_of)

    def states(self) -> list[StateDefinition]:
        """The states that the window's charts show, in order; those of one slug are one for a whole tenant."""
        return [states[0] for states in self._diagram.shown]

    def bands(self) -> Mapping[int, Sequence[int | None]]:
        """By state id: the items at each bucket's end, None while it is cancelled; the frame says whether they are known."""
        return self._diagram.counts.bands

    def work_in_progress(self) -> list[int | None]:
        """Items in states of category IN_PROGRESS at each bucket's end."""
        return self._diagram.stock(self._diagram.counts.in_progress)

    def cumulative_flow(self, *, mode: FlowMode, corrections: bool = True) -> CumulativeFlow:
        """The diagram in that mode; without `corrections` with none of them, for who does not look at them."""
        return self._diagram.drawn(mode=mode, corrections=corrections)

    def throughput(self) -> Throughput:
        """What was finished and cancelled. `finished` is relative to the window's end: what is not DONE there is not."""
        known, counts = self.frame.where_known, self._diagram.counts
        return Throughput(
            finished=known(completion.finished_per_bucket(frame=self.frame, rows=self._finished)),
            finish_events=known(counts.finish_events),
            cancelled=known(counts.cancelled),
        )

    @cached_property
    def _finished(self) -> Sequence[completion.Finished]:
        if self._reads_times:
            return self.durations.finished()
        return self._choice.source.finished(done=completion.done_states(self.frame))

    def transitions(self) -> list[completion.Edge]:
        """The state graph: the window's transitions from state to state, in the order of the workflow."""
        return self._edges

    @cached_property
    def _edges(self) -> list[completion.Edge]:
        groups = self._defined.every_state
        rows = self._choice.source.traversals(groups=completion.grouped(groups))
        return completion.edges(groups=groups, rows=rows)

    def churn(self, *, within: timedelta) -> Churn:
        """What was reopened or given up within that time, what went back, came and left."""
        groups = self._defined.every_state
        counts = items.churn(
            source=self._choice.source,
            scope=self._choice.scope,
            frame=self.frame,
            known=self._defined.workflows,
            groups=completion.grouped(groups),
            within=within,
            as_of=self._as_of,
        )
        return churn.churn(frame=self.frame, flows=self._diagram.counts, counts=counts, groups=groups)

    def identities(self) -> list[Identity]:
        """The laws that the answer keeps; of an actor's changes, which hold no items, there are none."""
        if not self.question.holds_items:
            return []
        until = max(self.window.start, min(self.window.end, self.question.now))
        found = items.sizes(
            source=self._choice.source,
            scope=self._choice.scope,
            frame=self.frame,
            known=self._defined.workflows,
            until=until,
        )
        flows, movements = self._diagram.counts, self._diagram.movements()
        return identities(frame=self.frame, flows=flows, movements=movements, sizes=found, until=until)

    def aging(self) -> list[AgingItem]:
        """The items in progress at the window's end, or now while it runs, the oldest first; none of an actor."""
        since = self._defined.recorded_since
        if not self.question.holds_items or since is None or self._horizon <= since:
            return []
        ages, names = self._ages
        aged = [AgingItem(item=names[each.task_id], age=each) for each in ages]
        return sorted(aged, key=lambda each: (each.age.started_at, each.item.identity, each.item.key))

    @property
    def _horizon(self) -> datetime:
        return min(self.window.end, self.question.now)

    @cached_property
    def _ages(self) -> tuple[list[Age], dict[int, ItemName]]:
        return items.ages(
            source=self._choice.source,
            scope=self._choice.scope,
            frame=self.frame,
            everywhere=self._defined.everywhere,
            at=self._horizon,
        )

    def forecast(self, *, question: forecasting.ForecastQuestion) -> forecasting.Forecast:
        """From the throughput of the window's whole days; ForecastError where `until` is out of reach."""
        past, stays = self.past()
        return forecasting.forecast(question=question, first_day=past.first_day, days=past.count, stays=stays)

    def past(self) -> tuple[PastDays, Sequence[forecasting.DoneStay]]:
        """What a forecast draws from: the window's whole days, and the stays in DONE by them; none where there are no days."""
        return self._past

    @cached_property
    def _past(self) -> tuple[PastDays, Sequence[forecasting.DoneStay]]:
        days = past_days(
            window=self.window,
            recorded_since=self._defined.recorded_since,
            known_at=self._defined.knowledge.known_at,
            now=self.question.now,
        )
        if not days.count:
            return days, ()
        return days, self._choice.source.done_stays(edges=days.edges, done=completion.done_states(self.frame))

    def validation(self) -> list[ValidationWait]:
        """How long items waited for a validation, by state and by who gave it."""
        return validation_waits(groups=self._defined.every_state, rows=self._waits)

    @cached_property
    def _waits(self) -> list[Waits]:
        found, validations = items.validation_waits(
            source=self._choice.source,
            scope=self._choice.scope,
            frame=self.frame,
            known=self._defined.workflows,
            groups=completion.grouped(self._defined.every_state),
        )
        # Validations are in the ledger alone, whatever is folded.
        self._choice.rows.note_apart("validation", validations)
        return found

    @cached_property
    def durations(self) -> Durations:
        """How long items took."""
        return Durations(source=self._choice.source, defined=self._defined, groups=self._defined.every_state)

    def data_quality(self) -> DataQuality:
        """The checks of the window's facts, always from the ledger."""
        return self._quality

    @cached_property
    def _quality(self) -> DataQuality:
        found, facts = data_quality(
            scope=self._choice.scope, begin=self.window.start, workflows=self._defined.workflows
        )
        self._choice.rows.note_apart("dataQuality", facts)
        return found
