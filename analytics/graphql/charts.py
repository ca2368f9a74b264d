"""Figures over a window, and the receipt that proves them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField, Selection

from analytics.graphql.inputs import Window, window_node
from analytics.graphql.projects import WorkflowState, state_node
from analytics.metrics.catalogue import sentence
from analytics.pure import completion
from analytics.windows import canonical, receipts, sources
from analytics.windows import flow as flows
from analytics.windows.flow import FlowReading
from tasks_app.graphql.asking import Info

FlowMode = strawberry.enum(
    flows.FlowMode,
    name="FlowMode",
    description="CUMULATIVE: items whose furthest state so far is the line's or beyond. OCCUPANCY: items in the state.",
)
ReadFrom = strawberry.enum(
    sources.ReadFrom,
    name="ReadFrom",
    description="RAW: the ledger. ROLLUP: rollups alone, which may lag. MERGED: rollups and the live tail.",
)


@strawberry.type(description="One state's numbers.")
class StateSeries:
    state: WorkflowState = strawberry.field(description="The state; of a whole tenant, all states of that slug as one.")
    counts: list[int | None] = strawberry.field(description="Items at each bucket's end; null where nothing is known.")


@strawberry.type(description="A time in which an item was behind the furthest state that it had reached.")
class CorrectionWindow:
    task_key: str = strawberry.field(description="The item.")
    from_: datetime = strawberry.field(name="from", description="When it moved back, UTC.")
    to: datetime | None = strawberry.field(
        description="When it was there again, or left the board, UTC; null while it is behind at the window's end."
    )


@strawberry.type(description="The cumulative flow diagram. All lists have one number per bucket; null: not known.")
class CumulativeFlow:
    mode: FlowMode = strawberry.field(description="What the lines count.")  # type: ignore[valid-type]
    series: list[StateSeries] = strawberry.field(description=sentence("cumulativeFlow.series"))
    arrivals: list[int | None] = strawberry.field(description=sentence("cumulativeFlow.arrivals"))
    departures: list[int | None] = strawberry.field(description=sentence("cumulativeFlow.departures"))
    left: list[int | None] = strawberry.field(description=sentence("cumulativeFlow.left"))
    discarded: list[int | None] = strawberry.field(description=sentence("cumulativeFlow.discarded"))
    definition_changes: list[datetime] = strawberry.field(description=sentence("cumulativeFlow.definitionChanges"))
    correction_windows: list[CorrectionWindow] = strawberry.field(
        description=sentence("cumulativeFlow.correctionWindows")
    )
    difference: list[int | None] = strawberry.field(description=sentence("cumulativeFlow.difference"))


@strawberry.type(description="What was finished and cancelled. One number per bucket; null: not known.")
class Throughput:
    finished: list[int | None] = strawberry.field(description=sentence("throughput.finished"))
    finish_events: list[int | None] = strawberry.field(description=sentence("throughput.finishEvents"))
    cancelled: list[int | None] = strawberry.field(description=sentence("throughput.cancelled"))


@strawberry.type(description="The transitions of the window from one state to another.")
class Edge:
    from_: WorkflowState | None = strawberry.field(
        name="from", description="The state before; null: nowhere, as for a new item or one that comes to the board."
    )
    to: WorkflowState | None = strawberry.field(description="The state after; null: off the board.")
    count: int = strawberry.field(description="How many transitions.")
    median_seconds: float | None = strawberry.field(
        description="The median time in the state before, a time that was observed (nearest rank); null from nowhere."
    )


@strawberry.type(description="Proof of an answer.")
class Receipt:
    metric_version: str = strawberry.field(description="The definitions that were used.")
    read_from: ReadFrom = strawberry.field(description="Where the figures were read from.")  # type: ignore[valid-type]
    tail_rows: int = strawberry.field(description="Facts read that no rollup had folded yet.")
    raw_rows: int = strawberry.field(description="Ledger rows read at all.")
    known_at: datetime = strawberry.field(description="The figures are what was known at this instant, UTC.")
    timezone: str = strawberry.field(description="The zone of the window's buckets.")
    tzdata: str = strawberry.field(description="The version of the zone database.")
    digest: str = strawberry.field(
        description="SHA-256 of the figures asked for, each whole with its arguments, in canonical form (RFC 8785):"
        " the same facts and figures give the same digest, wherever they were read from."
    )


# Each figure by its field name: its canonical value, from the reading and the field's arguments.
Figure = Callable[[FlowReading, Mapping[str, Any]], Any]
FIGURES: Mapping[str, Figure] = {
    "cumulativeFlow": lambda reading, arguments: canonical.cumulative_flow(
        reading.cumulative_flow(mode=flows.FlowMode(arguments.get("mode", "CUMULATIVE")))
    ),
    "workInProgress": lambda reading, arguments: reading.work_in_progress(),
    "throughput": lambda reading, arguments: canonical.throughput(reading.throughput()),
    "transitions": lambda reading, arguments: canonical.transitions(reading.transitions()),
    "states": lambda reading, arguments: canonical.states(reading.states()),
}


@dataclass
class Asked:
    """One `analytics` field of a request: its reading, and the figures that its selection names."""

    reading: FlowReading
    known_at: datetime
    figures: Mapping[str, tuple[str, Mapping[str, Any]]]

    def receipt(self) -> receipts.Receipt:
        """The receipt of all figures asked for."""
        values = {label: FIGURES[name](self.reading, arguments) for label, (name, arguments) in self.figures.items()}
        return receipts.receipt(
            figures=values,
            raw_rows=self.reading.raw_rows,
            known_at=self.known_at,
            timezone=self.reading.window.zone,
        )


def figures_selected(info: Info) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """The figures below this field, by a label of name and arguments, so that an alias or a repeat changes nothing."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for selected in info.selected_fields:
        for name, arguments in _below(selected):
            if name in FIGURES:
                full = {"mode": "CUMULATIVE", **arguments} if name == "cumulativeFlow" else arguments
                label = name + "".join(f" {key}={full[key]}" for key in sorted(full))
                found[label] = (name, full)
    return found


