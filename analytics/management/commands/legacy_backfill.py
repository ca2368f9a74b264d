"""manage.py legacy_backfill: history for the old endpoints, made up from the board of today."""

import json
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import CommandParser

from analytics.legacy.midnight import backfill, organisations
from analytics.management.options import tenant_id_of
from tasks_app.management.refusing import RefusingCommand
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Prints `{"invented"}`: how many days were filled. Days that were counted stay as they are."""

    help = (
        "Fills missing days with the board as it is now. That is not what the board was: the dual run calls it drift."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", required=True, help="whose days")
        parser.add_argument("--from", metavar="DATE", required=True, dest="first", help="the first day")
        parser.add_argument("--to", metavar="DATE", required=True, dest="last", help="the last day")

    def handle(self, *args: Any, **options: Any) -> None:
        (organisation,) = organisations(tenant_id=tenant_id_of(options["tenant"]))
        first, last = _date(options["first"], "--from"), _date(options["last"], "--to")
        now = datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
        invented = backfill(organisation=organisation, first=first, last=last, now=now)
        self.stdout.write(json.dumps({"invented": invented}))


def _date(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(f"{option}: {text!r} is no date; write it as 2026-01-31.") from None
