"""Figures over a window, and the receipt that proves them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import strawberry
from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField, Selection

from analytics.engine.graphql.figures import Figure
from analytics.engine.graphql.inputs import Window, window_node
from analytics.engine.graphql.receipts import Receipt, proven_node
from analytics.engine.graphql.weighing import current
from analytics.engine.reading import cache, read_from, receipts
from analytics.engine.reading.answers import Answer
from analytics.engine.reading.costs import Decision
from analytics.engine.reading.estimates import Estimate, estimate, policy
from analytics.engine.reading.ledger_position import Position, oldest_in_tail, position
from analytics.engine.reading.questions import Figures, WindowQuestion, label
from analytics.flow.catalogue import sentence
from analytics.flow.figures.start_and_finish import PairError
from analytics.flow.graphql.aging import AgingItem, aging_connection
from analytics.flow.graphql.churn import REOPEN_WITHIN, WITHIN, Churn, churn_node, days_asked
from analytics.flow.graphql.drilling import DrillFields
from analytics.flow.graphql.durations import DURATIONS, DurationFields
from analytics.flow.graphql.edges import Edge, edge_node
from analytics.flow.graphql.forecast import TRIALS, Forecast, arguments_of, forecast_node, read_forecast
from analytics.flow.graphql.identities import Identity, identity_node
from analytics.flow.graphql.projects import WorkflowState, state_node
from analytics.flow.graphql.quality import DataQuality, quality_node
from analytics.flow.graphql.validation import ValidationWait, validation_nodes
from analytics.flow.reading import canonical
from analytics.flow.reading import results as flows
from analytics.flow.reading.flow import FlowReading
from tasks_app.errors import ApiError
from tasks_app.graphql.asking import Info
from tasks_app.graphql.connection_fields import connection_field
from tasks_app.http.connections import Connection, PageArgs
from tasks_app.observing.watch import aged

FlowMode = strawberry.enum(
    flows.FlowMode,
    name="FlowMode",
    description="CUMULATIVE: items whose furthest state so far is the line's or beyond. OCCUPANCY: items in the state.",
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


# Each figure by its field name.
FIGURES: Mapping[str, Figure] = {
    "cumulativeFlow": Figure(
        read=lambda reading, arguments: reading.cumulative_flow(
            mode=flows.FlowMode(arguments["mode"]), corrections=arguments.get("corrections", True)
        ),
        canonical=canonical.cumulative_flow,
        defaults={"mode": "CUMULATIVE"},
    ),
    "workInProgress": Figure(read=lambda reading, arguments: reading.work_in_progress()),
    "throughput": Figure(read=lambda reading, arguments: reading.throughput(), canonical=canonical.throughput),
    "transitions": Figure(read=lambda reading, arguments: reading.transitions(), canonical=canonical.transitions),
    "churn": Figure(
        read=lambda reading, arguments: reading.churn(within=days_asked(arguments[WITHIN], argument=WITHIN)),
        canonical=canonical.churn,
        defaults={WITHIN: REOPEN_WITHIN},
    ),
    "identities": Figure(read=lambda reading, arguments: reading.identities(), canonical=canonical.identities),
    "aging": Figure(read=lambda reading, arguments: reading.aging(), canonical=canonical.aging),
    "forecast": Figure(read=read_forecast, canonical=canonical.forecast, arguments=arguments_of),
    "validation": Figure(read=lambda reading, arguments: reading.validation(), canonical=canonical.validation),
    "dataQuality": Figure(read=lambda reading, arguments: reading.data_quality(), canonical=canonical.data_quality),
    "states": Figure(read=lambda reading, arguments: reading.states(), canonical=canonical.states),
    **DURATIONS,
}

# Figures that are shown in pages; what is hashed is the whole list.
LISTS = frozenset({"aging"})
# By figure: the field that shows its single items, and the argument that goes without them.
SINGLE_ITEMS = {
    "cumulativeFlow": {"correctionWindows": "corrections"},
    "cycleTime": {"points": "points"},
    "leadTime": {"points": "points"},
}
PAGE = frozenset({"first", "after", "last", "before"})


@dataclass(kw_only=True)
class Asked:
    """One `analytics` field of a request: what was asked for, and from where it is read."""

    question: WindowQuestion
    reading: FlowReading
    read_from: read_from.ReadFrom

    @cached_property
    def position(self) -> Position:
        """Where the answer's transaction stands."""
        return position(tenant_id=self.question.tenant_id)

    @cached_property
    def _answer(self) -> tuple[Answer, bool]:
        key = cache.answer_key(
            question=self.question,
            position=self.position,
            read_from=self.read_from,
            buckets=len(self.reading.window.starts),
        )
        try:
            found, was_kept = cache.kept(key=key, compute=self._counted)
        except PairError as error:
            raise ApiError(f"{error.argument}: {error}", extensions={"argument": error.argument}) from None
        aged(self._age(found))
        return found, was_kept

    def _age(self, found: Answer) -> timedelta:
        """How old the oldest of the facts is that the answer lacks. Rollups alone lack what waits to be folded."""
        if found.read_from is not read_from.ReadFrom.ROLLUP or not self.position.tail_rows:
            return timedelta()
        oldest = oldest_in_tail(tenant_id=self.question.tenant_id)
        known_at = self.question.known_at or self.question.now
        return max(known_at - oldest, timedelta()) if oldest else timedelta()

    def _counted(self) -> Answer:
        reading, asked = self.reading, self.question.figures
        figures: dict[str, Any] = {}
        # First: whatever is read of the window may be read with what it will be asked for.
        reading.expect({name for name, _ in asked.values()})
        self._weigh()
        for each, (name, given) in asked.items():
            figures[each] = FIGURES[name].read(reading, given)
            if weighing := current():
                weighing.note(done=len(figures), of=len(asked))
        return Answer(
            figures=figures,
            read_from=reading.read_from,
            raw_rows=reading.raw_rows,
            tail_rows=reading.tail_rows,
            note=reading.fallback,
        )

    def _weigh(self) -> None:
        """Raises TooHeavy or TooCostly when this is not to be counted here."""
        if weighing := current():
            weighing.add(self, self._estimate, lasting=cache.is_over(self.question))
            weighing.note(done=0, of=len(self.question.figures))

    @cached_property
    def _estimate(self) -> Estimate:
        return estimate(
            question=self.question,
            position=self.position,
            projects=self.reading.project_ids,
            buckets=len(self.reading.window.starts),
            raw=self.read_from is read_from.ReadFrom.RAW or self.reading.fallback is not None,
            enough=policy().most(Decision.SYNC),
        )

    def figure(self, name: str, **arguments: Any) -> Any:
        """One of the figures that the selection names, the same value that the receipt is about."""
        figures, asked = self._answer[0].figures, self.question.figures
        return next(
            figures[each]
            for each, (figure, given) in asked.items()
            if figure == name and all(given.get(key) == value for key, value in arguments.items())
        )

    def receipt(self) -> Receipt:
        """The receipt of all figures asked for."""
        found, cached = self._answer
        asked = self.question.figures
        counted = receipts.receipt(
            figures={each: FIGURES[asked[each][0]].canonical(value) for each, value in found.figures.items()},
            raw_rows=found.raw_rows,
            tail_rows=found.tail_rows,
            read_from=found.read_from,
            known_at=self.question.known_at or self.question.now,
            timezone=self.question.zone,
        )
        return proven_node(receipt=counted, question=self.question, place=self.position, note=found.note, cached=cached)


