"""The people and companies of the tests.

Alice owns Acme, Bob is a member there, Audrey its auditor. Carol owns Globex, which nobody of Acme may ever see.
All is made by the owner of the tables, through the ORM; a test chooses who asks with `entered`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks_app.models import (
    Actor,
    ActorKind,
    Membership,
    Project,
    Role,
    StateCategory,
    Task,
    Tenant,
    User,
    WorkflowState,
)

# slug: name, category, waiting, needs validation; in the board's order.
WORKFLOW = {
    "todo": ("To do", StateCategory.TODO, False, False),
    "doing": ("Doing", StateCategory.IN_PROGRESS, False, False),
    "waiting": ("Waiting", StateCategory.IN_PROGRESS, True, False),
    "review": ("Review", StateCategory.IN_PROGRESS, False, True),
    "done": ("Done", StateCategory.DONE, False, False),
    "cancelled": ("Cancelled", StateCategory.CANCELLED, False, False),
}


@dataclass(frozen=True, kw_only=True)
class Board:
    """A project and its states by slug."""

    project: Project
    states: Mapping[str, WorkflowState]


@dataclass(frozen=True, kw_only=True)
class Company:
    """A tenant with two boards of the same workflow."""

    tenant: Tenant
    board: Board
    second_board: Board


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member of one company; `actor` is what the ledger calls them."""

    user: User
    membership: Membership
    actor: Actor


@dataclass(frozen=True, kw_only=True)
class Cast:
    acme: Company
    globex: Company
    alice: Person
    bob: Person
    audrey: Person
    carol: Person


def cast() -> Cast:
    """Everybody, with no tasks yet."""
    acme = company(slug="acme", name="Acme")
    globex = company(slug="globex", name="Globex", timezone="Asia/Kathmandu")
    return Cast(
        acme=acme,
        globex=globex,
        alice=person(company=acme, name="Alice", role=Role.OWNER),
        bob=person(company=acme, name="Bob", role=Role.MEMBER),
        audrey=person(company=acme, name="Audrey", role=Role.AUDITOR),
        carol=person(company=globex, name="Carol", role=Role.OWNER),
    )


def company(*, slug: str, name: str = "", timezone: str = "UTC") -> Company:
    """A tenant with the boards WEB and OPS."""
    tenant = Tenant.objects.create(slug=slug, name=name or slug, timezone=timezone)
    return Company(tenant=tenant, board=board(tenant=tenant, key="WEB"), second_board=board(tenant=tenant, key="OPS"))


def board(*, tenant: Tenant, key: str) -> Board:
    """A project with the states of WORKFLOW."""
    project = Project.objects.create(tenant=tenant, key=key, name=f"{key} board", timezone=tenant.timezone)
    states = WorkflowState.objects.bulk_create(
        WorkflowState(
            tenant=tenant,
            project=project,
            slug=slug,
            name=name,
            category=category,
            position=position,
            waiting=waiting,
            needs_validation=needs_validation,
        )
        for position, (slug, (name, category, waiting, needs_validation)) in enumerate(WORKFLOW.items())
    )
    return Board(project=project, states={state.slug: state for state in states})


def person(*, company: Company, name: str, role: Role) -> Person:
    """A login without a password (sign in with `force_login`), its membership and its actor."""
    user = User.objects.create_user(email=f"{name.lower()}@{company.tenant.slug}.example", name=name)
    user.tenants.add(company.tenant)
    return Person(
        user=user,
        membership=Membership.objects.create(tenant=company.tenant, user=user, role=role),
        actor=Actor.objects.create(tenant=company.tenant, kind=ActorKind.USER, name=name, user=user),
    )


def tasks(*, board: Board, count: int, state: str = "todo") -> list[Task]:
    """New tasks in one state, made by one statement, numbered after those that the board has."""
    project = Project.objects.get(tenant_id=board.project.tenant_id, id=board.project.id)
    first = project.next_task_number
    made = Task.objects.bulk_create(
        Task(
            tenant_id=project.tenant_id,
            project_id=project.id,
            origin_id=project.id,
            state_id=board.states[state].id,
            key=f"{project.key}-{number}",
            title=f"Task {number}",
        )
        for number in range(first, first + count)
    )
    Project.objects.filter(tenant_id=project.tenant_id, id=project.id).update(next_task_number=first + count)
    return made
