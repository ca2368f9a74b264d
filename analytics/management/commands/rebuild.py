"""manage.py rebuild: rollups and the other derived tables, made anew from the ledger."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.engine.rollups.rebuild import rebuild
from analytics.management.options import add_family, add_tenant, families_of, tenant_id_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.progress import Progress


class Command(RefusingCommand):
    """Prints `{"rebuilt", "seconds"}`: how many families of how many tenants were made anew."""

    help = "Makes rollups anew from the ledger, tenant by tenant. Answers stay right throughout."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        add_tenant(parser)
        add_family(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Changes nothing when the tenant or the family is not known."""
        started = time.monotonic()
        tenant_id, families = tenant_id_of(options["tenant"]), families_of(options["family"])
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        with Progress(label="rebuilding", unit="tenants") as progress:
            made = rebuild(now=now, tenant_id=tenant_id, families=families, on_done=lambda _: progress.add(1))
        self.stdout.write(json.dumps({"rebuilt": made, "seconds": round(time.monotonic() - started, 3)}))
