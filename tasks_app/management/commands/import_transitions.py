"""manage.py import_transitions: a CSV file of transitions into a project."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from tasks_app.imports.transitions import Imported, ImportOrder, import_transitions
from tasks_app.imports.workflow import read_workflow, written
from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named
from tasks_app.progress import Progress


class Command(RefusingCommand):
    """Imports a CSV or CSV.gz file with the columns case_id, timestamp, state (and actor, title, event_id, if there).

    All of it or nothing. Prints what was done as one JSON object; a second import of the same rows adds nothing.
    """

    help = "Imports transitions from a CSV or CSV.gz file, whole or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--project", required=True, metavar="KEY", help="made when it is not there")
        parser.add_argument(
            "--workflow", metavar="STATES", help='such as "Queued:todo,Wait:in_progress:waiting,Done:done"'
        )
        parser.add_argument("--timezone", metavar="ZONE", help="of timestamps that have no offset")
        parser.add_argument("--source", default="csv", metavar="NAME", help="who tells; with it an event is told once")
        parser.add_argument(
            "--quarantine", type=Path, metavar="FILE", help="where bad rows go; the others are imported"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Guessed states are told on stderr, too."""
        started = time.monotonic()
        imported = _imported(options)
        if imported.guessed:
            self.stderr.write(f"States were made with guessed categories: {written(imported.guessed)}")
        self.stdout.write(json.dumps(_answer(imported, seconds=time.monotonic() - started)))


def _imported(options: dict[str, Any]) -> Imported:
    order = ImportOrder(
        path=options["file"],
        project_key=options["project"],
        source=options["source"],
        workflow=None if options["workflow"] is None else read_workflow(options["workflow"]),
        timezone=options["timezone"],
        quarantine=options["quarantine"],
    )
    tenant = tenant_named(slug=options["tenant"])
    now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
    with Progress(label=f"importing {order.path.name}", unit="rows") as progress:
        return import_transitions(tenant=tenant, order=order, now=now, on_rows=progress.add)


def _answer(imported: Imported, *, seconds: float) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "rows": imported.rows,
        "tasks": imported.tasks,
        "transitions": imported.transitions,
        "unchanged": imported.unchanged,
        "duplicates": imported.duplicates,
        "rejected": imported.rejected,
        "seconds": round(seconds, 3),
    }
    return counts | ({"workflow": written(imported.guessed)} if imported.guessed else {})
