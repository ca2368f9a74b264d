"""Stages of the dual run as the API shows them: who answers, since when and why, and what the next stage takes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry
from django.db import connection

from analytics.drift import controls, stages
from analytics.drift.arithmetic import stages as pure
from analytics.drift.capabilities import DECLARED
from analytics.drift.gate import Decision, decided
from analytics.drift.stages import NEVER_CHANGED, Change, stage_of
from analytics.engine.graphql.actors import Actor, actors_by_id
from analytics.engine.graphql.receipts import Stage
from tasks_app.graphql.asking import Info

Capability = strawberry.enum(
    controls.Capability,
    name="Capability",
    description="What can be compared with an older system, and switched to ours.",
)
# A capability that nobody ever switched is OFF from the first thing that the tenant made, and by whoever was there first.
BEGAN = """/* drift.began */
SELECT (SELECT min(created_at) FROM project WHERE tenant_id = %(tenant)s),
       (SELECT min(id) FROM actor WHERE tenant_id = %(tenant)s)
"""


@strawberry.type(description="The switch of one capability from an older answer to ours.")
class CapabilityStage:
    capability: Capability = strawberry.field(description="What is switched.")  # type: ignore[valid-type]
    stage: Stage = strawberry.field(description="How far the switch is.")  # type: ignore[valid-type]
    percent: int = strawberry.field(
        description="The percentage of tenants that a live stage is for, by a hash of the tenant: a higher one only adds."
    )
    flag_version: int = strawberry.field(
        description="Grows by one with each change; 0 where there was none. Receipts name it."
    )
    changed_at: datetime = strawberry.field(description="When it became so, UTC.")
    changed_by: Actor = strawberry.field(
        description="Who changed it last; where nobody did, whoever of the tenant was there first."
    )
    reason: str = strawberry.field(description="Why, in the words of whoever did.")
    stale: bool = strawberry.field(description="Whether it stands half way for more than 90 days.")


@strawberry.type(description="Whether enough is proven for the next stage.")
class Gate:
    capability: Capability = strawberry.field(description="Of which switch.")  # type: ignore[valid-type]
    next_stage: Stage | None = strawberry.field(  # type: ignore[valid-type]
        description="The stage that would follow; null: there is none."
    )
    passes: bool = strawberry.field(description="Whether it may follow without an override.")
    reasons: list[str] = strawberry.field(description="What is missing, a sentence each; empty when it passes.")
    evaluated_at: datetime = strawberry.field(description="When that was decided, UTC.")
    inputs_digest: str = strawberry.field(
        description="SHA-256 of all that it was decided from: the same inputs give the same decision."
    )


@strawberry.type
class StageQuery:
    @strawberry.field(description="The switch of each capability that has an older answer.")
    def stages(self, info: Info) -> list[CapabilityStage]:
        found = {each.capability: each for each in stages.current(tenant_id=info.context.tenant.id)}
        return stage_nodes(info, [*found, *(each for each in DECLARED if each not in found)], found)

    @strawberry.field(description="What the next stage takes, decided now. Decisions that a stage was set by are kept.")
    def gate(self, info: Info, capability: Capability) -> Gate:  # type: ignore[valid-type]
        return gate_node(decision_now(info, controls.Capability(capability)))


def decision_now(info: Info, capability: controls.Capability) -> Decision:
    """What the gate of the caller's tenant says."""
    tenant = info.context.tenant
    standing = stage_of(tenant_id=tenant.id, capability=capability)
    return decided(standing=standing, zone=tenant.timezone, now=info.context.now)


def gate_node(decision: Decision) -> Gate:
    """As the API shows it."""
    return Gate(
        capability=decision.standing.capability,
        next_stage=decision.gate.next_stage,
        passes=decision.gate.passes,
        reasons=list(decision.gate.reasons),
        evaluated_at=decision.evaluated_at,
        inputs_digest=decision.gate.inputs_digest,
    )


def stage_node(info: Info, capability: controls.Capability) -> CapabilityStage:
    """One switch as it is now."""
    found = {each.capability: each for each in stages.current(tenant_id=info.context.tenant.id)}
    return stage_nodes(info, [capability], found)[0]


def stage_nodes(
    info: Info, names: Sequence[controls.Capability], found: Mapping[controls.Capability, Change]
) -> list[CapabilityStage]:
    """The switches of those names, in the order of the alphabet."""
    tenant_id, now = info.context.tenant.id, info.context.now
    began, first = _began(tenant_id, now=now)
    actors = actors_by_id(tenant_id=tenant_id, ids=[first, *(each.actor_id for each in found.values())])
    never = {"changed_at": began, "changed_by": actors[first], "flag": pure.Flag(), "reason": NEVER_CHANGED}
    return [_node(name, now=now, **(_told(found[name], actors) if name in found else never)) for name in sorted(names)]


def _told(change: Change, actors: Mapping[int, Actor]) -> dict[str, Any]:
    return {
        "changed_at": change.changed_at,
        "changed_by": actors[change.actor_id],
        "flag": change.flag,
        "reason": change.reason,
    }


def _node(
    name: controls.Capability, *, flag: pure.Flag, changed_at: datetime, changed_by: Actor, reason: str, now: datetime
) -> CapabilityStage:
    return CapabilityStage(
        capability=name,
        stage=flag.stage,
        percent=flag.percent,
        flag_version=flag.version,
        changed_at=changed_at,
        changed_by=changed_by,
        reason=reason,
        stale=pure.is_stale(flag, changed_at=changed_at, now=now),
    )


def _began(tenant_id: int, *, now: datetime) -> tuple[datetime, int]:
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"tenant": tenant_id}
        cursor.execute(BEGAN, values)
        began, first = cursor.fetchall()[0]
    return began or now, first
