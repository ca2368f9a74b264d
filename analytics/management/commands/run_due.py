"""manage.py run_due: everything that is owed, done now."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.jobs.schedule import run_due
from tasks_app.management.refusing import RefusingCommand
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints what each thing did and `seconds`. The worker does the same on its schedule; here nothing waits for it."""

    help = "Does all that is due: folds tails, drops old rollups, sweeps and runs jobs. Again is a no-op."

    def add_arguments(self, parser: CommandParser) -> None:
        """The option of the contract."""
        parser.add_argument("--now", metavar="ISO", help="what is due at this instant; default: now")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 when something could not be done; the rest is."""
        started = time.monotonic()
        done = run_due(now=_instant(options["now"]))
        self.stdout.write(json.dumps({**done, "seconds": round(time.monotonic() - started, 3)}))
        if failed := [f"{name}: {each['failed']}" for name, each in done.items() if "failed" in each]:
            raise Refused("\n".join(failed))


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"--now: {text!r} is no instant; write it as 2026-01-31T12:00:00Z.") from None
    if found.tzinfo is None:
        raise Refused(f"--now: {text!r} has no offset; end it with Z or an offset such as +01:00.")
    return found.astimezone(UTC)
