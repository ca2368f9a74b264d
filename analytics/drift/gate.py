"""Gate before each stage: what is known is read, decided on without the database, and kept with its digest.

Every function is used inside `entered(...)` of its tenant.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from analytics.drift import store
from analytics.drift.arithmetic.gating import DEFAULT_BOUNDS, Bounds, Gate, Inputs, gate
from analytics.drift.arithmetic.stages import Flag, skips, takes_proof
from analytics.drift.capabilities import declaration_of
from analytics.drift.controls import Basis, Capability
from analytics.drift.evidence import evidence_text
from analytics.drift.stages import STAGE, Standing, check_step, last_demotion, set_stage
from analytics.engine.statements import fetched
from analytics.models import StageCause
from analytics.pure.canonical import canonical
from analytics.pure.stages import Stage
from analytics.pure.zones import local_date
from tasks_app.refusals import Refused

CAPABILITY: Final = ("input", "capability")
NO_OLDER_SIDE: Final = "There is no older answer of this to be compared with yet."

DRILLED = """/* drift.last_drill */
SELECT max(drilled_at) FROM drift_drill WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND ok
"""
KEEP = """/* drift.keep_gate */
INSERT INTO drift_gate (tenant_id, capability, stage, next_stage, passes, reasons, inputs, inputs_digest, evaluated_at,
                        evidence)
VALUES (%(tenant)s, %(capability)s, %(stage)s, %(next_stage)s, %(passes)s, %(reasons)s, %(inputs)s, %(digest)s, %(now)s,
        %(evidence)s)
"""
DECISIONS = """/* drift.gates */
SELECT stage, next_stage, passes, reasons, inputs, inputs_digest, evaluated_at FROM drift_gate
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s ORDER BY id DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the gate says at an instant, and from what. `zone` is where the tenant's days begin."""

    standing: Standing
    zone: str
    inputs: Inputs
    gate: Gate
    evaluated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks a stage to be, and why. `overrides`: although the gate refuses."""

    stage: Stage
    percent: int
    reason: str
    overrides: bool = False


class GateRefused(Refused):
    """Too little is proven for the stage that was wished; `decision` has all the reasons."""

    def __init__(self, decision: Decision, *, wanted: Stage) -> None:
        self.decision = decision
        reasons = " ".join(decision.gate.reasons)
        super().__init__(
            f"{wanted.value} is refused: {reasons} With override and a reason it can be done all the same.", path=STAGE
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDecision:
    """A decision as it was kept. `inputs` are what the digest was taken of."""

    stage: str
    next_stage: str
    passes: bool
    reasons: list[str]
    inputs: dict[str, Any]
    inputs_digest: str
    evaluated_at: datetime


def decided(*, standing: Standing, zone: str, now: datetime, bounds: Bounds = DEFAULT_BOUNDS) -> Decision:
    """What the gate says now. Of one local day and the same comparisons it always says the same."""
    inputs = inputs_of(standing=standing, zone=zone, now=now, bounds=bounds)
    found = gate(inputs)
    if declaration_of(standing.capability) is None:
        found = replace(found, passes=False, reasons=[NO_OLDER_SIDE])
    return Decision(standing=standing, zone=zone, inputs=inputs, gate=found, evaluated_at=now)


def inputs_of(*, standing: Standing, zone: str, now: datetime, bounds: Bounds) -> Inputs:
    """All that the decision is made from. Comparisons whose cut-off was only assumed open no gate, and are not in it."""
    today = local_date(instant=now, zone_name=zone)
    asked: dict[str, Any] = {
        "tenant_id": standing.tenant_id,
        "capability": standing.capability,
        "first": today - timedelta(days=bounds.window_days - 1),
        "last": today,
    }
    drilled_at = fetched(DRILLED, tenant=standing.tenant_id, capability=standing.capability.value)[0][0]
    demoted_at = last_demotion(tenant_id=standing.tenant_id, capability=standing.capability)
    return Inputs(
        capability=standing.capability.value,
        definition=_definition(standing.capability),
        stage=standing.flag.stage,
        today=today,
        strata=store.counts(**asked, basis=Basis.KNOWN),
        days=store.conclusive_days(**asked),
        signatures={each.name: local_date(instant=each.last_at, zone_name=zone) for each in store.signatures(**asked)},
        drilled_on=drilled_at and local_date(instant=drilled_at, zone_name=zone),
        demoted_on=demoted_at and local_date(instant=demoted_at, zone_name=zone),
        bounds=bounds,
    )


def switch(*, standing: Standing, wish: Wish, decision: Decision, now: datetime) -> Standing:
    """The switch as it was wished. A step towards us takes the gate's consent, or an override, which is recorded as one.

    GateRefused without either; Refused for a step that nobody may take.
    """
    if declaration_of(standing.capability) is None:
        raise Refused(f"{standing.capability.value} has no older answer to be compared with yet.", path=CAPABILITY)
    wanted = Flag(stage=wish.stage, percent=wish.percent, version=standing.flag.version + 1)
    proof = takes_proof(standing.flag, wanted, place=standing.place)
    check_step(standing, wanted, reason=wish.reason, overrides=wish.overrides)
    if proof and not wish.overrides and not decision.gate.passes:
        raise GateRefused(decision, wanted=wanted.stage)
    needed = proof and (not decision.gate.passes or skips(standing.flag, wanted))
    changed = set_stage(
        standing,
        wanted=wanted,
        reason=wish.reason,
        cause=StageCause.ASKED,
        overrides=wish.overrides and needed,
        now=now,
    )
    complete = wanted.stage is Stage.COMPLETE
    keep(decision, evidence=evidence_text(standing=changed, zone=decision.zone, now=now) if complete else "")
    return changed


def keep(decision: Decision, *, evidence: str = "") -> None:
    """Keeps what was decided, with everything that it was decided from."""
    found, at = decision.gate, decision.standing
    values = {
        "capability": at.capability.value,
        "stage": at.flag.stage.value,
        "next_stage": found.next_stage.value if found.next_stage else "",
        "passes": found.passes,
        "reasons": json.dumps(list(found.reasons)),
        "inputs": json.dumps(canonical(decision.inputs.told()), sort_keys=True),
        "digest": found.inputs_digest,
        "now": decision.evaluated_at,
        "evidence": evidence,
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, {"tenant": at.tenant_id, **values})


def kept(*, tenant_id: int, capability: Capability, most: int = 20) -> list[KeptDecision]:
    """The newest decisions first."""
    return [
        KeptDecision(
            stage=stage,
            next_stage=next_stage,
            passes=passes,
            reasons=json.loads(reasons),
            inputs=json.loads(inputs),
            inputs_digest=digest,
            evaluated_at=at,
        )
        for stage, next_stage, passes, reasons, inputs, digest, at in fetched(
            DECISIONS, tenant=tenant_id, capability=capability.value, most=most
        )
    ]


def _definition(capability: Capability) -> str:
    declared = declaration_of(capability)
    return "" if declared is None else declared.definition
