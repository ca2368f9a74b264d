"""manage.py drift_rule add|list|end: differences from an older system that somebody answers for, for a while."""

import json
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.drift.arithmetic.verdicts import Direction, Rule
from analytics.drift.controls import Capability
from analytics.drift.rules import Written, add_rule, end_rule, written
from analytics.management.options import capability_of
from analytics.pure.zones import first_instant
from tasks_app.management.refusing import RefusingCommand, owner_login
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import TenantFacts, entered

NEEDED = ("capability", "field", "direction", "bound", "owner", "reason", "until")


class Command(RefusingCommand):
    """Prints JSON. `add` the same again, and `end` again, change nothing and say so."""

    help = "Says which differences are expected. What is larger, the other way, elsewhere or too late is drift all the same."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("add", "list", "end"))
        parser.add_argument("--tenant", metavar="SLUG", required=True, help="whose answers")
        parser.add_argument("--capability", metavar="C", help=", ".join(Capability))
        parser.add_argument("--field", metavar="FIELD", help="where, such as days[].todo")
        parser.add_argument("--direction", metavar="D", help=f"ours is then: {', '.join(Direction)}")
        parser.add_argument("--bound", metavar="N", help="by how much at most")
        parser.add_argument("--owner", metavar="WHO", help="who answers for it")
        parser.add_argument("--reason", metavar="TEXT", help="why it is expected; for end, why no longer")
        parser.add_argument("--until", metavar="DATE", help="the first local day on which it is drift again")
        parser.add_argument("--rule", metavar="ID", help="for end: which one")

    def handle(self, *args: Any, **options: Any) -> None:
        """The owner's login writes; nothing that answers requests or compares can."""
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        tenant = tenant_named(slug=options["tenant"])
        with owner_login(), entered(tenant_id=tenant.id, role=None):
            found = ACTIONS[options["action"]](tenant, options, now)
        self.stdout.write(json.dumps(found))


def _add(tenant: TenantFacts, options: dict[str, Any], now: datetime) -> dict[str, Any]:
    _check_needed(options, NEEDED, "add")
    rule = Rule(
        field=options["field"],
        direction=_direction(options["direction"]),
        bound=_number(options["bound"]),
        owner=options["owner"],
        reason=options["reason"],
        expires_at=_instant(options["until"], tenant.timezone),
    )
    pk, added = add_rule(rule, tenant_id=tenant.id, capability=capability_of(options["capability"]), now=now)
    return {"rule": pk, "added": added}


def _list(tenant: TenantFacts, options: dict[str, Any], now: datetime) -> dict[str, Any]:
    capability = options["capability"] and capability_of(options["capability"])
    return {"rules": [_told(each, now) for each in written(tenant_id=tenant.id, capability=capability)]}


def _end(tenant: TenantFacts, options: dict[str, Any], now: datetime) -> dict[str, Any]:
    _check_needed(options, ("rule", "reason"), "end")
    text = options["rule"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Refused(f"--rule: {text!r} is no rule's number; list shows them.")
    ended = end_rule(int(text), tenant_id=tenant.id, reason=options["reason"], now=now)
    return {"rule": int(text), "ended": ended}


def _told(found: Written, now: datetime) -> dict[str, Any]:
    return {
        "rule": found.id,
        "capability": found.capability.value,
        "field": found.rule.field,
        "direction": found.rule.direction.value,
        "bound": found.rule.bound,
        "owner": found.rule.owner,
        "reason": found.rule.reason,
        "createdAt": found.created_at.isoformat(),
        "expiresAt": found.rule.expires_at.isoformat(),
        "endedAt": found.ended_at and found.ended_at.isoformat(),
        "endedBecause": found.ended_because,
        "standing": found.standing(at=now).value,
    }


def _check_needed(options: dict[str, Any], names: tuple[str, ...], action: str) -> None:
    for name in names:
        if options[name] is None:
            raise Refused(f"--{name}: this is needed to {action} a rule.")


def _direction(text: str) -> Direction:
    try:
        return Direction(text)
    except ValueError:
        raise Refused(f"--direction: there is no {text!r}; there are {', '.join(Direction)}.") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Refused(f"--bound: {text!r} is no number.") from None


def _instant(text: str, zone_name: str) -> datetime:
    try:
        return first_instant(day=date.fromisoformat(text), zone_name=zone_name)
    except (ValueError, OverflowError):
        raise Refused(f"--until: {text!r} is no day; write it as 2026-01-31.") from None


ACTIONS = {"add": _add, "list": _list, "end": _end}
