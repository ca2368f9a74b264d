"""manage.py compact: what is in the tail enters the rollups."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.engine.rollups.compact import NotFolded, compact
from analytics.management.options import add_family, add_tenant, families_of, tenant_id_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.progress import Progress
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints `{"facts", "seconds"}`. Answers are the same before and after: they are only faster."""

    help = "Folds the facts that no rollup has yet. A kill loses nothing; again is a no-op."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        add_tenant(parser)
        add_family(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 when a tenant's facts could not be folded; those of the others are."""
        started = time.monotonic()
        tenant_id, families = tenant_id_of(options["tenant"]), families_of(options["family"])
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        try:
            with Progress(label="folding", unit="facts") as progress:
                facts = compact(now=now, tenant_id=tenant_id, families=families, on_facts=progress.add)
        except NotFolded as error:
            raise Refused(str(error)) from error
        self.stdout.write(json.dumps({"facts": facts, "seconds": round(time.monotonic() - started, 3)}))
