"""Mutations of projects and their workflows: inputs, payloads, and what each does."""

import strawberry

from analytics.engine.graphql.projects import Project
from analytics.flow.graphql.mutations.attempt import attempt
from analytics.flow.graphql.workflow_states import StateCategoryName
from tasks_app.graphql.asking import Info
from tasks_app.graphql.attempts import Payload
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import LeftOutIsNull, checked_length, client_mutation_id, optional
from tasks_app.graphql.mutation_fields import mutation
from tasks_app.models import Scope, StateCategory
from tasks_app.operations import projects
from tasks_app.operations.projects import LONGEST_NAME, StateSpec


@strawberry.input(description="A state of a workflow, in the place where it stands in the list.")
class StateInput(LeftOutIsNull):
    name: str = strawberry.field(description="What people call it.")
    slug: str | None = optional("Names an existing state, which may then be renamed; left out, the state is new.")
    category: StateCategoryName = strawberry.field(description="What it means for flow.")  # type: ignore[valid-type]
    waiting: bool = strawberry.field(description="Whether it is a queue or buffer, for flow efficiency.", default=False)
    needs_validation: bool = strawberry.field(
        description="Whether items here wait for a manager's validation.", default=False
    )


@strawberry.type(description="A project that was made or changed.")
class CreateProjectPayload(Payload):
    project: Project | None = strawberry.field(description="The project as it is now; null when there are errors.")


@strawberry.input(description="A new project.")
class CreateProjectInput(LeftOutIsNull):
    key: str = strawberry.field(
        description="A letter, then at most 31 letters, digits and underscores; task keys begin with it."
    )
    name: str = strawberry.field(description="What people call it.")
    timezone: str | None = optional("The IANA zone of its days; default: the tenant's.")
    states: list[StateInput] = strawberry.field(description="The workflow, in order; 1 to 200 states.")
    client_mutation_id: str | None = client_mutation_id()


@mutation("Makes a project with its workflow.", scope=Scope.TASKS_WRITE)
def create_project(info: Info, input: CreateProjectInput) -> CreateProjectPayload:  # noqa: A002 - the API's word
    """The project with its states."""
    tenant = info.context.tenant

    def do() -> Outcome:
        checked_length(input.name, name="name", longest=LONGEST_NAME)
        project = projects.create_project(
            tenant_id=tenant.id,
            key=input.key,
            name=input.name,
            timezone=tenant.timezone if input.timezone is None else input.timezone,
            states=[_state_spec(state) for state in input.states],
        )
        return {"project": project.key}

    done = attempt(info, input, do)
    return CreateProjectPayload(project=done.project, **done.shared)


@strawberry.input(description="A project's whole workflow, as it is to be from now on.")
class ChangeStatesInput(LeftOutIsNull):
    project: str = strawberry.field(description="The project's key.")
    states: list[StateInput] = strawberry.field(
        description="The whole order. A state that is missing is archived; refused while it holds items."
    )
    client_mutation_id: str | None = client_mutation_id()


@mutation(
    "Renames, reorders, recategorises, adds and archives states; each change is recorded.", scope=Scope.TASKS_WRITE
)
def change_states(info: Info, input: ChangeStatesInput) -> CreateProjectPayload:  # noqa: A002 - the API's word
    """The project with the workflow that was asked for."""

    def do() -> Outcome:
        project = projects.change_states(
            tenant_id=info.context.tenant.id,
            project_key=input.project,
            states=[_state_spec(state) for state in input.states],
        )
        return {"project": project.key}

    done = attempt(info, input, do)
    return CreateProjectPayload(project=done.project, **done.shared)


def _state_spec(given: StateInput) -> StateSpec:
    """The state as the operations take it."""
    return StateSpec(
        name=given.name,
        slug=given.slug,
        category=StateCategory(given.category).value,
        waiting=given.waiting,
        needs_validation=given.needs_validation,
    )


MUTATIONS = (
    create_project,
    change_states,
)
