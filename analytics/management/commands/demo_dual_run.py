"""manage.py demo_dual_run: the part of the demo in which an older system's answers are compared with ours."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.management.demo import live_dual_run
from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named


class Command(RefusingCommand):
    """Prints `{"causes", "remarks"}`: sentences on what was found. Again it only reads. `manage.py demo` runs it."""

    help = "Gives a tenant of the demo an older daily job that slept through three nights, and finds out."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which tenant."""
        parser.add_argument("--tenant", metavar="SLUG", required=True, help="one that the demo made")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 for a tenant of somebody else."""
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        shown = live_dual_run(tenant=tenant_named(slug=options["tenant"]), now=now)
        self.stdout.write(json.dumps(asdict(shown)))
