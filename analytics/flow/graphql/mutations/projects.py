"""Mutations of projects and their workflows."""

from analytics.flow.graphql.mutations.attempt import attempt
from analytics.flow.graphql.mutations.payloads import CreateProjectPayload
from tasks_app.graphql.asking import Info
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import ChangeStatesInput, CreateProjectInput, checked_length, state_spec
from tasks_app.operations import projects
from tasks_app.operations.projects import LONGEST_NAME


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
            states=[state_spec(state) for state in input.states],
        )
        return {"project": project.key}

    done = attempt(info, input, do)
    return CreateProjectPayload(project=done.project, **done.shared)


def change_states(info: Info, input: ChangeStatesInput) -> CreateProjectPayload:  # noqa: A002 - the API's word
    """The project with the workflow that was asked for."""

    def do() -> Outcome:
        project = projects.change_states(
            tenant_id=info.context.tenant.id,
            project_key=input.project,
            states=[state_spec(state) for state in input.states],
        )
        return {"project": project.key}

    done = attempt(info, input, do)
    return CreateProjectPayload(project=done.project, **done.shared)
