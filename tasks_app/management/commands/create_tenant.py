"""manage.py create_tenant: a new, empty tenant."""

import json
from typing import Any

from django.core.management.base import CommandParser

from tasks_app.management.refusing import RefusingCommand, owner_login
from tasks_app.operations.tenants import create_tenant


class Command(RefusingCommand):
    """Prints `{"tenant": slug}`; refuses a slug that is taken."""

    help = "Makes a new, empty tenant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="its name in addresses: lower-case letters, digits and hyphens")
        parser.add_argument("--name", default="", help="what people call it; default: the slug")
        parser.add_argument("--timezone", default="UTC", help="an IANA zone such as Europe/Stockholm; default: UTC")
        parser.add_argument(
            "--fiscal-year-start", type=int, default=1, metavar="1..12", help="the month its fiscal year starts in"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with owner_login():
            tenant = create_tenant(
                slug=options["slug"],
                name=options["name"],
                timezone=options["timezone"],
                fiscal_year_start_month=options["fiscal_year_start"],
            )
        self.stdout.write(json.dumps({"tenant": tenant.slug}))
