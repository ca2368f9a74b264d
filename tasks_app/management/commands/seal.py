"""manage.py seal: what is settled of the ledgers is hashed into the chain of seals."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from tasks_app.management.refusing import RefusingCommand
from tasks_app.models import Tenant
from tasks_app.operations.tenants import tenant_named
from tasks_app.progress import Progress
from tasks_app.seals.sealing import seal


class Command(RefusingCommand):
    """Prints `{"seals", "rows", "seconds"}`: how many seals were made, over how many rows. Again is a no-op."""

    help = "Seals the settled rows of the ledgers: what is sealed can be proven, and a change of it found."

    def add_arguments(self, parser: CommandParser) -> None:
        """One tenant, or all."""
        parser.add_argument("--tenant", metavar="SLUG", help="this tenant alone; default: all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tenant by tenant, a transaction each."""
        begun = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        slug, seals, rows = options["tenant"], 0, 0
        tenants = (
            [tenant_named(slug=slug).id] if slug else list(Tenant.objects.order_by("id").values_list("id", flat=True))
        )
        with Progress(label="sealing", unit="rows") as progress:
            for tenant_id in tenants:
                made = seal(tenant_id=tenant_id, now=begun)
                seals, rows = seals + made.seals, rows + made.rows
                progress.add(made.rows)
        took = datetime.now(UTC) - begun  # noqa: TID251
        self.stdout.write(json.dumps({"seals": seals, "rows": rows, "seconds": round(took.total_seconds(), 3)}))
