"""manage.py export_evidence: all that speaks for or against a tenant's switch, as JSON."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from analytics.drift.evidence import evidence_text
from analytics.drift.stages import stage_of
from analytics.management.options import add_tenant_and_capability, capability_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered


class Command(RefusingCommand):
    """Prints the JSON, or writes it to a file: history, counts by day, gates, drills, expected differences, a digest."""

    help = "Exports what a switch was decided from. A completed switch keeps the same in its last decision."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which switch, and where to."""
        add_tenant_and_capability(parser)
        parser.add_argument("--to", metavar="FILE", help="a file that is not there yet; default: stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reads alone."""
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        tenant, capability = tenant_named(slug=options["tenant"]), capability_of(options["capability"])
        with entered(tenant_id=tenant.id, role=DatabaseRole.AUDITOR, read_only=True):
            standing = stage_of(tenant_id=tenant.id, capability=capability)
            text = evidence_text(standing=standing, zone=tenant.timezone, now=now)
        if options["to"] is None:
            self.stdout.write(text)
            return
        try:
            with Path(options["to"]).open("x", encoding="utf-8") as file:
                file.write(text + "\n")
        except OSError as error:
            raise Refused(f"--to: {options['to']} cannot be written: {error.strerror}.") from None
