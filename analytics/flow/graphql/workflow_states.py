"""States of workflows, as answers name them, and those of a project."""

from datetime import datetime

import strawberry
from strawberry import auto

from analytics.engine.graphql.extending import adds_fields
from analytics.engine.graphql.projects import Project, ProjectBatch
from analytics.flow.figures.workflow import StateDefinition, Workflows
from analytics.flow.replay.definitions import workflows
from tasks_app.graphql.record_types import record_type
from tasks_app.models import StateCategory
from tasks_app.models import WorkflowState as Row

StateCategoryName = strawberry.enum(
    StateCategory, name="StateCategory", description="What a state means for flow. CANCELLED states are off the board."
)


@record_type(Row, description="One state of a workflow, by the definition that the question asks for.")
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


def _states(root: Project, at: datetime | None = strawberry.UNSET) -> list[WorkflowState]:
    known = root.batch.once(_workflows)
    defined = known.at(at) if at else {state: known.ever(state) for state in known.state_ids}
    active = [each for each in defined.values() if each and each.project_id == root.pk and not each.archived]
    return [state_node(each) for each in sorted(active, key=lambda each: each.position)]


def _workflows(batch: ProjectBatch) -> Workflows:
    return workflows(tenant_id=batch.tenant_id, project_ids=batch.ids)


OF_PROJECTS = adds_fields(
    Project,
    states=strawberry.field(
        resolver=_states,
        description="The states in workflow order, as defined now, or at an instant (before it: none).",
    ),
)
