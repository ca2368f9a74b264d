"""How the product itself is doing, for one tenant."""

from datetime import datetime

import strawberry
from django.conf import settings

from analytics.windows import folded
from tasks_app.graphql.asking import Info


@strawberry.type(description="How far one family of facts is folded into its rollups.")
class FoldedFamily:
    family: str = strawberry.field(description="Its name.")
    tail_rows: int = strawberry.field(
        description="Facts that wait to be folded. MERGED answers have them all the same."
    )
    oldest_tail_at: datetime | None = strawberry.field(
        description="When the first of them was recorded, UTC; null: none waits."
    )
    last_folded_at: datetime | None = strawberry.field(description="When facts were last folded, UTC; null: never.")
    alert: bool = strawberry.field(description="Whether facts have waited for longer than they ever should.")


@strawberry.type(description="How far everything derived is folded, and how fresh.")
class Operations:
    folded: list[FoldedFamily] = strawberry.field(description="Each family of facts.")


def operations(info: Info) -> Operations:
    """For the caller's tenant."""
    found = folded.folded_families(tenant_id=info.context.tenant.id)
    return Operations(folded=[_family_node(each, now=info.context.now) for each in found])


def _family_node(each: folded.FoldedFamily, *, now: datetime) -> FoldedFamily:
    oldest = each.oldest_tail_at
    return FoldedFamily(
        family=each.family,
        tail_rows=each.tail_rows,
        oldest_tail_at=oldest,
        last_folded_at=each.last_folded_at,
        alert=oldest is not None and now - oldest > settings.FLOWLEDGER_TAIL_ALERT,
    )
