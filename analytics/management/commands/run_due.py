"""manage.py run_due: everything that is owed, done now."""

import json
import time
from typing import Any

from django.core.management.base import CommandParser

from analytics.jobs.schedule import run_due
from analytics.management.options import add_now, instant_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints what each thing did and `seconds`. The worker does the same on its schedule; here nothing waits for it."""

    help = "Does all that is due: folds tails, drops old rollups, sweeps and runs jobs. Again is a no-op."

    def add_arguments(self, parser: CommandParser) -> None:
        """The option of the contract."""
        add_now(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 when something could not be done; the rest is."""
        started = time.monotonic()
        done = run_due(now=instant_of(options["now"]))
        self.stdout.write(json.dumps({**done, "seconds": round(time.monotonic() - started, 3)}))
        if failed := [f"{name}: {each['failed']}" for name, each in done.items() if "failed" in each]:
            raise Refused("\n".join(failed))
