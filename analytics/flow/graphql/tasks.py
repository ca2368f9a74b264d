"""Tasks: as they are, or as they were at an instant."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import auto

from analytics.engine.graphql.actors import Actor, actors_by_id
from analytics.engine.graphql.projects import Project, projects_by_id
from analytics.flow.figures.workflow import StateDefinition, Workflows
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.task_histories import NO_HISTORY, History, histories
from analytics.flow.replay.tasks import TaskList, TaskRow, tasks_by_id
from tasks_app.graphql.asking import Info
from tasks_app.graphql.connection_fields import connection_field
from tasks_app.graphql.record_types import record_type
from tasks_app.http.connections import PageArgs, PageInfo
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import Node, encode_id
from tasks_app.http.scalars import INT_LIMIT
from tasks_app.models import Task as TaskModel
from tasks_app.tenancy import TenantFacts

if TYPE_CHECKING:
    from analytics.flow.graphql.activity import ActivityConnection

BY_TASK = Keyset(columns=(Column("task_id", "asc"),))
COLUMNS = {"task_id": "x.task_id"}


@strawberry.type(description="One stay of a task in a state.")
class StateVisit:
    state: WorkflowState = strawberry.field(description="The state, as defined when it was entered.")
    entered_at: datetime = strawberry.field(description="When it came, UTC.")
    left_at: datetime | None = strawberry.field(description="When it went, UTC; null while it is there.")
    seconds: float = strawberry.field(
        description="How long, in elapsed seconds, exact to the microsecond; up to now, or `at`, while it is there."
    )
    ledger_ids: list[strawberry.ID] = strawberry.field(description="The ledger rows that began or confirmed the stay.")


@dataclass
class TaskBatch:
    """The tasks of one answer. What their fields need is read once for all of them, when the first asks."""

    tenant_id: int
    rows: Sequence[TaskRow]
    now: datetime
    at: datetime | None = None
    known_at: datetime | None = None

    @property
    def horizon(self) -> datetime:
        """Up to when what lasts has lasted."""
        return min(self.at or self.now, self.now)

    @cached_property
    def projects(self) -> dict[int, Project]:
        """Their projects, by id."""
        return projects_by_id(tenant_id=self.tenant_id, ids=[row.project_id for row in self.rows])

    @cached_property
    def workflows(self) -> Workflows:
        """The states of all projects that the tasks have been in."""
        return workflows(tenant_id=self.tenant_id, project_ids=None)

    @cached_property
    def assignees(self) -> dict[int, Actor]:
        """Whose hands they are in, by actor id."""
        return actors_by_id(tenant_id=self.tenant_id, ids=(row.assignee_id for row in self.rows if row.assignee_id))

    @cached_property
    def histories(self) -> dict[int, History]:
        """Their histories, by task id."""
        ids = [row.task_id for row in self.rows]
        return histories(
            tenant_id=self.tenant_id, task_ids=ids, workflows=self.workflows, at=self.at, known_at=self.known_at
        )

    def definition(self, state_id: int, *, at: datetime | None) -> StateDefinition:
        """The state as defined at the instant; for one before all definitions, as first defined."""
        if at is not None and (found := self.workflows.at(at).get(state_id)):
            return found
        return self.workflows.first(state_id) if at else self.workflows.latest(state_id)


@record_type(TaskModel, description="An item of work. Discarded tasks are in no list, but their key still finds them.")
class Task(Node):
    key: auto
    title: auto
    created_at: auto
    row: strawberry.Private[TaskRow]
    batch: strawberry.Private[TaskBatch]

    @strawberry.field(description="The board it is on.")
    def project(self) -> Project:
        return self.batch.projects[self.row.project_id]

    @strawberry.field(description="The state it is in; of a discarded task the one it was in last.")
    def state(self) -> WorkflowState:
        return state_node(self.batch.definition(self.row.state_id, at=self.batch.at))

    @strawberry.field(description="Whose hands it is in; null for nobody's.")
    def assignee(self) -> Actor | None:
        return self.batch.assignees.get(self.row.assignee_id) if self.row.assignee_id else None

    @strawberry.field(description="Its first entry into a state of category IN_PROGRESS, UTC; null if never.")
    def started_at(self) -> datetime | None:
        return self._history.started_at

    @strawberry.field(description="The start of its present stay in DONE states, UTC; null when it is not done.")
    def finished_at(self) -> datetime | None:
        return self._history.finished_at

    @strawberry.field(
        description="Every stay in a state, oldest first, as far as it had happened and was known at the instants that the"
        " list of tasks is of. Stays off the board are left out, so that the seconds add up to its time on boards."
    )
    def visits(self) -> list[StateVisit]:
        return [
            StateVisit(
                state=state_node(self.batch.definition(visit.state_id, at=visit.entered_at)),
                entered_at=visit.entered_at,
                left_at=visit.left_at,
                seconds=((visit.left_at or self.batch.horizon) - visit.entered_at).total_seconds(),
                ledger_ids=[encode_id(type_name="Activity", pk=seq) for seq in visit.seqs],
            )
            for visit in self._history.visits
            if visit.state_id
        ]

    @connection_field(description="What happened to it, the newest recording first.")
    def activity(
        self, info: Info, page: PageArgs
    ) -> Annotated["ActivityConnection", strawberry.lazy("analytics.flow.graphql.activity")]:
        from analytics.flow.graphql.activity import activity_connection

        return activity_connection(tenant=info.context.tenant, filters={"task_id": self.pk}, args=page)

    @property
    def _history(self) -> History:
        return self.batch.histories.get(self.pk, NO_HISTORY)


@strawberry.type(description="A stretch of a task's time, and the ledger rows between which it was.")
class TaskInterval:
    from_: datetime = strawberry.field(name="from", description="Its beginning, UTC.")
    to: datetime = strawberry.field(description="Its end, UTC; of one that lasts the instant that is asked about.")
    seconds: float = strawberry.field(description="From the one to the other, elapsed.")
    from_ledger_id: strawberry.ID | None = strawberry.field(description="The ledger row that began it.")
    to_ledger_id: strawberry.ID | None = strawberry.field(
        description="The ledger row that ended it; null while it lasts."
    )


@strawberry.type(
    description="One place in a list of tasks. What explains it is of drill-downs: other lists have null and no intervals."
)
class TaskEdge:
    node: Task = strawberry.field(description="The task in this place.")
    cursor: str = strawberry.field(description="Names this place; pass it to `after` or `before`.")
    ledger_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The ledger row because of which it is here: an `Activity`. Null where no single row explains it.",
    )
    happened_at: datetime | None = strawberry.field(default=None, description="When that happened, UTC.")
    seconds: float | None = strawberry.field(
        default=None, description="What the figure counts of it, where it is a figure of time."
    )
    intervals: list[TaskInterval] = strawberry.field(
        default_factory=list, description="When that time was, oldest first, with the rows that began and ended it."
    )


@strawberry.type(description="One page of a list of tasks, always in the list's own order.")
class TaskConnection:
    edges: list[TaskEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")
    total_count: int = strawberry.field(
        resolver=lambda root: root.count(),
        description="How many there are in the whole list; counted only when asked for.",
        graphql_type=int,
    )
    count: strawberry.Private[Callable[[], int]]


def task_connection(*, tasks: TaskList, args: PageArgs) -> TaskConnection:
    """One page of the list, in the order of the tasks' making."""
    bounds = args.checked(BY_TASK)
    where = bounds.where(columns=COLUMNS)
    rows = tasks.read(where=where.text, params=where.params, order=bounds.order_by(columns=COLUMNS), limit=bounds.fetch)
    page = bounds.page(rows, count=tasks.count)
    batch = TaskBatch(tenant_id=tasks.tenant_id, rows=page.rows, now=tasks.now, at=tasks.at, known_at=tasks.known_at)
    found = page.connection(node=lambda row: _node(row, batch))
    edges = [TaskEdge(node=edge.node, cursor=edge.cursor) for edge in found.edges]
    return TaskConnection(edges=edges, page_info=found.page_info, count=found.count)


