"""manage.py drill_rollback: shows that there is a way back from our answers to the older ones."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.drift.rollback import drill
from analytics.management.options import add_tenant_and_capability, capability_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints `{"seconds", "ok"}`: how long after the flip the last new answer was given, and whether all went well."""

    help = "Flips a tenant's switch back, measures, compares with the older answers, and restores it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        add_tenant_and_capability(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Afterwards the stage is what it was. Exit 1 when there is no way back, with the reasons."""
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        tenant = tenant_named(slug=options["tenant"])
        made = drill(tenant_id=tenant.id, capability=capability_of(options["capability"]), now=now)
        self.stdout.write(json.dumps({"seconds": made.seconds, "ok": made.ok}))
        if not made.ok:
            raise Refused(" ".join(made.problems))
