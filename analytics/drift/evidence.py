"""Evidence for or against a switch, as one JSON text: what is handed over once it is complete.

Every function is used inside `entered(...)` of its tenant.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from analytics.drift import store
from analytics.drift.controls import Capability
from analytics.drift.report_sentences import told
from analytics.drift.stages import Change, Standing, changes
from analytics.pure.canonical import canonical, digest
from analytics.pure.zones import local_date

MOST: Final = 10_000

COUNTS = """/* drift.evidence_counts */
SELECT day, stratum, basis, verdict, signature, comparisons FROM drift_count
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s ORDER BY day, stratum, basis, verdict, signature
"""
GATES = """/* drift.evidence_gates */
SELECT stage, next_stage, passes, reasons, inputs_digest, evaluated_at FROM drift_gate
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s ORDER BY id
"""
DRILLS = """/* drift.evidence_drills */
SELECT stage, drilled_at, ok, (seconds * 1000)::bigint FROM drift_drill
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s ORDER BY id
"""
RULES = """/* drift.evidence_rules */
SELECT r.id, r.field, r.direction, r.bound::text, r.owner, r.reason, r.created_at, r.expires_at, r.actor_id, e.ended_at,
       e.reason, e.actor_id
  FROM drift_rule r LEFT JOIN drift_rule_end e ON e.tenant_id = %(tenant)s AND e.rule_id = r.id
 WHERE r.tenant_id = %(tenant)s AND r.capability = %(capability)s ORDER BY r.id
"""
# Each list with its statement and the names of its columns.
LISTS: Final = {
    "counts": (COUNTS, ("day", "stratum", "basis", "verdict", "signature", "comparisons")),
    "gates": (GATES, ("stage", "nextStage", "passes", "reasons", "inputsDigest", "evaluatedAt")),
    "drills": (DRILLS, ("stage", "drilledAt", "ok", "milliseconds")),
    "expectedDifferences": (
        RULES,
        (
            *("rule", "field", "direction", "bound", "owner", "reason", "createdAt", "expiresAt", "actorId"),
            *("endedAt", "endedBecause", "endedBy"),
        ),
    ),
}


def evidence(*, standing: Standing, zone: str, now: datetime) -> dict[str, Any]:
    """Stages with their history, counts by day, gates, drills, expected differences, and what was found as sentences.

    `digest` is taken of all the rest.
    """
    values = {"tenant": standing.tenant_id, "capability": standing.capability.value}
    found: dict[str, Any] = {
        "capability": standing.capability.value,
        "stage": standing.flag.stage.value,
        "flagVersion": standing.flag.version,
        "at": now,
        "changes": [_told(each) for each in _history(standing.tenant_id, standing.capability)],
        **{name: _listed(statement, columns, values) for name, (statement, columns) in LISTS.items()},
        **_sentences(standing, zone=zone, now=now),
    }
    plain: dict[str, Any] = canonical(found)
    return {**plain, "digest": digest(plain)}


def evidence_text(*, standing: Standing, zone: str, now: datetime) -> str:
    """The same as text."""
    return json.dumps(evidence(standing=standing, zone=zone, now=now), sort_keys=True, ensure_ascii=False)


def _sentences(standing: Standing, *, zone: str, now: datetime) -> dict[str, Any]:
    """The causes of drift and the remarks of all days that are counted."""
    last = local_date(instant=now, zone_name=zone)
    found = told(
        tenant_id=standing.tenant_id,
        zone=zone,
        capability=standing.capability,
        first=last - store.COUNTED,
        last=last,
    )
    causes = [{"signature": cause.name, "sentence": sentence} for cause, sentence in found.causes]
    return {"causes": causes, "remarks": list(found.remarks)}


def _history(tenant_id: int, capability: Capability) -> list[Change]:
    return changes(tenant_id=tenant_id, capability=capability, most=MOST)[::-1]


def _told(change: Change) -> dict[str, Any]:
    return {
        "flagVersion": change.version,
        "stageBefore": change.before.stage.value,
        "percentBefore": change.before.percent,
        "stage": change.flag.stage.value,
        "percent": change.flag.percent,
        "actorId": change.actor_id,
        "cause": change.cause.value,
        "overridden": change.overridden,
        "reason": change.reason,
        "changedAt": change.changed_at,
    }


def _listed(statement: str, columns: tuple[str, ...], values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [dict(zip(columns, (_utc(value) for value in row), strict=True)) for row in cursor.fetchall()]


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