def _below(selection: Selection) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    for child in selection.selections:
        if isinstance(child, SelectedField):
            found.append((child.name, child.arguments))
        elif isinstance(child, FragmentSpread | InlineFragment):
            found.extend(_below(child))
    return found


@strawberry.type(description="Figures over one window. All of one answer are counted from one snapshot of the ledger.")
class Analytics:
    asked: strawberry.Private[Asked]

    @strawberry.field(description="The window and its buckets.")
    def window(self) -> Window:
        return window_node(self.asked.reading.window)

    @strawberry.field(description=sentence("states"))
    def states(self) -> list[WorkflowState]:
        return [state_node(definition) for definition in self.asked.reading.states()]

    @strawberry.field(description=sentence("cumulativeFlow"))
    def cumulative_flow(self, mode: FlowMode = flows.FlowMode.CUMULATIVE) -> CumulativeFlow:  # type: ignore[valid-type]
        answer = self.asked.reading.cumulative_flow(mode=mode)
        return CumulativeFlow(
            mode=answer.mode,
            series=[StateSeries(state=state_node(each.state), counts=list(each.counts)) for each in answer.series],
            arrivals=list(answer.arrivals),
            departures=list(answer.departures),
            left=list(answer.left),
            discarded=list(answer.discarded),
            definition_changes=list(answer.definition_changes),
            correction_windows=[
                CorrectionWindow(task_key=each.item.key, from_=each.begin, to=each.end)
                for each in answer.correction_windows
            ],
            difference=list(answer.difference),
        )

    @strawberry.field(description=sentence("workInProgress"))
    def work_in_progress(self) -> list[int | None]:
        return self.asked.reading.work_in_progress()

    @strawberry.field(description=sentence("throughput"))
    def throughput(self) -> Throughput:
        found = self.asked.reading.throughput()
        return Throughput(
            finished=list(found.finished),
            finish_events=list(found.finish_events),
            cancelled=list(found.cancelled),
        )

    @strawberry.field(description=sentence("transitions"))
    def transitions(self) -> list[Edge]:
        return [edge_node(edge) for edge in self.asked.reading.transitions()]

    @strawberry.field(description="Proof of this answer.")
    def receipt(self) -> Receipt:
        return receipt_node(self.asked.receipt())


def edge_node(edge: completion.Edge) -> Edge:
    """The edge as the API shows it."""
    return Edge(
        from_=state_node(edge.before) if edge.before else None,
        to=state_node(edge.after) if edge.after else None,
        count=edge.count,
        median_seconds=None if edge.median is None else edge.median.total_seconds(),
    )


def receipt_node(found: receipts.Receipt) -> Receipt:
    """The receipt as the API shows it."""
    return Receipt(
        metric_version=found.metric_version,
        read_from=found.read_from,
        tail_rows=found.tail_rows,
        raw_rows=found.raw_rows,
        known_at=found.known_at,
        timezone=found.timezone,
        tzdata=found.tzdata,
        digest=found.digest,
    )