def figures_selected(info: Info) -> Figures:
    """The figures below this field, by a label of name and arguments, so that an alias or a repeat changes nothing.

    Single items are many, and nobody looks for them where neither they nor a receipt are selected.
    """
    fields = [field for selected in info.selected_fields for field in _below(selected)]
    names = {field.name for field in fields} | {each.name for field in fields for each in _below(field)}
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for field in fields:
        if field.name in FIGURES:
            full = FIGURES[field.name].arguments(_with_defaults(field.name, field.arguments))
            for part, argument in SINGLE_ITEMS.get(field.name, {}).items():
                full = {**full, argument: False} if names.isdisjoint({"receipt", part}) else full
            found[label(field.name, full)] = (field.name, full)
    return found


def _with_defaults(name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments, numbers as numbers: a selection has those that stand in the document as text."""
    usual = FIGURES[name].defaults
    if name in LISTS:
        arguments = {each: value for each, value in arguments.items() if each not in PAGE}
    given = {each: value for each, value in arguments.items() if value is not None or each not in usual}
    return {**usual, **{each: _like(usual.get(each), value) for each, value in given.items()}}


def _like(usual: Any, value: Any) -> Any:
    return value if usual is None else type(usual)(value)


def _below(selection: Selection) -> list[SelectedField]:
    found: list[SelectedField] = []
    for child in selection.selections:
        if isinstance(child, SelectedField):
            found.append(child)
        elif isinstance(child, FragmentSpread | InlineFragment):
            found.extend(_below(child))
    return found


@strawberry.type(description="Figures over one window. All of one answer are counted from one snapshot of the ledger.")
class Analytics(DurationFields, DrillFields):
    asked: strawberry.Private[Asked]

    @strawberry.field(description="The window and its buckets.")
    def window(self) -> Window:
        return window_node(self.asked.reading.window)

    @strawberry.field(description=sentence("states"))
    def states(self) -> list[WorkflowState]:
        return [state_node(definition) for definition in self.asked.figure("states")]

    @strawberry.field(description=sentence("cumulativeFlow"))
    def cumulative_flow(self, mode: FlowMode = flows.FlowMode.CUMULATIVE) -> CumulativeFlow:  # type: ignore[valid-type]
        answer: flows.CumulativeFlow = self.asked.figure("cumulativeFlow", mode=flows.FlowMode(mode).value)
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
        found: list[int | None] = self.asked.figure("workInProgress")
        return found

    @strawberry.field(description=sentence("throughput"))
    def throughput(self) -> Throughput:
        found: flows.Throughput = self.asked.figure("throughput")
        return Throughput(
            finished=list(found.finished),
            finish_events=list(found.finish_events),
            cancelled=list(found.cancelled),
        )

    @strawberry.field(description=sentence("transitions"))
    def transitions(self) -> list[Edge]:
        return [edge_node(edge) for edge in self.asked.figure("transitions")]

    @strawberry.field(description=sentence("churn"))
    def churn(self, reopen_within_days: int = REOPEN_WITHIN) -> Churn:
        return churn_node(self.asked.figure("churn", **{WITHIN: reopen_within_days}))

    @strawberry.field(description=sentence("identities"))
    def identities(self) -> list[Identity]:
        return [identity_node(identity) for identity in self.asked.figure("identities")]

    @connection_field(description=sentence("aging"))
    def aging(self, page: PageArgs) -> Connection[AgingItem]:
        return aging_connection(self.asked.figure("aging"), args=page)

    @strawberry.field(description=sentence("forecast"))
    def forecast(
        self,
        items: int | None = strawberry.UNSET,
        until: date | None = strawberry.UNSET,
        trials: int = TRIALS,
        seed: int | None = strawberry.UNSET,
        days_off: list[date] | None = strawberry.UNSET,
    ) -> Forecast:
        given = {"items": items, "until": until, "trials": trials, "seed": seed, "daysOff": days_off}
        written = {name: value for name, value in given.items() if value is not strawberry.UNSET}
        return forecast_node(self.asked.figure("forecast", **arguments_of(written)))

    @strawberry.field(description=sentence("validation"))
    def validation(self, info: Info) -> list[ValidationWait]:
        return validation_nodes(self.asked.figure("validation"), caller=info.context.caller)

    @strawberry.field(description=sentence("dataQuality"))
    def data_quality(self) -> DataQuality:
        return quality_node(self.asked.figure("dataQuality"))

    @strawberry.field(description="Proof of this answer.")
    def receipt(self) -> Receipt:
        return self.asked.receipt()
