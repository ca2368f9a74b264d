"""Cumulative flow diagram of a window, with the stocks and flows that are counted from the same movements of items."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analytics.flow.figures import cumulative_flow as flow
from analytics.flow.figures.cumulative_flow import added
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.reading.board_definitions import BoardDefinitions
from analytics.flow.reading.chart_states import shown_states
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import CorrectionWindows, CumulativeFlow, FlowMode, Series
from analytics.flow.reading.source_choice import SourceChoice
from analytics.flow.replay.flow import Correction
from analytics.flow.replay.task_names import names_of


@dataclass(kw_only=True)
class Diagram:
    """What went from state to state, and what is in them. Each statement runs at most once.

    `needs_lines` is set where lines will be drawn: how far items came is then read with the movements, in one statement.
    """

    question: FlowQuestion
    defined: BoardDefinitions
    choice: SourceChoice
    needs_lines: bool = False
    _movements: Sequence[flow.Movement] | None = None
    _reached: Sequence[flow.Reached] | None = None

    def movements(self) -> Sequence[flow.Movement]:
        """What took items from one state to another, by piece of the window."""
        if self.needs_lines:
            self._read_both()
        if self._movements is None:
            self._movements = self.choice.source.movements()
        return self._movements

    def _read_both(self) -> Sequence[flow.Reached]:
        if self._reached is None:
            self._movements, self._reached = self.choice.source.movements_and_reached()
        return self._reached

    @cached_property
    def counts(self) -> flow.Counts:
        """Stocks at the buckets' ends and flows in them, known or not."""
        return flow.count(frame=self.defined.frame, movements=self.movements())

    @cached_property
    def _lines(self) -> flow.Lines:
        return flow.lines(frame=self.defined.frame, reached=self._read_both())

    @cached_property
    def shown(self) -> list[list[StateDefinition]]:
        """The states that charts show, in order; those of one slug are one."""
        held: Mapping[int, Sequence[int | None]] = self.counts.bands if self.question.holds_items else {}
        return shown_states(frame=self.defined.frame, as_defined_now=self.question.as_defined_now, held=held)

    def stock(self, values: Sequence[int | None]) -> list[int | None]:
        """What items amount to where they are; an actor's changes are no items."""
        return self.defined.frame.where_known(values) if self.question.holds_items else [None] * len(values)

    def drawn(self, *, mode: FlowMode, corrections: bool) -> CumulativeFlow:
        """The diagram in that mode; without `corrections` with none of them."""
        # Lines first: who reads them has read the movements with them.
        drawn, counts = self._lines, self.counts
        known, stock = self.defined.frame.where_known, self.stock
        lines = drawn.by_state if mode is FlowMode.CUMULATIVE else counts.bands
        gap = zip(drawn.gap, counts.in_progress, strict=True)
        asked = self.question
        return CumulativeFlow(
            mode=mode,
            series=[
                Series(state=states[0], counts=stock(added(lines[state.state_id] for state in states)))
                for states in self.shown
            ],
            arrivals=known(counts.arrivals),
            departures=known(counts.departures),
            left=known(counts.departures),
            discarded=known(counts.discarded),
            definition_changes=self.defined.workflows.redefinitions(
                start=asked.window.start, end=min(asked.window.end, asked.now)
            ),
            correction_windows=self._correction_windows if corrections else CorrectionWindows(),
            difference=stock([reached - in_progress for reached, in_progress in gap]),
        )

    @cached_property
    def _correction_windows(self) -> CorrectionWindows:
        asked = self.question
        rows = self.choice.source.corrections(orders=self.defined.workflows.orders(before=asked.window.end))
        names = names_of(tenant_id=asked.tenant_id, task_ids=sorted({row.task_id for row in rows}))

        def place(row: Correction) -> tuple[int, str, float]:
            # By what is the same in every database; the order of recording differs when a file comes in another order.
            return row.begin, names[row.task_id].identity, math.inf if row.end is None else row.end

        ordered = sorted(rows, key=place)
        return CorrectionWindows(
            tasks=[row.task_id for row in ordered],
            keys=[names[row.task_id].key for row in ordered],
            external_ids=[names[row.task_id].external_id for row in ordered],
            begins=[row.begin for row in ordered],
            ends=[row.end for row in ordered],
        )
