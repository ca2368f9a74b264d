"""Definitions of states that hold in a question's window: workflows, the window cut where they change, the states it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from analytics.engine.projects import ProjectFacts
from analytics.engine.reading.knowledge import Knowledge
from analytics.flow.figures import cumulative_flow as flow
from analytics.flow.figures.workflow import StateDefinition, Workflows
from analytics.flow.reading.chart_states import every_state
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.replay.definitions import workflows


@dataclass(kw_only=True)
class BoardDefinitions:
    """How the states of the boards were defined, as far as it is known. Each statement runs at most once, when it is needed.

    `needs_everywhere` is set where some figure will need the states of all projects: those of the boards are among them.
    """

    question: FlowQuestion
    boards: Sequence[ProjectFacts]
    knowledge: Knowledge
    needs_everywhere: bool = False

    @property
    def project_ids(self) -> list[int]:
        """Whose boards are read."""
        return [board.id for board in self.boards]

    @property
    def recorded_since(self) -> datetime | None:
        """The instant before which nothing is known; of several projects the earliest. None: nothing was known at all."""
        return min((board.recorded_since for board in self.boards if board.recorded_since), default=None)

    @cached_property
    def workflows(self) -> Workflows:
        """How the states were defined, or with `as_defined_now`, how they are."""
        if self.question.whole_tenant:
            return self.everywhere
        return self.everywhere.of(self.project_ids) if self.needs_everywhere else self._defined(self.project_ids)

    @cached_property
    def everywhere(self) -> Workflows:
        """As `workflows`, of all the tenant's projects."""
        return self._defined(None)

    @cached_property
    def frame(self) -> flow.Frame:
        """The window in pieces."""
        asked = self.question
        return flow.cut(
            window=asked.window, workflows=self.workflows, recorded_since=self.recorded_since, now=asked.now
        )

    @cached_property
    def every_state(self) -> list[list[StateDefinition]]:
        """Every state that a fact can name, in order; those of one slug are one."""
        return every_state(frame=self.frame, as_defined_now=self.question.as_defined_now)

    def _defined(self, project_ids: Sequence[int] | None) -> Workflows:
        known = self.knowledge.definitions
        return workflows(
            tenant_id=self.question.tenant_id,
            project_ids=project_ids,
            known_at=known.known_at,
            snapshot=known.snapshot,
            frozen=self.question.as_defined_now,
            without=known.without,
        )
