"""manage.py export_drift: comparisons of a stretch of days as CSV, for people."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from analytics.drift.tables import TABLES, Stretch, days_between, rows
from analytics.management.options import add_tenant_and_capability, capability_of
from tasks_app.admin.downloads import csv_lines
from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

SECONDS = 600


class Command(RefusingCommand):
    """Prints CSV, or writes it to a file: a line for each comparison, or for each place in which an answer differed."""

    help = "Exports comparisons as CSV. They are kept for 30 days."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_and_capability(parser)
        parser.add_argument(
            "--from", metavar="DATE", dest="first", help="the first local day; default: all that is kept"
        )
        parser.add_argument(
            "--to", metavar="DATE", dest="end", help="the first day that is left out; default: tomorrow"
        )
        parser.add_argument("--what", choices=[table.name for table in TABLES], default=TABLES[0].name)
        parser.add_argument("--format", choices=("csv",), default="csv")
        parser.add_argument("--file", metavar="FILE", help="a file that is not there yet; default: stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Reads alone."""
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        tenant, capability = tenant_named(slug=options["tenant"]), capability_of(options["capability"])
        first, end = _date(options["first"], "--from"), _date(options["end"], "--to")
        since, until = days_between(first=first, end=end, zone=tenant.timezone, now=now)
        if since >= until:
            raise Refused("--from: give a day before --to, which is the first day that is left out.")
        stretch = Stretch(tenant_id=tenant.id, capability=capability, since=since, until=until)
        table = next(table for table in TABLES if table.name == options["what"])
        with entered(tenant_id=tenant.id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=SECONDS):
            self._write(csv_lines(table.header, rows(table, stretch)), options["file"])

    def _write(self, pieces: Iterator[str], name: str | None) -> None:
        if name is None:
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        try:
            with Path(name).open("x", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
        except OSError as error:
            raise Refused(f"--file: {name} cannot be written: {error.strerror}.") from None


def _date(text: str | None, option: str) -> date | None:
    try:
        found = None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{option}: {text!r} is no date; write it as 2026-01-31.") from None
    if found is not None and not 1900 <= found.year <= 2200:
        raise Refused(f"{option}: give a day in the years 1900 to 2200.")
    return found
