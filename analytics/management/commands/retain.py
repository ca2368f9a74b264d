"""manage.py retain: old fine rows of the rollups go."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.engine.retention import retain
from analytics.management.options import add_family, add_tenant, families_of, tenant_id_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.progress import Progress
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints `{"rows", "seconds", "refused"}`. The ledger answers for what is dropped."""

    help = "Drops rollups that are older than they are kept, once they are proved right. Again is a no-op."

    def add_arguments(self, parser: CommandParser) -> None:
        """`manage.py retention` says how long they are kept."""
        add_tenant(parser)
        add_family(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 when a tenant's rollups are not what the ledger says: nothing of that tenant is dropped."""
        started = time.monotonic()
        tenant_id, families = tenant_id_of(options["tenant"]), families_of(options["family"])
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        with Progress(label="retention", unit="tenants") as progress:
            retained = retain(now=now, tenant_id=tenant_id, families=families, on_done=lambda _: progress.add(1))
        seconds = round(time.monotonic() - started, 3)
        self.stdout.write(json.dumps({"rows": retained.rows, "seconds": seconds, "refused": list(retained.refused)}))
        if retained.refused:
            raise Refused("\n".join(retained.refused))
