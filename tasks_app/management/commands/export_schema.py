"""manage.py export_schema: the GraphQL schema as text, for people and for the test that guards it."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import resolve
from graphql import build_schema, lexicographic_sort_schema, print_schema

from tasks_app.management.refusing import RefusingCommand
from tasks_app.refusals import Refused


class Command(RefusingCommand):
    """Writes the schema that /graphql serves to config/schema.graphql, always in the same order."""

    help = "Writes the schema that /graphql serves to config/schema.graphql."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when the file differs")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "config" / "schema.graphql"
        text = served_schema()
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise Refused("config/schema.graphql is not the schema that is served: run manage.py export_schema.")


def served_schema() -> str:
    """The schema behind /graphql in GraphQL's own language, sorted by name."""
    view: Any = resolve("/graphql").func
    # Built anew from its text: sorting the live one loses how strawberry's enums spell their defaults.
    plain = build_schema(print_schema(view.schema._schema))
    return print_schema(lexicographic_sort_schema(plain)) + "\n"
