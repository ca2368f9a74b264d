"""Stage mutation of the dual run."""

from datetime import datetime
from typing import Any

import strawberry

from analytics.drift import controls
from analytics.drift.gate import Decision, GateRefused, Wish, keep, switch
from analytics.engine.graphql.receipts import Stage
from analytics.graphql.stages import Capability, CapabilityStage, Gate, decision_now, gate_node, stage_node
from analytics.pure import stages as pure
from tasks_app.graphql.asking import Info
from tasks_app.graphql.attempts import Payload, tried
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import LeftOutIsNull, client_mutation_id
from tasks_app.graphql.mutation_fields import mutation
from tasks_app.http.scalars import format_datetime
from tasks_app.models import Scope


@strawberry.input(description="What a switch is to be, and why.")
class SetStageInput(LeftOutIsNull):
    capability: Capability = strawberry.field(description="Of which switch.")  # type: ignore[valid-type]
    stage: Stage = strawberry.field(  # type: ignore[valid-type]
        description="The next stage, or any lower one; from COMPLETE there is none."
    )
    percent: int = strawberry.field(description="The percentage of tenants that a live stage is for.", default=100)
    override: bool = strawberry.field(
        description="Whether it is to be done although the gate refuses, or a stage is left out. It is recorded.",
        default=False,
    )
    reason: str = strawberry.field(description="Why; 1 to 1,000 characters. The ledger of stages keeps it.")
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="A switch that was set, or why it was not.")
class SetStagePayload(Payload):
    stage: CapabilityStage | None = strawberry.field(description="The switch as it is now; null when there are errors.")
    gate: Gate | None = strawberry.field(
        description="What the gate said before the change; null when it was not asked."
    )


@mutation(
    "Switches a capability to another stage. A step towards ours takes what the gate asks for, or an override.",
    scope=Scope.ADMIN,
)
def set_stage(info: Info, input: SetStageInput) -> SetStagePayload:  # noqa: A002 - the API's word
    """The switch as it was asked for. What the gate refuses is kept, too."""
    capability = controls.Capability(input.capability)
    refused: list[Decision] = []

    def do() -> Outcome:
        decision = decision_now(info, capability)
        wish = Wish(stage=pure.Stage(input.stage), percent=input.percent, reason=input.reason, overrides=input.override)
        try:
            switch(standing=decision.standing, wish=wish, decision=decision, now=info.context.now)
        except GateRefused:
            refused.append(decision)
            raise
        return {"capability": capability.value, "gate": _told(decision)}

    done = tried(info, input, do)
    for decision in refused:
        keep(decision)
    return SetStagePayload(
        stage=stage_node(info, capability) if done.outcome else None,
        gate=_gate(capability, done.outcome, refused),
        **done.shared,
    )


def _gate(capability: controls.Capability, outcome: Outcome, refused: list[Decision]) -> Gate | None:
    if refused:
        return gate_node(refused[0])
    if not outcome:
        return None
    told: dict[str, Any] = outcome["gate"]
    return Gate(
        capability=capability,
        next_stage=pure.Stage(told["next"]) if told["next"] else None,
        passes=told["passes"],
        reasons=told["reasons"],
        evaluated_at=datetime.fromisoformat(told["at"]),
        inputs_digest=told["digest"],
    )


def _told(decision: Decision) -> dict[str, Any]:
    """As an outcome that is kept for the same mutation sent again."""
    gate = decision.gate
    return {
        "next": gate.next_stage.value if gate.next_stage else None,
        "passes": gate.passes,
        "reasons": list(gate.reasons),
        "at": format_datetime(decision.evaluated_at),
        "digest": gate.inputs_digest,
    }


MUTATIONS = (set_stage,)
