"""Operations data for one tenant: how the product itself is doing."""

from datetime import datetime

import strawberry
from django.conf import settings

from analytics.engine.reading import fold_lag as folded
from tasks_app.graphql.asking import Info
from tasks_app.observing.levels import Level, levels


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


@strawberry.type(description="One promise, and how far it was kept in what was answered to this tenant.")
class ServiceLevel:
    name: str = strawberry.field(description="Its name, the same in metrics and alerts.")
    description: str = strawberry.field(description="Which answers count, and which of them are good.")
    objective: float = strawberry.field(description="The share of the answers that count that is to be good.")
    within_seconds: float | None = strawberry.field(
        description="What makes an answer good, where that is a time: it took no longer, or its data is no older."
    )
    window_days: int = strawberry.field(description="Over so many days of UTC, today included.")
    good: int = strawberry.field(description="Good answers in the window. Counts are some seconds behind.")
    valid: int = strawberry.field(description="Answers that count in the window.")
    attained: float | None = strawberry.field(description="good / valid; null: no answer counted.")
    attained_seconds: float | None = strawberry.field(
        description="Within so many seconds the promised share of the answers was given, or was their data no older. By steps,"
        " so it is never too low; null: no time was taken, or it is beyond 300."
    )
    burn_rate: float | None = strawberry.field(
        description="The bad share of the last hour as a multiple of what may be bad: at 1 the budget lasts exactly the"
        " window. null: too few answers to tell."
    )
    budget_left: float | None = strawberry.field(
        description="The part of the window's bad answers that is not used up, below 0 where it is overdrawn; null: no"
        " answer counted."
    )


@strawberry.type(description="How far everything derived is folded, and how fresh.")
class Operations:
    @strawberry.field(description="Each family of facts.")
    def folded(self, info: Info) -> list[FoldedFamily]:
        found = folded.folded_families(tenant_id=info.context.tenant.id)
        return [_family_node(each, now=info.context.now) for each in found]

    @strawberry.field(description="What is promised of the answers, and how far it was kept.")
    def service_levels(self, info: Info) -> list[ServiceLevel]:
        promised = settings.FLOWLEDGER_SERVICE_LEVELS.objectives
        found = levels(tenant_id=info.context.tenant.id, objectives=promised, now=info.context.now)
        return [_level_node(each) for each in found]


def operations() -> Operations:
    """For the caller's tenant."""
    return Operations()


def _level_node(level: Level) -> ServiceLevel:
    objective, count = level.objective, level.count
    return ServiceLevel(
        name=objective.name,
        description=objective.sentence,
        objective=objective.share,
        within_seconds=objective.within.total_seconds() if objective.within else None,
        window_days=objective.window_days,
        good=count.good,
        valid=count.valid,
        attained=level.attained,
        attained_seconds=level.seconds,
        burn_rate=level.burn_rate,
        budget_left=level.budget_left,
    )


def _family_node(each: folded.FoldedFamily, *, now: datetime) -> FoldedFamily:
    oldest = each.oldest_tail_at
    return FoldedFamily(
        family=each.family,
        tail_rows=each.tail_rows,
        oldest_tail_at=oldest,
        last_folded_at=each.last_folded_at,
        alert=oldest is not None and now - oldest > settings.FLOWLEDGER_TAIL_ALERT,
    )
