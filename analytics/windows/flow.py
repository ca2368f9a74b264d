"""The cumulative flow diagram and work in progress of a project or of the whole tenant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from analytics.pure import flow
from analytics.pure.windows import Window
from analytics.pure.workflow import StateDefinition, Workflows, in_order
from analytics.replay import flow as replay
from analytics.replay.definitions import BoardFacts, workflows
from analytics.replay.items import ItemName, names_of


class FlowMode(StrEnum):
    """What a line of the diagram counts."""

    CUMULATIVE = "CUMULATIVE"
    OCCUPANCY = "OCCUPANCY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One state's numbers, one per bucket, at the bucket's end. null: not known."""

    state: StateDefinition
    counts: Sequence[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionWindow:
    """The time in which an item was behind the furthest state that it had reached; `end` None while it is."""

    item: ItemName
    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeFlow:
    """The diagram: series in the order of the workflow, flows per bucket, and what explains a surprise."""

    mode: FlowMode
    series: Sequence[Series]
    arrivals: Sequence[int | None]
    departures: Sequence[int | None]
    left: Sequence[int | None]
    discarded: Sequence[int | None]
    definition_changes: Sequence[datetime]
    correction_windows: Sequence[CorrectionWindow]
    difference: Sequence[int | None]


class FlowReading:
    """The figures of one question. Each statement runs at most once, when the first figure that needs it is asked for.

    To be used inside one read-only transaction, so that all figures see one snapshot of the ledger.
    """

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
    ) -> None:
        self.window = window
        self._tenant_id = tenant_id
        self._boards = boards
        self._whole_tenant = whole_tenant
        self._known_at = known_at
        self._as_defined_now = as_defined_now
        self._now = now

    @property
    def recorded_since(self) -> datetime | None:
        """The instant before which nothing is known; of several projects the earliest."""
        return min((board.recorded_since for board in self._boards), default=None)

    @cached_property
    def workflows(self) -> Workflows:
        """How the states were defined, or with definitionAsOf NOW, how they are."""
        return workflows(
            tenant_id=self._tenant_id,
            project_ids=[board.id for board in self._boards],
            known_at=self._known_at,
            frozen=self._as_defined_now,
        )

    @cached_property
    def frame(self) -> flow.Frame:
        """The window in pieces."""
        return flow.cut(window=self.window, workflows=self.workflows, recorded_since=self.recorded_since, now=self._now)

    @cached_property
    def _movements(self) -> Sequence[flow.Movement]:
        return replay.movements(scope=self._scope, edges=self.frame.edges)

    @cached_property
    def _counts(self) -> flow.Counts:
        return flow.count(frame=self.frame, movements=self._movements)

    @cached_property
    def _lines(self) -> flow.Lines:
        orders = [
            replay.Order(epoch=epoch, project_id=each.project_id, state_id=each.state_id, position=each.position)
            for epoch, definitions in enumerate(self.frame.epochs)
            for each in definitions.values()
            if each.on_board
        ]
        rows = replay.reached(scope=self._scope, edges=self.frame.edges, orders=orders)
        return flow.lines(frame=self.frame, reached=rows)

    @property
    def _scope(self) -> replay.Scope:
        return replay.Scope(
            tenant_id=self._tenant_id,
            project_id=None if self._whole_tenant else self._boards[0].id,
            until=self.window.end,
            known_at=self._known_at,
        )

    @property
    def raw_rows(self) -> int:
        """Ledger rows that the figures so far were counted from."""
        return sum(row.count for row in self.__dict__.get("_movements", ()))

    def states(self) -> list[StateDefinition]:
        """The states that the window's charts show, in order; those of one slug are one for a whole tenant."""
        return [states[0] for states in self._by_slug().values()]

    def work_in_progress(self) -> list[int | None]:
        """Items in states of category IN_PROGRESS at each bucket's end."""
        return self.frame.where_known(self._counts.in_progress)

    def cumulative_flow(self, *, mode: FlowMode) -> CumulativeFlow:
        """The diagram in that mode."""
        known, counts = self.frame.where_known, self._counts
        lines = self._lines.by_state if mode is FlowMode.CUMULATIVE else counts.bands
        gap = zip(self._lines.gap, counts.in_progress, strict=True)
        return CumulativeFlow(
            mode=mode,
            series=[
                Series(state=states[0], counts=known(_added(lines[state.state_id] for state in states)))
                for states in self._by_slug().values()
            ],
            arrivals=known(counts.arrivals),
            departures=known(counts.departures),
            left=known(counts.departures),
            discarded=known(counts.discarded),
            definition_changes=self._definition_changes(),
            correction_windows=self._correction_windows(),
            difference=known([reached - in_progress for reached, in_progress in gap]),
        )

    def _by_slug(self) -> Mapping[str, list[StateDefinition]]:
        found: dict[str, list[StateDefinition]] = {}
        states = sorted(in_order(flow.shown_states(self.frame)), key=lambda state: state.position)
        for state in states:
            found.setdefault(state.slug, []).append(state)
        return found

    def _definition_changes(self) -> list[datetime]:
        beginnings = {board.recorded_since for board in self._boards}
        changes = self.workflows.changes(after=self.window.start, before=self.window.end)
        return [change for change in changes if change not in beginnings]

    def _correction_windows(self) -> list[CorrectionWindow]:
        rows = replay.corrections(scope=self._scope, begin=self.window.start, workflows=self.workflows)
        names = names_of(tenant_id=self._tenant_id, task_ids=sorted({row.task_id for row in rows}))
        windows = [CorrectionWindow(item=names[row.task_id], begin=row.begin, end=row.end) for row in rows]
        return sorted(windows, key=lambda each: (each.begin, each.item.identity))


def _added(columns: Iterable[Sequence[int]]) -> list[int]:
    return [sum(values) for values in zip(*columns, strict=True)]
