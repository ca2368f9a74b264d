"""Actors: who made a change."""

from collections.abc import Iterable

import strawberry
from django.db import connection
from strawberry import auto

from tasks_app.graphql.record_types import record_type
from tasks_app.http.node import encode_id
from tasks_app.models import Actor as ActorRow
from tasks_app.models import ActorKind as Kind

ActorKind = strawberry.enum(
    Kind,
    name="ActorKind",
    description="What sort of hand made a change: a person, an API key, an import, a job of ours, or raw SQL.",
)
ERASED = "someone erased"

# Not by the ORM: to make its statement takes three times as long as to run it, and every list of tasks asks for this.
ACTORS_BY_ID = """/* graphql.actors_by_id */
SELECT id, name, kind FROM actor WHERE tenant_id = %(tenant)s AND id = ANY (%(ids)s::bigint[])
"""


@record_type(ActorRow, description="Who made a change. A pseudonym once the person is erased.")
class Actor:
    id: strawberry.ID = strawberry.field(description="Opaque; what `actor` and `assignee` arguments take.")
    name: auto
    kind: ActorKind  # type: ignore[valid-type]


def actors_by_id(*, tenant_id: int, ids: Iterable[int]) -> dict[int, Actor]:
    """The actors of those ids, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(ACTORS_BY_ID, {"tenant": tenant_id, "ids": sorted(set(ids))})
        rows = cursor.fetchall()
    return {
        pk: Actor(id=encode_id(type_name="Actor", pk=pk), name=name or ERASED, kind=Kind(kind))
        for pk, name, kind in rows
    }
