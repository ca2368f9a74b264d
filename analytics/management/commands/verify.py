"""manage.py verify: whether everything derived, and every live row, is what the ledger says."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.ledger_checks import verify_ledger
from analytics.engine.rollups.verify import Check, verify_rollups
from analytics.management.options import add_family, add_tenant, families_of, tenant_id_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.progress import Progress
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints `{"ok", "checks": [{"code", "failures"}]}`, the failures of all tenants added up.

    Repairs nothing; definitions that changed since the last fold are settled first, as a fold would.
    """

    help = "Compares rollups and live rows with the ledger. Exit 1 when something differs: stderr says what."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        add_tenant(parser)
        add_family(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """A check that fails tells the first thing that it found, in a sentence."""
        checks: list[Check] = []
        tenant_id, families = tenant_id_of(options["tenant"]), families_of(options["family"])
        with Progress(label="verifying", unit="tenants") as progress:
            for owner in owners(tenant_id=tenant_id):
                now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
                checks += verify_rollups(owner=owner, now=now, families=families)
                checks += verify_ledger(owner=owner, families=families)
                progress.add(1)
        found = _by_code(checks)
        ok = all(check.failures == 0 for check in found)
        self.stdout.write(json.dumps({"ok": ok, "checks": [_told(check) for check in found]}))
        if not ok:
            raise Refused("\n".join(check.first for check in found if check.first))


def _by_code(checks: Iterable[Check]) -> list[Check]:
    """One check of each code: the failures of all, and the first sentence of any."""
    found: dict[str, Check] = {}
    for each in checks:
        before = found.get(each.code, Check(code=each.code, failures=0, first=None))
        failures = before.failures + each.failures
        found[each.code] = Check(code=each.code, failures=failures, first=before.first or each.first)
    return list(found.values())


def _told(check: Check) -> dict[str, Any]:
    return {"code": check.code, "failures": check.failures}
