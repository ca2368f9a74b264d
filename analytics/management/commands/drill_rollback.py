"""manage.py drill_rollback: shows that there is a way back from our answers to the older ones."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.drift.rollback import drill
from analytics.management.options import add_tenant_and_capability, capability_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints `{"seconds", "ok"}`: how long after the flip the last new answer was given, and whether all went well."""

    help = "Flips a tenant's switch back, measures, compares with the older answers, and restores it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of the contract."""
        add_tenant_and_capability(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Afterwards the stage is what it was. Exit 1 when there is no way back, with the reasons."""
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        tenant = tenant_named(slug=options["tenant"])
        capability = capability_of(options["capability"])
        try:
            with _stopped_by_signals():
                made = drill(tenant_id=tenant.id, capability=capability, now=now)
        except KeyboardInterrupt:
            raise Refused("The drill was stopped; the stage is what it was.") from None
        self.stdout.write(json.dumps({"seconds": made.seconds, "ok": made.ok}))
        if not made.ok:
            raise Refused(" ".join(made.problems))


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Inside, what ends a process is as Ctrl-C: the stage is restored first."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
