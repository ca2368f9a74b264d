"""Projects as every wing's answers name them. What a wing knows of a project beyond its row it adds as fields."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from django.db import connection
from strawberry import auto

from tasks_app.graphql.asking import Info
from tasks_app.graphql.record_types import record_type
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import Node
from tasks_app.models import Project as Row
from tasks_app.tenancy import TenantFacts

T = TypeVar("T")

BY_ID = Keyset(columns=(Column("id", "asc"),))
COLUMNS = ("key", "name", "timezone", "recorded_since")

# Not by the ORM: to make its statement takes three times as long as to run it, and every list of tasks asks for this.
PROJECTS_BY_ID = """/* graphql.projects_by_id */
SELECT id, key, name, timezone, recorded_since FROM project WHERE tenant_id = %(tenant)s AND id = ANY (%(ids)s::bigint[])
"""


@dataclass(kw_only=True)
class ProjectBatch:
    """The projects of one answer. What a field needs of them is read once for all, when the first asks."""

    tenant_id: int
    ids: Sequence[int]
    found: dict[Any, Any] = field(default_factory=dict)

    def once(self, read: Callable[["ProjectBatch"], T]) -> T:
        """What `read` finds of the batch, called the first time. It has to be the same function each time: one of a module."""
        if read not in self.found:
            self.found[read] = read(self)
        found: T = self.found[read]
        return found


@record_type(Row, description="A project: one board, and whatever is recorded of the work on it.")
class Project(Node):
    key: auto
    name: auto
    timezone: auto
    recorded_since: datetime | None
    batch: strawberry.Private[ProjectBatch]


def project_nodes(*, tenant_id: int, rows: Sequence[Row]) -> list[Project]:
    """The projects of these rows, as one batch."""
    return _nodes(tenant_id, [(row.id, row.key, row.name, row.timezone, row.recorded_since) for row in rows])


def project_node(*, tenant: TenantFacts, key: str) -> Project | None:
    """The tenant's project of that key."""
    rows = Row.objects.filter(tenant_id=tenant.id, key=key).only(*COLUMNS)
    return next(iter(project_nodes(tenant_id=tenant.id, rows=list(rows))), None)


def projects_by_id(*, tenant_id: int, ids: Sequence[int]) -> dict[int, Project]:
    """The projects of those ids, as one batch."""
    with connection.cursor() as cursor:
        cursor.execute(PROJECTS_BY_ID, {"tenant": tenant_id, "ids": sorted(set(ids))})
        rows = cursor.fetchall()
    return {node.pk: node for node in _nodes(tenant_id, rows)}


def load_project(info: Info, pk: int) -> Node | None:
    """For `node(id)`."""
    return projects_by_id(tenant_id=info.context.tenant.id, ids=[pk]).get(pk)


def _nodes(tenant_id: int, rows: Sequence[tuple[int, str, str, str, datetime]]) -> list[Project]:
    batch = ProjectBatch(tenant_id=tenant_id, ids=[row[0] for row in rows])
    return [
        Project(pk=pk, key=key, name=name, timezone=timezone, recorded_since=since, batch=batch)
        for pk, key, name, timezone, since in rows
    ]
