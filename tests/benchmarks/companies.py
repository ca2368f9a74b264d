"""Tenants with two boards each, made through the product's doors; their history is written by `history` afterwards."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import uuid4

from tasks_app.models import ActorKind, Kind, WorkflowState
from tasks_app.operations.projects import StateSpec, create_project
from tasks_app.operations.reporting import Report, actor_named, report
from tasks_app.tenancy import TenantFacts, entered
from tests.benchmarks.scratch import owner_cursor
from tests.benchmarks.walks import PLACES

KEYS = ("P", "Q")
ACTORS = 20

MAKE_TENANT = (
    "/* benchmarks.make_company */ INSERT INTO tenant (slug, name, timezone, fiscal_year_start_month, created_at)"
    " VALUES (%(slug)s, %(slug)s, 'UTC', 1, %(since)s) RETURNING id"
)
TAKE_TASK_ID = "/* benchmarks.take_task_id */ SELECT nextval('task_id_seq')"

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Board:
    """A project by its key and id; its states in the order of PLACES."""

    key: str
    project: int
    states: list[int]


@dataclass(frozen=True, kw_only=True)
class Company:
    """One tenant: its boards, and the people who move items and hold them."""

    tenant: TenantFacts
    boards: list[Board]
    actors: list[int]


def make_company(*, since: datetime) -> Company:
    """A new tenant, known since that instant: one item was made on each board then."""
    tenant = new_tenant(since=since)
    with entered(tenant_id=tenant.id):
        actors = [
            actor_named(tenant_id=tenant.id, kind=ActorKind.IMPORT, name=f"person {number}") for number in range(ACTORS)
        ]
        boards = [_board(tenant.id, key, actors[0], since=since) for key in KEYS]
    return Company(tenant=tenant, boards=boards, actors=actors)


def new_tenant(*, since: datetime) -> TenantFacts:
    """A tenant with nothing in it."""
    slug = f"company-{next(_numbers)}"
    with owner_cursor() as cursor:
        cursor.execute(MAKE_TENANT, {"slug": slug, "since": since})
        return TenantFacts(id=cursor.fetchone()[0], slug=slug, name=slug, timezone="UTC", fiscal_year_start_month=1)


def _board(tenant: int, key: str, actor: int, *, since: datetime) -> Board:
    specs = [StateSpec(name=slug, category=category, waiting=waiting) for slug, category, waiting in PLACES]
    project = create_project(tenant_id=tenant, key=key, name=key, timezone="UTC", states=specs)
    states = WorkflowState.objects.filter(tenant_id=tenant, project=project).order_by("id")
    board = Board(key=key, project=project.id, states=[state.id for state in states])
    report(tenant_id=tenant, source_id=actor, reports=[_first_item(board, actor, since=since)])
    return board


def _first_item(board: Board, actor: int, *, since: datetime) -> Report:
    """A report this old brings the board's definitions back to its instant."""
    with owner_cursor() as cursor:
        cursor.execute(TAKE_TASK_ID)
        task = cursor.fetchone()[0]
    return Report(
        task_id=task,
        project_id=board.project,
        to_id=board.states[0],
        actor_id=actor,
        kind=Kind.CREATED,
        happened_at=since,
        identity=uuid4(),
        case_id=f"{board.key}-first",
        title="The first item",
    )
