"""manage.py legacy_endpoint add|list|test|remove: older systems of somebody else that answers are compared with."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.drift.controls import Capability, LegacyFailure
from analytics.drift.endpoint_rows import cutoff_of, listed_endpoints, remove_endpoint, set_endpoint
from analytics.drift.endpoints import Asked, Endpoint, ask, endpoint_of
from tasks_app.management.refusing import RefusingCommand, owner_login
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import TenantFacts, entered


class Command(RefusingCommand):
    """Prints JSON. `test` asks once, counts for nothing, and exits with 1 where there is no answer."""

    help = "Sets, lists, tries and removes the endpoint of an older system, tenant by tenant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("add", "list", "test", "remove"))
        parser.add_argument("--tenant", metavar="SLUG", required=True, help="whose")
        parser.add_argument("--capability", choices=[each.value for each in Capability], default="CUMULATIVE_FLOW")
        parser.add_argument("--url", metavar="URL", help="with {days}, {from}, {to}, {organisation} where they belong")
        parser.add_argument("--mapping", metavar="JMESPATH", help="makes the old shape of the answer")
        parser.add_argument("--cutoff", default="unknown", help="unknown, a local time as 00:00, or field:JMESPATH")
        parser.add_argument("--organisation", metavar="NAME", help="what the tenant is called there; default: its slug")
        parser.add_argument(
            "--header", metavar="NAME=VARIABLE", action="append", default=[], help="its value is in that variable"
        )
        parser.add_argument(
            "--uncertain", metavar="SECONDS", type=int, default=0, help="how far the cut-off may be off"
        )
        parser.add_argument("--calls-a-day", metavar="N", type=int, default=500)
        parser.add_argument("--seconds", metavar="N", type=float, default=10.0, help="how long an answer may take")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant, capability = tenant_named(slug=options["tenant"]), Capability(options["capability"])
        found = ACTIONS[options["action"]](tenant, capability, options)
        self.stdout.write(json.dumps(found))


def _add(tenant: TenantFacts, capability: Capability, options: dict[str, Any]) -> dict[str, Any]:
    for name in ("url", "mapping"):
        if not options[name]:
            raise Refused(f"--{name}: this is needed to add an endpoint.")
    rule, at, field = cutoff_of(options["cutoff"])
    endpoint = Endpoint(
        url=options["url"],
        headers=_headers(options["header"]),
        mapping=options["mapping"],
        organisation=options["organisation"] or tenant.slug,
        cutoff_rule=rule,
        cutoff_time=at,
        cutoff_field=field,
        uncertain_seconds=options["uncertain"],
        most_calls_a_day=options["calls_a_day"],
        seconds=options["seconds"],
    )
    with owner_login(), entered(tenant_id=tenant.id, role=None):
        set_endpoint(tenant_id=tenant.id, capability=capability, endpoint=endpoint)
    return {"added": capability.value}


def _list(tenant: TenantFacts, _: Capability, __: dict[str, Any]) -> list[dict[str, Any]]:
    with owner_login(), entered(tenant_id=tenant.id, role=None):
        return [asdict(each) for each in listed_endpoints(tenant_id=tenant.id)]


def _test(tenant: TenantFacts, capability: Capability, _: dict[str, Any]) -> dict[str, Any]:
    with owner_login(), entered(tenant_id=tenant.id, role=None):
        endpoint = endpoint_of(tenant_id=tenant.id, capability=capability)
    if endpoint is None:
        raise Refused(f"There is no endpoint for {capability.value}.", code="NOT_FOUND")
    now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
    found = ask(endpoint, Asked(slug=tenant.slug, zone=tenant.timezone, days=7, now=now))
    if isinstance(found, LegacyFailure):
        raise Refused(f"{found.kind.value}: {found.reason}")
    return {
        "answer": dict(found.body),
        "basis": found.basis.value,
        "cutoffs": {key: each.happened_before.isoformat() for key, each in found.cutoffs.items()},
    }


def _remove(tenant: TenantFacts, capability: Capability, _: dict[str, Any]) -> dict[str, Any]:
    with owner_login(), entered(tenant_id=tenant.id, role=None):
        remove_endpoint(tenant_id=tenant.id, capability=capability)
    return {"removed": capability.value}


def _headers(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not equals for _, equals, _ in pairs):
        raise Refused("--header: write it as NAME=VARIABLE, with the name of an environment variable.")
    return {name.strip(): variable.strip() for name, _, variable in pairs}


ACTIONS = {"add": _add, "list": _list, "test": _test, "remove": _remove}
