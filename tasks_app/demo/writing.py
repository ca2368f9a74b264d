"""Writing of a story's tenant, people, boards and history: all of them, or nothing."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from tasks_app.demo.history import Event, history
from tasks_app.demo.story import Story
from tasks_app.imports.known import new_task_ids
from tasks_app.models import Actor, ActorKind, Kind, Tenant, WorkflowState
from tasks_app.operations.members import create_user
from tasks_app.operations.projects import create_project
from tasks_app.operations.reporting import Report, actor_named, report
from tasks_app.operations.tenants import create_tenant
from tasks_app.refusals import Refused
from tasks_app.tenancy import entered

SOURCE = "demo"
TIMEOUT_SECONDS = 300
BATCHES = ({Kind.CREATED}, {Kind.MOVED, Kind.TRANSFERRED, Kind.ASSIGNED, Kind.VALIDATED}, {Kind.DISCARDED})


def found_tenant(*, story: Story, now: datetime) -> dict[str, int]:
    """Makes the story's tenant with its past, if it is not there; answers its people's actors by email.

    Run as the owner. Refused when somebody else has the slug.
    """
    tenant = Tenant.objects.filter(slug=story.slug).first()
    if tenant is None:
        with transaction.atomic():
            return _write(story=story, now=now)
    with entered(tenant_id=tenant.id, role=None):
        people = _people(tenant_id=tenant.id)
        ours = Actor.objects.filter(tenant_id=tenant.id, kind=ActorKind.IMPORT, name=SOURCE).exists()
    if not ours:
        raise Refused(
            f"There is a tenant {story.slug!r} that the demo did not make: use another database for the demo."
        )
    return people


def _people(*, tenant_id: int) -> dict[str, int]:
    actors = Actor.objects.filter(tenant_id=tenant_id, user__isnull=False).select_related("user")
    return {actor.user.email: actor.id for actor in actors if actor.user is not None}


def _write(*, story: Story, now: datetime) -> dict[str, int]:
    tenant = create_tenant(slug=story.slug, name=story.name, timezone=story.timezone, fiscal_year_start_month=1)
    with entered(tenant_id=tenant.id, role=None, timeout_seconds=TIMEOUT_SECONDS):
        for person in story.people:
            create_user(email=person.email, tenant_id=tenant.id, role=person.role, password=None, name=person.name)
        people = _people(tenant_id=tenant.id)
    owner_id = people[story.people[0].email]
    with entered(tenant_id=tenant.id, actor_id=owner_id, role=None, timeout_seconds=TIMEOUT_SECONDS):
        states = _make_boards(story=story, tenant_id=tenant.id)
        _report(tenant_id=tenant.id, events=history(story=story, now=now), states=states, people=people)
    return people


def _make_boards(*, story: Story, tenant_id: int) -> dict[tuple[str, str], WorkflowState]:
    """The boards' states, by the key of the board and their slug."""
    for board in story.boards:
        create_project(
            tenant_id=tenant_id, key=board.key, name=board.name, timezone=story.timezone, states=board.states
        )
    states = WorkflowState.objects.filter(tenant_id=tenant_id).select_related("project")
    return {(state.project.key, state.slug): state for state in states}


def _report(
    *,
    tenant_id: int,
    events: Sequence[Event],
    states: Mapping[tuple[str, str], WorkflowState],
    people: Mapping[str, int],
) -> None:
    """Through the door for what happened earlier. The journeys come after their items, and the discards after those."""
    source_id = actor_named(tenant_id=tenant_id, kind=ActorKind.IMPORT, name=SOURCE)
    cases = list(dict.fromkeys(event.case for event in events))
    task_ids = dict(zip(cases, new_task_ids(count=len(cases)), strict=True))
    project_ids = _project_ids(states.values())
    reports = [
        Report(
            task_id=task_ids[event.case],
            project_id=project_ids[event.project],
            to_id=_to_id(event, states=states, people=people),
            actor_id=people[event.by],
            kind=event.kind,
            happened_at=event.at,
            identity=uuid.uuid5(uuid.NAMESPACE_OID, f"{event.case} {place}"),
            case_id=event.case if event.kind == Kind.CREATED else "",
            title=event.title if event.kind == Kind.CREATED else "",
        )
        for place, event in enumerate(events)
    ]
    for kinds in BATCHES:
        batch = [each for each in reports if each.kind in kinds]
        report(tenant_id=tenant_id, source_id=source_id, reports=batch)


def _project_ids(states: Iterable[WorkflowState]) -> dict[str, int]:
    return {state.project.key: state.project_id for state in states}


def _to_id(event: Event, *, states: Mapping[tuple[str, str], WorkflowState], people: Mapping[str, int]) -> int:
    if event.kind == Kind.DISCARDED:
        return 0
    if event.kind == Kind.ASSIGNED:
        return people[event.to]
    return states[event.project, event.to].id
