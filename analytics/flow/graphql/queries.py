"""Root fields of flow: projects, tasks, activity, boards, and figures over a window."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import strawberry

from analytics.engine.asked_names import plain, unknown
from analytics.engine.figure import Figure
from analytics.engine.graphql.answers import Asked
from analytics.engine.graphql.heavy_fields import HEAVY
from analytics.engine.graphql.inputs import Bucket, WindowInput, window_asked
from analytics.engine.graphql.projects import BY_ID, Project, load_project, project_node, project_nodes
from analytics.engine.graphql.projects import COLUMNS as PROJECT_COLUMNS
from analytics.engine.graphql.receipts import ReadFrom
from analytics.engine.graphql.selection import figures_selected
from analytics.engine.projects import project_facts
from analytics.engine.reading import read_from
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.questions import BoardQuestion, WindowQuestion
from analytics.flow.catalogue import FIGURES
from analytics.flow.family import TRANSITIONS
from analytics.flow.graphql import explaining
from analytics.flow.graphql.activity import ActivityConnection, activity_connection, load_activity
from analytics.flow.graphql.board import Board, board_reading
from analytics.flow.graphql.charts import Analytics
from analytics.flow.graphql.explaining import explain_change
from analytics.flow.graphql.filters import ActivityFilter, TaskFilter, activity_conditions, task_conditions
from analytics.flow.graphql.persons import actors_asked, check_filters
from analytics.flow.graphql.tasks import Task, TaskConnection, load_task, task_connection, task_nodes
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import flow_question
from analytics.flow.replay.tasks import TaskList
from analytics.pure import windows
from tasks_app.access.matrix import ONE_PERSON
from tasks_app.errors import ApiError
from tasks_app.graphql.asking import Info
from tasks_app.graphql.connection_fields import connection_field, keyset_connection
from tasks_app.graphql.fields import may, scoped
from tasks_app.http.connections import PageArgs
from tasks_app.http.node import Node, NodeLoader
from tasks_app.models import Project as ProjectRow
from tasks_app.models import Scope


def _for_readers(load: NodeLoader) -> NodeLoader:
    """A node that the caller may not see is not found, like one that is not there."""

    def checked(info: Info, pk: int) -> Node | None:
        return load(info, pk) if may(info.context.caller, Scope.TASKS_READ) else None

    return checked


def _known_at(asked: datetime | None, *, now: datetime) -> datetime | None:
    """None for all that is recorded. What will be known later nobody can tell: an answer must be the same when asked again."""
    if asked and asked > now:
        raise ApiError(f"knownAt: {asked.isoformat()} is in the future; leave it out to ask for all that is known.")
    return asked or None


def _given(actor_id: str | None) -> str | None:
    """None where the argument is null or left out. An empty id is one that is not there."""
    return None if actor_id is strawberry.UNSET else actor_id


KNOWN: Mapping[str, Figure] = {figure.name: figure for figure in FIGURES}
NODES: Mapping[str, NodeLoader] = {
    "Project": _for_readers(load_project),
    "Task": _for_readers(load_task),
    "Activity": _for_readers(load_activity),
}


@strawberry.enum(description="State names, order and categories as they were at each instant, or as they are now.")
class DefinitionAsOf(Enum):
    THEN = "THEN"
    NOW = "NOW"


@strawberry.enum(
    description="When a filter has to hold. THEN: at the window's end, as the items were then. NOW: as they are now, or were"
    " known to be at `knownAt`."
)
class FilterAsOf(Enum):
    THEN = "THEN"
    NOW = "NOW"


@strawberry.type
class FlowQuery:
    projects = keyset_connection(
        ProjectRow,
        of=Project,
        order=BY_ID,
        columns=PROJECT_COLUMNS,
        nodes=lambda rows, asking: project_nodes(tenant_id=asking.tenant.id, rows=rows),
        description="The tenant's projects, in the order of their making.",
        extensions=[scoped(Scope.TASKS_READ)],
    )

    @strawberry.field(
        extensions=[scoped(Scope.TASKS_READ)], description="The project of that key; null if there is none."
    )
    def project(self, info: Info, key: str) -> Project | None:
        return project_node(tenant=info.context.tenant, key=plain(key, argument="key"))

    @strawberry.field(
        extensions=[scoped(Scope.TASKS_READ)],
        description="The task of that key, discarded or not; null if there is none.",
    )
    def task(self, info: Info, key: str) -> Task | None:
        keys = [plain(key, argument="key")]
        return next(iter(task_nodes(tenant=info.context.tenant, keys=keys, now=info.context.now)), None)

    @connection_field(
        extensions=[scoped(Scope.TASKS_READ)],
        description="Tasks on the board, in the order of their making: as they are, or as of `at`, after everything"
        " that had happened before that instant, as known at `knownAt`.",
    )
    def tasks(
        self,
        info: Info,
        filter: TaskFilter | None = strawberry.UNSET,  # noqa: A002  the contract's name
        at: datetime | None = strawberry.UNSET,
        known_at: datetime | None = strawberry.UNSET,
        *,
        page: PageArgs,
    ) -> TaskConnection:
        tenant, now = info.context.tenant, info.context.now
        tasks = TaskList(
            tenant_id=tenant.id,
            now=now,
            at=at or None,
            known_at=_known_at(known_at, now=now),
            filters=task_conditions(filter or None, tenant=tenant, at=at or None, now=now),
        )
        return task_connection(tasks=tasks, args=page)

    @connection_field(
        extensions=[scoped(Scope.TASKS_READ)],
        description="Who changed what, and when: ledger rows, the newest recording first.",
    )
    def activity(
        self,
        info: Info,
        filter: ActivityFilter | None = strawberry.UNSET,  # noqa: A002  the contract's name
        *,
        page: PageArgs,
    ) -> ActivityConnection:
        tenant = info.context.tenant
        return activity_connection(tenant=tenant, filters=activity_conditions(filter or None, tenant=tenant), args=page)

    @strawberry.field(
        extensions=[scoped(Scope.TASKS_READ)],
        description="A project's board after everything that had happened before `at` (default now), as known at"
        " `knownAt` (default now). NOT_FOUND if there is no such project.",
    )
    def board(
        self,
        info: Info,
        project: str,
        at: datetime | None = strawberry.UNSET,
        known_at: datetime | None = strawberry.UNSET,
    ) -> Board:
        tenant, now = info.context.tenant, info.context.now
        node = project_node(tenant=tenant, key=plain(project, argument="project"))
        if node is None:
            raise unknown("project", project, argument="project")
        question = BoardQuestion(
            tenant_id=tenant.id,
            families=(TRANSITIONS.name,),
            capability=TRANSITIONS.capability,
            project_id=node.pk,
            at=at or None,
            now=now,
            known_at=_known_at(known_at, now=now),
        )
        reading = board_reading(project=node, question=question)
        return Board(at=reading.at, known_at=reading.known_at, project=node, reading=reading)

    @strawberry.field(
        extensions=[scoped(Scope.ANALYTICS_READ, narrowed=[ONE_PERSON])],
        metadata=HEAVY,
        description="Figures over a window: of a project, or without one of the whole tenant, where states of one slug"
        " are one. The zone is the argument's, else the project's, else the tenant's. At most 50,000 buckets."
        " `assignee`: the items that this actor held; `actor`: the changes that this actor made, where counts of items"
        " are null; not both."
        " `filter`: of the items for which it holds at the window's end, or with `filterAsOf` NOW as they are now, with their"
        " whole past either way; a discarded item is in no state, and `search` looks at the keys and titles of now."
        " The receipt says where the figures were read from, and why where they could not be read from `readFrom`.",
    )
    def analytics(
        self,
        info: Info,
        window: WindowInput,
        project: str | None = strawberry.UNSET,
        assignee: strawberry.ID | None = strawberry.UNSET,
        actor: strawberry.ID | None = strawberry.UNSET,
        bucket: Bucket = windows.Bucket.AUTO,  # type: ignore[valid-type]
        timezone: str | None = strawberry.UNSET,
        known_at: datetime | None = strawberry.UNSET,
        definition_as_of: DefinitionAsOf = DefinitionAsOf.THEN,
        read_from: ReadFrom = read_from.ReadFrom.MERGED,  # type: ignore[valid-type]
        filter: TaskFilter | None = strawberry.UNSET,  # noqa: A002  the contract's name
        filter_as_of: FilterAsOf = FilterAsOf.THEN,
    ) -> Analytics:
        tenant, now = info.context.tenant, info.context.now
        key = plain(project, argument="project") if project else None
        known = _known_at(known_at, now=now)
        found = project_facts(tenant_id=tenant.id, key=key, known_at=known)
        if key is not None and not found:
            raise unknown("project", key, argument="project")
        assignee_id, actor_id = actors_asked(assignee=_given(assignee), actor=_given(actor), caller=info.context.caller)
        zone = timezone or (found[0].timezone if key else tenant.timezone)
        cut = window_asked(asked=window, bucket=bucket, zone=zone, tenant=tenant, now=now)
        chosen_now = filter_as_of is FilterAsOf.NOW
        chosen_at = None if chosen_now or cut.end > now else cut.end
        filters = task_conditions(filter or None, tenant=tenant, at=chosen_at, now=now)
        check_filters(filters, caller=info.context.caller)
        question = WindowQuestion(
            tenant_id=tenant.id,
            families=(TRANSITIONS.name,),
            capability=TRANSITIONS.capability,
            project_id=found[0].id if key else None,
            start=cut.start,
            end=cut.end,
            bucket=cut.bucket.value,
            zone=cut.zone,
            fiscal_year_start_month=tenant.fiscal_year_start_month,
            now=now,
            known_at=known,
            as_defined_now=definition_as_of is DefinitionAsOf.NOW,
            assignee_id=assignee_id,
            actor_id=actor_id,
            figures=figures_selected(info, known=KNOWN),
            filters=filters or None,
            filters_as_of_now=chosen_now,
        )
        reading = FlowReading(
            question=flow_question(question, window=cut),
            boards=found,
            knowledge=Knowledge(known_at=known),
            read_from=read_from,
        )
        asked = Asked(
            question=question,
            reading=reading,
            projects=[board.id for board in found],
            read_from=read_from,
            known=KNOWN,
        )
        return Analytics(asked=asked)

    explain_change = connection_field(
        extensions=[scoped(Scope.ANALYTICS_READ)],
        description=explaining.DESCRIPTION,
    )(explain_change)
