"""Board of a project at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import strawberry

from analytics.engine.graphql.projects import Project
from analytics.engine.graphql.receipts import Receipt, proven_node
from analytics.engine.projects import ProjectFacts, project_facts
from analytics.engine.reading import receipts
from analytics.engine.reading.ledger_position import position
from analytics.engine.reading.questions import BoardQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.family import TRANSITIONS
from analytics.flow.figures.workflow import StateDefinition, Workflows, in_order
from analytics.flow.graphql.tasks import TaskConnection, task_connection
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from analytics.flow.reading import canonical
from analytics.flow.reading.occupancy import Occupancy, occupancy
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.tasks import TaskList
from tasks_app.graphql.connection_fields import connection_field
from tasks_app.http.connections import PageArgs


@dataclass
class BoardReading:
    """One project's tasks at an instant, by state."""

    project: Project
    tasks: TaskList
    at: datetime
    known_at: datetime

    @cached_property
    def counts(self) -> Mapping[int, int]:
        """Tasks in each state."""
        return self._folded.counts if self._folded else self.tasks.count_by_state()

    @cached_property
    def _folded(self) -> Occupancy | None:
        """What rollups tell of an instant, as known now; None where the rows or the ledger have to be counted."""
        at = self.tasks.at
        if at is None or self.tasks.known_at is not None or self.tasks.snapshot is not None:
            return None
        node = self.project
        board = ProjectFacts(
            id=node.pk, key=node.key, name=node.name, timezone=node.timezone, recorded_since=node.recorded_since
        )
        return occupancy(tenant_id=self.tasks.tenant_id, board=board, known=self._workflows, at=at)

    @cached_property
    def _workflows(self) -> Workflows:
        return workflows(
            tenant_id=self.tasks.tenant_id,
            project_ids=[self.project.pk],
            known_at=self.tasks.known_at,
            snapshot=self.tasks.snapshot,
        )

    @cached_property
    def columns(self) -> list[StateDefinition]:
        """The states as defined then, in order: those that were there, and any that held tasks; none before all records."""
        if self._recorded_since and self.at <= self._recorded_since:
            return []
        known = self._workflows
        defined = dict(known.before(self.at))
        for state in self.counts:
            defined.setdefault(state, known.first(state))
        mine = [each for each in defined.values() if each.project_id == self.project.pk]
        return in_order(each for each in mine if not each.archived or self.counts.get(each.state_id))

    @property
    def _recorded_since(self) -> datetime | None:
        """As it was known: a late fact moves it back."""
        tasks = self.tasks
        if tasks.known_at is None and tasks.snapshot is None:
            return self.project.recorded_since
        found = project_facts(
            tenant_id=tasks.tenant_id, key=self.project.key, known_at=tasks.known_at, snapshot=tasks.snapshot
        )
        return next((board.recorded_since for board in found), None)

    @property
    def question(self) -> BoardQuestion:
        """What was asked for."""
        return BoardQuestion(
            tenant_id=self.tasks.tenant_id,
            families=(TRANSITIONS.name,),
            capability=TRANSITIONS.capability,
            project_id=self.project.pk,
            at=self.tasks.at,
            now=self.tasks.now,
            known_at=self.tasks.known_at,
        )

    def figures(self) -> Mapping[str, Any]:
        """The counts in canonical form, by label."""
        counts = self.counts
        return {
            "board": [{"state": canonical.state(each), "count": counts.get(each.state_id, 0)} for each in self.columns]
        }

    def receipt(self) -> receipts.Receipt:
        """What the counts were read from."""
        figures = self.figures()
        return receipts.receipt(
            figures=figures,
            metric_version=receipts.metric_version(figures, families=(TRANSITIONS.name,)),
            raw_rows=self._folded.tail_rows if self._folded else self.tasks.facts_read(),
            tail_rows=self._folded.tail_rows if self._folded else 0,
            read_from=self._folded.read_from if self._folded else ReadFrom.RAW,
            known_at=self.known_at,
            timezone=self.project.timezone,
        )


@strawberry.type(description="One column of a board.")
class BoardColumn:
    state: WorkflowState = strawberry.field(description="The state, as defined then.")
    count: int = strawberry.field(description="How many tasks were in it.")
    narrowed: strawberry.Private[TaskList]

    @connection_field(description="The tasks that were in it, in the order of their making.")
    def tasks(self, page: PageArgs) -> TaskConnection:
        return task_connection(tasks=self.narrowed, args=page)


@strawberry.type(description="The board after everything that had happened before `at`, as known at `knownAt`.")
class Board:
    at: datetime = strawberry.field(description="The instant, UTC.")
    known_at: datetime = strawberry.field(description="What was recorded later is left out, UTC.")
    project: Project = strawberry.field(description="Whose board.")
    reading: strawberry.Private[Any]

    @strawberry.field(description="The states in order, each with its tasks.")
    def columns(self) -> list[BoardColumn]:
        reading: BoardReading = self.reading
        return [
            BoardColumn(
                state=state_node(each),
                count=reading.counts.get(each.state_id, 0),
                narrowed=reading.tasks.narrowed(state_ids=[each.state_id]),
            )
            for each in reading.columns
        ]

    @strawberry.field(description="All tasks of the board, cancelled ones included.")
    def task_count(self) -> int:
        reading: BoardReading = self.reading
        return sum(reading.counts.values())

    @strawberry.field(description="Proof of the counts.")
    def receipt(self) -> Receipt:
        reading: BoardReading = self.reading
        place = position(tenant_id=reading.tasks.tenant_id, families=[TRANSITIONS])
        return proven_node(receipt=reading.receipt(), question=reading.question, place=place)


def board_reading(*, project: Project, question: BoardQuestion, snapshot: str | None = None) -> BoardReading:
    """The reading of the question; with `snapshot` of what was visible in it alone."""
    tasks = TaskList(
        tenant_id=question.tenant_id,
        now=question.now,
        at=question.at,
        known_at=question.known_at,
        snapshot=snapshot,
        filters={"project_ids": [project.pk]},
    )
    return BoardReading(
        project=project,
        tasks=tasks,
        at=question.at or question.now,
        known_at=question.known_at or question.now,
    )
