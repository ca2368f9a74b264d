"""Options that the commands of this app share."""

from datetime import UTC, datetime

from django.core.management.base import CommandParser

from analytics.drift.controls import Capability
from analytics.engine.families import families, family_named
from analytics.engine.family import Family
from tasks_app.operations.tenants import tenant_named
from tasks_app.refusals import Refused


def add_tenant(parser: CommandParser) -> None:
    """`--tenant SLUG`."""
    parser.add_argument("--tenant", metavar="SLUG", help="this tenant alone; default: all of them")


def tenant_id_of(slug: str | None) -> int | None:
    """The tenant's id; None when none is named. Refused when there is no such tenant."""
    return None if slug is None else tenant_named(slug=slug).id


def add_family(parser: CommandParser) -> None:
    """`--family F`."""
    parser.add_argument("--family", metavar="F", help="this family of facts alone; default: all of them")


def families_of(name: str | None) -> tuple[Family, ...]:
    """The family of that name; all of them when none is named. Refused when there is none of that name."""
    return families() if name is None else (family_named(name),)


def add_now(parser: CommandParser) -> None:
    """`--now ISO`."""
    parser.add_argument("--now", metavar="ISO", help="what is due at this instant; default: now")


def instant_of(text: str | None) -> datetime:
    """The instant in UTC; now when none is given. Refused when it is none, or has no offset."""
    if text is None:
        return datetime.now(UTC)  # noqa: TID251 - a command is where the clock is read
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"--now: {text!r} is no instant; write it as 2026-01-31T12:00:00Z.") from None
    if found.tzinfo is None:
        raise Refused(f"--now: {text!r} has no offset; end it with Z or an offset such as +01:00.")
    return found.astimezone(UTC)


def add_tenant_and_capability(parser: CommandParser) -> None:
    """`--tenant SLUG --capability C`, both needed."""
    parser.add_argument("--tenant", metavar="SLUG", required=True, help="the tenant")
    parser.add_argument("--capability", metavar="C", required=True, help=", ".join(Capability))


def capability_of(name: str) -> Capability:
    """The capability of that name. Refused when there is none."""
    try:
        return Capability(name)
    except ValueError:
        raise Refused(f"--capability: there is no {name!r}; there are {', '.join(Capability)}.") from None
