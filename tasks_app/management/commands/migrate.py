"""Django's migrate, as the owner of the tables."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Makes or updates the schema, roles, policies and triggers; again is a no-op."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection: Any = connections[options["database"]]
        with connection.owner_login():
            super().handle(*args, **options)
