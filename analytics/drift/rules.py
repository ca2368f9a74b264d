"""Expected differences, the rules: written by the owner of the installation, never changed, never for long.

Every function is used inside `entered(...)` of its tenant; what writes needs the owner's login. Each row says who wrote it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from django.db import connection

from analytics.drift.arithmetic.comparing import Fields
from analytics.drift.arithmetic.verdicts import Direction, Rule
from analytics.drift.capabilities import declaration_of
from analytics.drift.controls import Capability
from analytics.engine.statements import fetched
from tasks_app.refusals import Refused

LONGEST: Final = timedelta(days=90)
MOST_STANDING: Final = 100
MOST_BOUND: Final = 1_000_000
LONGEST_OWNER, LONGEST_REASON = 200, 500

# One statement at a time writes a tenant's rules: the same rule, added twice at once, is one.
LOCK = "/* drift.lock_rules */ LOCK TABLE drift_rule IN SHARE ROW EXCLUSIVE MODE"
SAME = """/* drift.same_rule */
SELECT id FROM drift_rule r
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND field = %(field)s AND direction = %(direction)s
   AND bound = %(bound)s AND owner = %(owner)s AND reason = %(reason)s AND expires_at = %(expires_at)s
   AND NOT EXISTS (SELECT FROM drift_rule_end e WHERE e.tenant_id = %(tenant)s AND e.rule_id = r.id)
"""
ADD = """/* drift.add_rule */
INSERT INTO drift_rule (tenant_id, capability, field, direction, bound, owner, reason, created_at, expires_at)
VALUES (%(tenant)s, %(capability)s, %(field)s, %(direction)s, %(bound)s, %(owner)s, %(reason)s, %(now)s, %(expires_at)s)
RETURNING id
"""
END = """/* drift.end_rule */
INSERT INTO drift_rule_end (tenant_id, rule_id, reason, ended_at) VALUES (%(tenant)s, %(rule)s, %(reason)s, %(now)s)
    ON CONFLICT (tenant_id, rule_id) DO NOTHING
"""
WRITTEN = """/* drift.written_rules */
SELECT r.id, r.capability, r.field, r.direction, r.bound, r.owner, r.reason, r.created_at, r.expires_at, r.actor_id,
       e.ended_at, e.reason
  FROM drift_rule r LEFT JOIN drift_rule_end e ON e.tenant_id = %(tenant)s AND e.rule_id = r.id
 WHERE r.tenant_id = %(tenant)s AND (%(capability)s::text IS NULL OR r.capability = %(capability)s) ORDER BY r.id
"""


class Standing(StrEnum):
    """What has become of a rule. HOLDS: it keeps what it covers from being drift."""

    HOLDS = "HOLDS"
    EXPIRED = "EXPIRED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A rule as it was written. `actor_id` wrote it; `ended_because` is why it was ended before it expired."""

    id: int
    capability: Capability
    rule: Rule
    created_at: datetime
    actor_id: int
    ended_at: datetime | None
    ended_because: str | None

    def standing(self, *, at: datetime) -> Standing:
        """At that instant."""
        if self.ended_at is not None:
            return Standing.ENDED
        return Standing.EXPIRED if at >= self.rule.expires_at else Standing.HOLDS


def fields_of(capability: Capability) -> list[str]:
    """The fields of which a difference can be expected. Refused for what has no older answer."""
    declared = declaration_of(capability)
    if declared is None:
        raise Refused(f"--capability: {capability.value} has no older answer to be compared with yet.")
    names = declared.each.of if isinstance(declared.each, Fields) else {}
    return [f"{declared.elements}[].{name}" for name in names if name != declared.key]


def add_rule(rule: Rule, *, tenant_id: int, capability: Capability, now: datetime) -> tuple[int, bool]:
    """The rule's id, and whether it is new: the same one again is the one that holds. Refused where it could hide too much."""
    check(rule, capability=capability, now=now)
    values: dict[str, Any] = {
        "capability": capability.value,
        "field": rule.field,
        "direction": rule.direction.value,
        "bound": rule.bound,
        "owner": rule.owner,
        "reason": rule.reason,
        "expires_at": rule.expires_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    if same := fetched(SAME, tenant=tenant_id, **values):
        return int(same[0][0]), False
    holding = [each for each in written(tenant_id=tenant_id, capability=capability) if _holds(each, now)]
    if len(holding) >= MOST_STANDING:
        raise Refused(
            f"There are {MOST_STANDING} expected differences already: end some, or find out what they have in common."
        )
    return int(fetched(ADD, tenant=tenant_id, now=now, **values)[0][0]), True


def end_rule(rule_id: int, *, tenant_id: int, reason: str, now: datetime) -> bool:
    """From now on it hides nothing. False where it had ended or expired before; Refused where there is no such rule."""
    _check_words(reason, "--reason", LONGEST_REASON)
    found = next((each for each in written(tenant_id=tenant_id) if each.id == rule_id), None)
    if found is None:
        raise Refused(f"--rule: there is no rule {rule_id}; list shows those that there are.", code="NOT_FOUND")
    if not _holds(found, now):
        return False
    with connection.cursor() as cursor:
        cursor.execute(END, {"tenant": tenant_id, "rule": rule_id, "reason": reason, "now": now})
        ended: bool = cursor.rowcount == 1
    return ended


def written(*, tenant_id: int, capability: Capability | None = None) -> list[Written]:
    """All rules that ever were, the oldest first."""
    return [_written(row) for row in fetched(WRITTEN, tenant=tenant_id, capability=capability and capability.value)]


def check(rule: Rule, *, capability: Capability, now: datetime) -> None:
    """Refuses a rule that covers nothing, or everything, or that nobody answers for, or that holds for too long."""
    fields = fields_of(capability)
    if rule.field not in fields:
        raise Refused(f"--field: there is no {rule.field!r}; there are {', '.join(fields)}.")
    if not isfinite(rule.bound) or not 0 < rule.bound <= MOST_BOUND:
        raise Refused(f"--bound: give the largest difference that is expected, above 0 and at most {MOST_BOUND:,}.")
    _check_words(rule.owner, "--owner", LONGEST_OWNER)
    _check_words(rule.reason, "--reason", LONGEST_REASON)
    if not now < rule.expires_at <= now + LONGEST:
        raise Refused(f"--until: give a day after today, at most {LONGEST.days} days from now; then look at it again.")


def _check_words(text: str, option: str, most: int) -> None:
    if not text.strip() or len(text) > most or not text.isprintable():
        raise Refused(f"{option}: give 1 to {most} characters in one line.")


def _holds(found: Written, now: datetime) -> bool:
    return found.standing(at=now) is Standing.HOLDS


def _written(row: tuple[Any, ...]) -> Written:
    pk, capability, field, direction, bound, owner, reason, created_at, expires_at, actor_id, ended_at, because = row
    return Written(
        id=pk,
        capability=Capability(capability),
        rule=Rule(
            field=field,
            direction=Direction(direction),
            bound=bound,
            owner=owner,
            reason=reason,
            expires_at=expires_at.astimezone(UTC),
        ),
        created_at=created_at.astimezone(UTC),
        actor_id=actor_id,
        ended_at=ended_at and ended_at.astimezone(UTC),
        ended_because=because,
    )
