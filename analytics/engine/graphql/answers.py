"""Answer to a question about a window: its figures, read once or kept from before, and the receipt that proves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import strawberry

from analytics.engine.families import family_named
from analytics.engine.figure import Figure
from analytics.engine.graphql.inputs import Window, window_node
from analytics.engine.graphql.receipts import Receipt, proven_node
from analytics.engine.graphql.weighing import current
from analytics.engine.reading import cache, receipts
from analytics.engine.reading.answers import Answer
from analytics.engine.reading.costs import Decision
from analytics.engine.reading.estimates import Estimate, estimate, policy
from analytics.engine.reading.ledger_position import Position, oldest_in_tail, position
from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.wing_reading import Reading
from tasks_app.observing.watch import aged


@dataclass(kw_only=True)
class Asked:
    """One field of a request that has figures below it: what was asked for, and from where it is read.

    `known` are the figures that there are, by name; `projects` those whose facts are read.
    """

    question: WindowQuestion
    reading: Reading
    projects: Sequence[int]
    read_from: ReadFrom
    known: Mapping[str, Figure]

    @cached_property
    def position(self) -> Position:
        """Where the answer's transaction stands."""
        families = [family_named(name) for name in self.question.families]
        return position(tenant_id=self.question.tenant_id, families=families)

    @property
    def _definitions(self) -> str:
        return receipts.metric_version(self.question.figures, families=self.question.families)

    @cached_property
    def _answer(self) -> tuple[Answer, bool]:
        key = cache.answer_key(
            question=self.question,
            position=self.position,
            read_from=self.read_from,
            buckets=len(self.reading.window.starts),
            metric_version=self._definitions,
        )
        found, was_kept = cache.kept(key=key, compute=self._counted)
        aged(self._age(found))
        return found, was_kept

    def _age(self, found: Answer) -> timedelta:
        """How old the oldest of the facts is that the answer lacks. Rollups alone lack what waits to be folded."""
        lacking = [each.family for each in self.position.families if each.tail_rows]
        if found.read_from is not ReadFrom.ROLLUP or not lacking:
            return timedelta()
        oldest = oldest_in_tail(tenant_id=self.question.tenant_id, families=lacking)
        known_at = self.question.known_at or self.question.now
        return max(known_at - oldest, timedelta()) if oldest else timedelta()

    def _counted(self) -> Answer:
        reading, asked = self.reading, self.question.figures
        figures: dict[str, Any] = {}
        # First: whatever is read of the window may be read with what it will be asked for.
        reading.expect({name for name, _ in asked.values()})
        self._weigh()
        for each, (name, given) in asked.items():
            figures[each] = self.known[name].read(reading, given)
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
            weights=[self.known[name].weighs(given) for name, given in self.question.figures.values()],
            position=self.position,
            projects=list(self.projects),
            buckets=len(self.reading.window.starts),
            raw=self.read_from is ReadFrom.RAW or self.reading.fallback is not None,
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
            figures={each: self.known[asked[each][0]].canonical(value) for each, value in found.figures.items()},
            metric_version=self._definitions,
            raw_rows=found.raw_rows,
            tail_rows=found.tail_rows,
            read_from=found.read_from,
            known_at=self.question.known_at or self.question.now,
            timezone=self.question.zone,
        )
        return proven_node(receipt=counted, question=self.question, place=self.position, note=found.note, cached=cached)


@strawberry.type(description="Figures over one window.")
class WindowAnswer:
    """What the types with figures derive from."""

    asked: strawberry.Private[Asked]

    @strawberry.field(description="The window and its buckets.")
    def window(self) -> Window:
        return window_node(self.asked.reading.window)

    @strawberry.field(description="Proof of this answer.")
    def receipt(self) -> Receipt:
        return self.asked.receipt()
