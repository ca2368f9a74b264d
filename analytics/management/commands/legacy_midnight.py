"""manage.py legacy_midnight: the old endpoints' daily job."""

import json
from typing import Any

from django.core.management.base import CommandParser

from analytics.legacy.midnight import count_midnights
from analytics.management.options import add_now, add_tenant, instant_of, tenant_id_of
from tasks_app.management.refusing import RefusingCommand


class Command(RefusingCommand):
    """Prints `{"days"}`: how many days were counted. Again is a no-op."""

    help = "Counts the board of every tenant whose local day began within the last hour. A later run misses the day."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant(parser)
        add_now(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        now = instant_of(options["now"])
        self.stdout.write(json.dumps({"days": count_midnights(now=now, tenant_id=tenant_id_of(options["tenant"]))}))