def nodes_by_id(*, tenant_id: int, task_ids: Collection[int], now: datetime) -> dict[int, Task]:
    """The tasks of those ids as they are, discarded and deleted ones as they were last."""
    rows = tasks_by_id(tenant_id=tenant_id, task_ids=sorted(set(task_ids)))
    batch = TaskBatch(tenant_id=tenant_id, rows=rows, now=now)
    return {row.task_id: _node(row, batch) for row in rows}


def task_nodes(*, tenant: TenantFacts, keys: Sequence[str], now: datetime) -> list[Task]:
    """The tasks of those keys as they are, discarded ones too, in the order of the keys; unknown keys are left out."""
    rows = {
        each.key: TaskRow(
            each.id,
            each.key,
            each.title,
            each.external_id,
            each.project_id,
            each.state_id,
            each.assignee_id,
            each.created_at,
        )
        for each in TaskModel.objects.filter(tenant_id=tenant.id, key__in=list(keys))
    }
    batch = TaskBatch(tenant_id=tenant.id, rows=list(rows.values()), now=now)
    return [_node(rows[key], batch) for key in keys if key in rows]


def load_task(info: Info, pk: int) -> Node | None:
    """For `node(id)`."""
    if pk >= INT_LIMIT:
        return None
    tenant = info.context.tenant
    key = TaskModel.objects.filter(tenant_id=tenant.id, id=pk).values_list("key", flat=True).first()
    return next(iter(task_nodes(tenant=tenant, keys=[key], now=info.context.now)), None) if key else None


def _node(row: TaskRow, batch: TaskBatch) -> Task:
    return Task(pk=row.task_id, key=row.key, title=row.title, created_at=row.created_at, row=row, batch=batch)
