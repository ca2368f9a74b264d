"""Board page of a project, as it was at any instant, as known at any other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http.response import HttpResponseBase

from analytics.engine.asked_names import plain
from analytics.engine.graphql.actors import actors_by_id
from analytics.engine.graphql.projects import Project, project_node
from analytics.engine.pages.asked import answered, category_text, fields, instant_asked, local_text, zone_asked
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.graphql.board import BoardReading
from analytics.flow.replay.tasks import TaskList, TaskRow
from tasks_app.admin.downloads import Cell, csv_response
from tasks_app.admin.visits import Visit
from tasks_app.refusals import not_found
from tasks_app.tenancy import DatabaseRole, entered

CARDS = 25
ROWS_AT_ONCE = 1000
HEADER = ("project", "state", "state_slug", "category", "task", "title", "external_id", "assignee", "at", "known_at")
NEWEST_FIRST = "x.task_id DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One state, how many tasks were in it, and the newest of them."""

    state: StateDefinition
    count: int
    tasks: Sequence[TaskRow]

    @property
    def sort(self) -> str:
        """The category in words."""
        return category_text(self.state.category)

    @property
    def more(self) -> int:
        """How many tasks are not shown."""
        return self.count - len(self.tasks)

    @property
    def shown_count(self) -> str:
        """The count as people read it."""
        return f"{self.count:,}"

    @property
    def shown_more(self) -> str:
        """How many are not shown, as people read it."""
        return f"{self.more:,}"


def board(visit: Visit, *, project: str) -> HttpResponseBase:
    """The page; NOT_FOUND for a project that the tenant does not have."""
    node = project_of_key(visit, project)
    frame = {
        "title": f"Board of {node.key}",
        "project": node,
        "form": fields(visit, "at", "knownAt", "timezone"),
    }
    return answered(visit=visit, template="admin/board.html", frame=frame, read=lambda: _board(visit, node))


def board_csv(visit: Visit, *, project: str) -> HttpResponseBase:
    """Every task of the board; the digest is that of the page.

    The file is read in a transaction of its own, of the same instants: what a transaction that was open at `known_at`
    records after the digest was taken is in the file alone.
    """
    node = project_of_key(visit, project)
    at, known_at = _instants(visit, node)
    reading = _reading(visit, node, at=at or visit.now, known_at=known_at or visit.now)
    name = f"{visit.tenant.slug}-{node.key}-board"
    return csv_response(name=name, header=HEADER, rows=_cells(reading), digest=reading.receipt().digest)


def project_of_key(visit: Visit, key: str) -> Project:
    """The tenant's project of that key; NOT_FOUND otherwise."""
    node = project_node(tenant=visit.tenant, key=plain(key, argument="Project"))
    if node is None:
        raise not_found(what="project", name=key, path=("project",))
    return node


def _instants(visit: Visit, node: Project) -> tuple[datetime | None, datetime | None]:
    zone_name = zone_asked(visit, default=node.timezone)
    return (
        instant_asked(visit, "at", label="As of", zone_name=zone_name),
        instant_asked(visit, "knownAt", label="As known at", zone_name=zone_name),
    )


def _reading(visit: Visit, node: Project, *, at: datetime | None, known_at: datetime | None) -> BoardReading:
    tasks = TaskList(
        tenant_id=visit.tenant.id, now=visit.now, at=at, known_at=known_at, filters={"project_ids": [node.pk]}
    )
    return BoardReading(project=node, tasks=tasks, at=at or visit.now, known_at=known_at or visit.now)


def _board(visit: Visit, node: Project) -> Mapping[str, Any]:
    at, known_at = _instants(visit, node)
    zone_name = zone_asked(visit, default=node.timezone)
    reading = _reading(visit, node, at=at, known_at=known_at)
    receipt = reading.receipt()
    return {
        "zone": zone_name,
        "at": local_text(reading.at, zone_name=zone_name),
        "known_at": local_text(reading.known_at, zone_name=zone_name),
        "columns": [_column(reading, state) for state in reading.columns],
        "total": f"{sum(reading.counts.values()):,}",
        "receipt": receipt,
        "facts_read": f"{receipt.raw_rows:,}",
    }


def _column(reading: BoardReading, state: StateDefinition) -> Column:
    count = reading.counts.get(state.state_id, 0)
    tasks = reading.tasks.narrowed(state_ids=[state.state_id])
    cards = tasks.read(where="TRUE", params=(), order=NEWEST_FIRST, limit=CARDS) if count else []
    return Column(state=state, count=count, tasks=cards)


def _cells(reading: BoardReading) -> Iterator[Sequence[Cell]]:
    tenant_id = reading.tasks.tenant_id
    with entered(tenant_id=tenant_id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=600):
        states = {state.state_id: state for state in reading.columns}
        for rows in _pages(reading.tasks):
            actors = actors_by_id(tenant_id=tenant_id, ids=[row.assignee_id for row in rows if row.assignee_id])
            for row in rows:
                assignee = actors.get(row.assignee_id) if row.assignee_id else None
                yield _row(row, reading=reading, state=states[row.state_id], assignee=assignee.name if assignee else "")


def _row(row: TaskRow, *, reading: BoardReading, state: StateDefinition, assignee: str) -> list[Cell]:
    about_state: list[Cell] = [reading.project.key, state.name, state.slug, state.category]
    return [*about_state, row.key, row.title, row.external_id, assignee, reading.at, reading.known_at]


def _pages(tasks: TaskList) -> Iterator[list[TaskRow]]:
    where = "TRUE"
    params: list[int] = []
    while rows := tasks.read(where=where, params=params, order=NEWEST_FIRST, limit=ROWS_AT_ONCE):
        yield rows
        where, params = "x.task_id < %s", [rows[-1].task_id]
