"""manage.py export_ledger: a tenant's sealed ledgers as files that can be checked without PostgreSQL."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named
from tasks_app.progress import Progress
from tasks_app.seals.exporting import export_ledger
from tasks_app.tenancy import DatabaseRole, entered


class Command(RefusingCommand):
    """Prints `{"seals", "rows", "head"}`. Check it by `python -m tasks_app.verify_export DIR`; keep the head elsewhere."""

    help = "Writes all that is sealed of a tenant's ledgers to a new directory."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and where to."""
        parser.add_argument("--tenant", metavar="SLUG", required=True, help="whose ledgers")
        parser.add_argument(
            "--to", metavar="DIR", required=True, type=Path, help="a directory that is empty or not there"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """In one snapshot."""
        tenant = tenant_named(slug=options["tenant"])
        with (
            entered(tenant_id=tenant.id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=3_600),
            Progress(label="exporting", unit="rows") as progress,
        ):
            written = export_ledger(tenant_id=tenant.id, to=options["to"], on_rows=progress.add)
        self.stdout.write(json.dumps({"seals": written.seals, "rows": written.rows, "head": written.head}))
