"""The whole board at one instant, replayed from the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import strawberry

from analytics.graphql.charts import Receipt, receipt_node
from analytics.graphql.projects import Project, WorkflowState, state_node
from analytics.graphql.tasks import Task, task_connection
from analytics.pure.workflow import StateDefinition, in_order
from analytics.replay.definitions import workflows
from analytics.replay.tasks import TaskList
from analytics.windows import canonical, receipts
from tasks_app.graphql.http.connections import Connection, PageArgs


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
        return self.tasks.count_by_state()

    @cached_property
    def columns(self) -> list[StateDefinition]:
        """The states as defined then, in order: those that were there, and any that held tasks; none before all records."""
        if self.project.recorded_since and self.at <= self.project.recorded_since:
            return []
        known = workflows(tenant_id=self.tasks.tenant_id, project_ids=[self.project.pk], known_at=self.tasks.known_at)
        defined = dict(known.before(self.at))
        for state in self.counts:
            defined.setdefault(state, known.first(state))
        mine = [each for each in defined.values() if each.project_id == self.project.pk]
        return in_order(each for each in mine if not each.archived or self.counts.get(each.state_id))

    def receipt(self) -> receipts.Receipt:
        """Proof of the counts."""
        figure = [{"state": canonical.state(each), "count": self.counts.get(each.state_id, 0)} for each in self.columns]
        return receipts.receipt(
            figures={"board": figure},
            raw_rows=self.tasks.facts_read(),
            known_at=self.known_at,
            timezone=self.project.timezone,
        )


@strawberry.type(description="One column of a board.")
class BoardColumn:
    state: WorkflowState = strawberry.field(description="The state, as defined then.")
    count: int = strawberry.field(description="How many tasks were in it.")
    narrowed: strawberry.Private[TaskList]

    @strawberry.field(description="The tasks that were in it, in the order of their making.")
    def tasks(
        self,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        last: int | None = strawberry.UNSET,
        before: str | None = strawberry.UNSET,
    ) -> Connection[Task]:
        return task_connection(tasks=self.narrowed, args=PageArgs(first=first, after=after, last=last, before=before))


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
        return receipt_node(reading.receipt())
