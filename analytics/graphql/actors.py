"""Who made a change."""

from collections.abc import Iterable

import strawberry

from tasks_app.graphql.http.node import encode_id
from tasks_app.models import Actor as ActorRow
from tasks_app.models import ActorKind as Kind

ActorKind = strawberry.enum(
    Kind,
    name="ActorKind",
    description="What sort of hand made a change: a person, an API key, an import, a job of ours, or raw SQL.",
)
ERASED = "someone erased"


@strawberry.type(description="Who made a change. A pseudonym once the person is erased.")
class Actor:
    id: strawberry.ID = strawberry.field(description="Opaque; what `actor` and `assignee` arguments take.")
    name: str = strawberry.field(description="The name of the person, key, import or database login.")
    kind: ActorKind = strawberry.field(description="What sort of hand it was.")  # type: ignore[valid-type]


def actors_by_id(*, tenant_id: int, ids: Iterable[int]) -> dict[int, Actor]:
    """The actors of those ids, in one statement."""
    rows = ActorRow.objects.filter(tenant_id=tenant_id, id__in=sorted(set(ids)))
    return {row.id: actor_node(row) for row in rows}


def actor_node(row: ActorRow) -> Actor:
    """The actor as the API shows it."""
    return Actor(id=encode_id(type_name="Actor", pk=row.id), name=row.name or ERASED, kind=Kind(row.kind))
