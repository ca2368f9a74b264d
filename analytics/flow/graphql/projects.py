"""Projects and the states of their workflows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache

import strawberry
from django.db import connection
from strawberry import auto

from analytics.engine.projects import ProjectFacts
from analytics.flow.figures.workflow import StateDefinition, Workflows
from analytics.flow.replay.definitions import workflows
from tasks_app.graphql.asking import Info
from tasks_app.graphql.record_types import record_type
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import Node
from tasks_app.models import Project as ProjectRow
from tasks_app.models import StateCategory
from tasks_app.models import WorkflowState as StateRow
from tasks_app.tenancy import TenantFacts

BY_ID = Keyset(columns=(Column("id", "asc"),))
PROJECT_COLUMNS = ("key", "name", "timezone", "recorded_since")

# Not by the ORM: to make its statement takes three times as long as to run it, and every list of tasks asks for this.
PROJECTS_BY_ID = """/* graphql.projects_by_id */
SELECT id, key, name, timezone, recorded_since FROM project WHERE tenant_id = %(tenant)s AND id = ANY (%(ids)s::bigint[])
"""


StateCategoryName = strawberry.enum(
    StateCategory, name="StateCategory", description="What a state means for flow. CANCELLED states are off the board."
)


@record_type(StateRow, description="One state of a workflow, by the definition that the question asks for.")
class WorkflowState:
    slug: auto
    name: auto
    category: StateCategoryName  # type: ignore[valid-type]
    position: auto
    waiting: auto
    needs_validation: auto


def state_node(definition: StateDefinition) -> WorkflowState:
    """The definition as the API shows it."""
    return WorkflowState(
        slug=definition.slug,
        name=definition.name,
        category=StateCategory(definition.category),
        position=definition.position,
        waiting=definition.waiting,
        needs_validation=definition.needs_validation,
    )


@record_type(ProjectRow, description="A board: a workflow and the tasks that move through it.")
class Project(Node):
    key: auto
    name: auto
    timezone: auto
    recorded_since: datetime | None
    workflows: strawberry.Private[Callable[[], Workflows]]

    @strawberry.field(description="The states in workflow order, as defined now, or at an instant (before it: none).")
    def states(self, at: datetime | None = strawberry.UNSET) -> list[WorkflowState]:
        known = self.workflows()
        defined = known.at(at) if at else {state: known.ever(state) for state in known.state_ids}
        active = [each for each in defined.values() if each and each.project_id == self.pk and not each.archived]
        return [state_node(each) for each in sorted(active, key=lambda each: each.position)]


def project_nodes(*, tenant_id: int, rows: Sequence[ProjectRow | ProjectFacts]) -> list[Project]:
    """The projects; their states are read together, when the first of them is asked for."""

    @cache
    def all_workflows() -> Workflows:
        return workflows(tenant_id=tenant_id, project_ids=[row.id for row in rows])

    return [
        Project(
            pk=row.id,
            key=row.key,
            name=row.name,
            timezone=row.timezone,
            recorded_since=row.recorded_since,
            workflows=all_workflows,
        )
        for row in rows
    ]


def project_node(*, tenant: TenantFacts, key: str) -> Project | None:
    """The tenant's project of that key."""
    rows = list(ProjectRow.objects.filter(tenant_id=tenant.id, key=key).only(*PROJECT_COLUMNS))
    return next(iter(project_nodes(tenant_id=tenant.id, rows=rows)), None)


def projects_by_id(*, tenant_id: int, ids: Sequence[int]) -> dict[int, Project]:
    """The projects of those ids."""
    with connection.cursor() as cursor:
        cursor.execute(PROJECTS_BY_ID, {"tenant": tenant_id, "ids": sorted(set(ids))})
        rows = [
            ProjectFacts(id=pk, key=key, name=name, timezone=timezone, recorded_since=since)
            for pk, key, name, timezone, since in cursor.fetchall()
        ]
    return {node.pk: node for node in project_nodes(tenant_id=tenant_id, rows=rows)}


def load_project(info: Info, pk: int) -> Node | None:
    """For `node(id)`."""
    return projects_by_id(tenant_id=info.context.tenant.id, ids=[pk]).get(pk)
