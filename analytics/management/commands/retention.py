"""manage.py retention: how long a tenant keeps rollups of each grain."""

import json
from typing import Any

from django.core.management.base import CommandParser

from analytics.engine.family import Family
from analytics.engine.retention import Kept, keep, keep_by_default, kept
from analytics.management.options import add_family, families_of
from analytics.pure.segments import Grain
from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

FOREVER, DEFAULT = "forever", "default"


class Command(RefusingCommand):
    """Prints `{"retention": [{"family", "grain", "days", "chosen", "since"}]}`.

    `days` null is for ever; `chosen`: the tenant has a time of its own; older rows than `since` are gone (null: none).
    """

    help = "Shows or sets how long a tenant keeps rollups of each grain. More days bring nothing back that was dropped."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        parser.add_argument("--tenant", metavar="SLUG", required=True, help="whose rollups")
        add_family(parser)
        parser.add_argument("--grain", metavar="G", help=f"{', '.join(each.name for each in Grain)}; default: all")
        parser.add_argument("--days", metavar="N", help=f"how long to keep them from now on; {FOREVER}, or {DEFAULT}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Changes nothing where something is refused. What is too old goes with the next `retain`."""
        tenant = tenant_named(slug=options["tenant"])
        families, grain, days = families_of(options["family"]), _grain(options["grain"]), options["days"]
        with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, read_only=days is None):
            if days is not None:
                _set(tenant.id, families[0] if options["family"] else None, grain, days)
            found = [_told(family, each) for family in families for each in kept(tenant_id=tenant.id, family=family)]
        shown = [each for each in found if grain is None or each["grain"] == grain.name]
        self.stdout.write(json.dumps({"retention": shown}))


def _set(tenant_id: int, family: Family | None, grain: Grain | None, text: str) -> None:
    if family is None or grain is None:
        raise Refused("--days: name what is to be kept so long, by --family and --grain.")
    if text == DEFAULT:
        keep_by_default(tenant_id=tenant_id, family=family, grain=grain)
    else:
        keep(tenant_id=tenant_id, family=family, grain=grain, days=None if text == FOREVER else _number(text))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Refused(f"--days: {text!r} is no whole number of days; give one, {FOREVER} or {DEFAULT}.")
    return int(text)


def _grain(text: str | None) -> Grain | None:
    if text is None:
        return None
    try:
        return Grain[text]
    except KeyError:
        raise Refused(f"--grain: there is no {text!r}; there are {', '.join(each.name for each in Grain)}.") from None


def _told(family: Family, found: Kept) -> dict[str, Any]:
    return {
        "family": family.name,
        "grain": found.grain.name,
        "days": found.days,
        "chosen": found.chosen,
        "since": found.since and found.since.isoformat(),
    }
