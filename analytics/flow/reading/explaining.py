"""Why a number is another one now: the ledger rows that were recorded between two instants and changed it.

The number is taken apart by the items that it counts, as drill-downs do. A row explains the change when it was recorded in
between and belongs to an item that the number counts otherwise since. Definitions explain it where without them the
number would be another one. Take all those rows away, and what is left gives the number as it was.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from analytics.engine.projects import ProjectFacts, project_facts
from analytics.engine.reading.knowledge import Knowledge, KnownDefinitions
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.drills import FlowMetric
from analytics.flow.reading.drill_result import DrillError, DrillQuestion
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.replay.drilling import VALIDATIONS
from analytics.flow.replay.recordings import defined_between
from analytics.pure.windows import Window
from tasks_app.models import STATE_KINDS, Kind

Counts = Mapping[int, int]

# More operations than that on one board's states between two instants are shown as they are.
MOST_OPERATIONS: Final = 20
# These look for what followed a row.
NO_TIME: Final = timedelta(0)
LOOK_BEYOND: Final = frozenset({FlowMetric.REOPENED, FlowMetric.ABANDONED})


@dataclass(frozen=True, kw_only=True)
class ChangedNumber:
    """One number of a project's window (`board` None: of the tenant's), as known at two instants.

    To be used in one read-only transaction. With `snapshot` only facts that were visible in it had been known at `known_from`.
    DrillError where there is no such number to be asked for. `before` and `after` are None where the number is not known.
    """

    tenant_id: int
    board: ProjectFacts | None
    window: Window
    asked: DrillQuestion
    known_from: datetime
    known_to: datetime
    now: datetime
    snapshot: str | None = None

    @property
    def before(self) -> int | None:
        """The number as known at `known_from`."""
        return _total(self._before)

    @property
    def after(self) -> int | None:
        """The number as known at `known_to`."""
        return _total(self._after)

    def contributions(self) -> dict[int, tuple[int, int]]:
        """By task, how often it was and is counted, where the two differ: `after` - `before` is the sum of differences."""
        before, after = self._before or {}, self._after or {}
        return {task: (before.get(task, 0), after.get(task, 0)) for task in _unlike(before, after)}

    def filters(self) -> dict[str, Any]:
        """Which rows explain it, as analytics.flow.replay.activity.Feed takes them."""
        tasks, definitions = self._explaining
        return {
            "explaining": sorted(tasks),
            "definitions": sorted(definitions),
            "known_from": self.known_from,
            "known_to": self.known_to,
            "bearing_kinds": self._bearing_kinds(),
            "bearing_until": self.window.end + (self.asked.within if self.asked.metric in LOOK_BEYOND else NO_TIME),
        }

    def _bearing_kinds(self) -> list[int]:
        also = (Kind.VALIDATED,) if self.asked.metric in VALIDATIONS else ()
        return [int(kind) for kind in (*STATE_KINDS, *also)]

    @cached_property
    def _after(self) -> Counts | None:
        return self._counted(_knowing(self.known_to, defined_at=self.known_to))

    @cached_property
    def _before(self) -> Counts | None:
        _ = self._after  # A question that makes no sense makes none of now.
        try:
            return self._counted(_knowing(self.known_from, defined_at=self.known_from, snapshot=self.snapshot))
        except DrillError:
            return None

    @cached_property
    def _explaining(self) -> tuple[Collection[int], Collection[int]]:
        """The tasks whose rows explain the change, and the rows of definitions that do."""
        before, after, operations = self._before or {}, self._after or {}, self._operations
        changed = _unlike(before, after)
        if not operations:
            return changed, ()
        every = frozenset(seq for operation in operations for seq in operation)
        as_defined_before = (before, self._with_facts_of_now(every))
        if as_defined_before == (self._with_facts_of_then(frozenset()), after):
            return changed, ()
        return changed | _unlike(*as_defined_before), self._needed(every, operations, as_defined_before)

    def _needed(
        self, every: frozenset[int], operations: Sequence[Sequence[int]], wanted: tuple[Counts, Counts]
    ) -> frozenset[int]:
        """Those of the definitions that cannot stay if the number is to be counted as before them."""
        if len(operations) > MOST_OPERATIONS:
            return every
        needed = every
        for operation in operations:
            fewer = needed - frozenset(operation)
            if (self._with_facts_of_then(fewer), self._with_facts_of_now(fewer)) == wanted:
                needed = fewer
        return needed

    def _with_facts_of_then(self, without: frozenset[int]) -> Counts:
        return self._supposed(
            _knowing(self.known_from, defined_at=self.known_to, without=without, snapshot=self.snapshot)
        )

    def _with_facts_of_now(self, without: frozenset[int]) -> Counts:
        return self._supposed(_knowing(self.known_to, defined_at=self.known_to, without=without))

    @cached_property
    def _operations(self) -> Sequence[Sequence[int]]:
        return defined_between(
            tenant_id=self.tenant_id,
            project_id=self.board.id if self.board else None,
            known_from=self.known_from,
            known_to=self.known_to,
        )

    def _supposed(self, knowledge: Knowledge) -> Counts:
        try:
            return self._counted(knowledge) or {}
        except DrillError:
            return {}

    def _counted(self, knowledge: Knowledge) -> Counts | None:
        """How often each task is counted; None where nothing is known of the window."""
        reading = FlowReading(
            question=FlowQuestion(
                tenant_id=self.tenant_id, window=self.window, now=self.now, whole_tenant=self.board is None
            ),
            boards=project_facts(
                tenant_id=self.tenant_id, key=self.board.key if self.board else None, known_at=knowledge.known_at
            ),
            knowledge=knowledge,
            read_from=ReadFrom.RAW,
        )
        if not any(reading.frame.known):
            return None
        return reading.drill_down(self.asked).by_item()


def _knowing(
    facts_at: datetime, *, defined_at: datetime, without: frozenset[int] = frozenset(), snapshot: str | None = None
) -> Knowledge:
    """Facts up to one instant, and with `snapshot` visible in it; definitions up to another, whatever was visible."""
    defined = KnownDefinitions(known_at=defined_at, without=without)
    return Knowledge(known_at=facts_at, snapshot=snapshot, defined=defined)


def _total(counts: Counts | None) -> int | None:
    return None if counts is None else sum(counts.values())


def _unlike(one: Counts, other: Counts) -> set[int]:
    return {task for task in one.keys() | other.keys() if one.get(task, 0) != other.get(task, 0)}
