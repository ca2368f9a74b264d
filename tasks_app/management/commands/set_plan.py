"""manage.py set_plan: how much a tenant's requests may cost."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from tasks_app.management.refusing import RefusingCommand, owner_login
from tasks_app.operations.tenants import tenant_named
from tasks_app.rate.plan_changes import set_plan
from tasks_app.rate.plans import PLAN_FIELDS
from tasks_app.tenancy import entered


class Command(RefusingCommand):
    """Prints the whole plan as it is now. Web processes go by it within 10 s."""

    help = "Changes a tenant's plan: points of a caller and of the tenant, and how many requests may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the tenant")
        for name in PLAN_FIELDS:
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        changes = {name: options[name] for name in PLAN_FIELDS if options[name] is not None}
        with owner_login():
            tenant = tenant_named(slug=options["slug"])
            with entered(tenant_id=tenant.id, role=None):
                plan = set_plan(tenant_id=tenant.id, changes=changes)
        self.stdout.write(json.dumps({"tenant": tenant.slug, **asdict(plan)}))
