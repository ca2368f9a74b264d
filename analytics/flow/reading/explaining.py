"""Explained change of a flow figure: which of its numbers, and the ledger rows that can bear upon it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from analytics.engine.projects import ProjectFacts, project_facts
from analytics.engine.reading.explaining import Counts, ExplainedNumber
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.drills import FlowMetric
from analytics.flow.reading.drill_result import DrillQuestion
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.replay.drilling import VALIDATIONS
from analytics.flow.replay.recordings import defined_between
from analytics.pure.windows import Window
from tasks_app.models import STATE_KINDS, Kind

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
        return self._number.before

    @property
    def after(self) -> int | None:
        """The number as known at `known_to`."""
        return self._number.after

    def contributions(self) -> dict[int, tuple[int, int]]:
        """By task, how often it was and is counted, where the two differ: `after` - `before` is the sum of differences."""
        return self._number.contributions()

    def filters(self) -> dict[str, Any]:
        """Which rows explain it, as analytics.flow.replay.activity.Feed takes them."""
        explanation = self._number.explanation
        return {
            "explaining": sorted(explanation.items),
            "definitions": sorted(explanation.definitions),
            "known_from": self.known_from,
            "known_to": self.known_to,
            "bearing_kinds": self._bearing_kinds(),
            "bearing_until": self.window.end + (self.asked.within if self.asked.metric in LOOK_BEYOND else NO_TIME),
        }

    def _bearing_kinds(self) -> list[int]:
        also = (Kind.VALIDATED,) if self.asked.metric in VALIDATIONS else ()
        return [int(kind) for kind in (*STATE_KINDS, *also)]

    @cached_property
    def _number(self) -> ExplainedNumber:
        return ExplainedNumber(
            counted=self._counted,
            defined_between=self._defined_between,
            known_from=self.known_from,
            known_to=self.known_to,
            snapshot=self.snapshot,
        )

    def _defined_between(self) -> Sequence[Sequence[int]]:
        return defined_between(
            tenant_id=self.tenant_id,
            project_id=self.board.id if self.board else None,
            known_from=self.known_from,
            known_to=self.known_to,
        )

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
