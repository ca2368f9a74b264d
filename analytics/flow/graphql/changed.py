"""Changed number: as it was known at two instants, and the items that it counts otherwise since."""

from collections.abc import Sequence

import strawberry

from analytics.engine.graphql.lists import listed
from analytics.flow.reading.explaining import ChangedNumber
from analytics.flow.replay.task_names import names_of
from tasks_app.graphql.connection_fields import connection_field
from tasks_app.http.connections import Connection, PageArgs
from tasks_app.http.cursors import Column, Keyset

BY_NAME = Keyset([Column("identity", "asc", str), Column("key", "asc", str)])


@strawberry.type(description="An item that a number counts otherwise than before.")
class ChangedItem:
    task_key: str = strawberry.field(description="The item.")
    before: int = strawberry.field(description="How often the number counted it, as known at `knownFrom`.")
    after: int = strawberry.field(description="How often it counts it, as known at `knownTo`.")
    identity: strawberry.Private[str]


@strawberry.type(description="A number as it was known at two instants.")
class ExplainedChange:
    number: strawberry.Private[ChangedNumber]

    @strawberry.field(
        description="As known at `knownFrom`; null where nothing was known of the bucket or the state then."
    )
    def before(self) -> int | None:
        return self.number.before

    @strawberry.field(description="As known at `knownTo`; null where nothing is known of the bucket.")
    def after(self) -> int | None:
        return self.number.after

    @connection_field(
        description="The items that are counted otherwise, by name. The sum of their `after` minus the sum of their `before`"
        " is the difference of the number, of which null is no items."
    )
    def items(self, page: PageArgs) -> Connection[ChangedItem]:
        return listed(_items(self.number), keyset=BY_NAME, values=_place, args=page, node=lambda each: each)


def _items(number: ChangedNumber) -> Sequence[ChangedItem]:
    found = number.contributions()
    names = names_of(tenant_id=number.tenant_id, task_ids=list(found))
    items = [
        ChangedItem(task_key=names[task].key, identity=names[task].identity, before=before, after=after)
        for task, (before, after) in found.items()
    ]
    return sorted(items, key=_place)


def _place(each: ChangedItem) -> tuple[str, str]:
    return each.identity, each.task_key
