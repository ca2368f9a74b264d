"""Options that the commands of this app share."""

from django.core.management.base import CommandParser

from tasks_app.operations.tenants import tenant_named


def add_tenant(parser: CommandParser) -> None:
    """`--tenant SLUG`."""
    parser.add_argument("--tenant", metavar="SLUG", help="this tenant alone; default: all of them")


def tenant_id_of(slug: str | None) -> int | None:
    """The tenant's id; None when none is named. Refused when there is no such tenant."""
    return None if slug is None else tenant_named(slug=slug).id
