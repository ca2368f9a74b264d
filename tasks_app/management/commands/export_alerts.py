"""manage.py export_alerts: alerting rules for Prometheus."""

import json
from typing import Any

from django.conf import settings

from tasks_app.management.refusing import RefusingCommand
from tasks_app.observing.alerts import rules


class Command(RefusingCommand):
    """Prints a rule file, as JSON, which is YAML. Asks no database."""

    help = (
        "Prints alerting rules for Prometheus, made from what is promised of the answers (FLOWLEDGER_SERVICE_LEVELS)."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(rules(settings.FLOWLEDGER_SERVICE_LEVELS), indent=2))
