"""Form values: from what people type to instants, zones and numbers, and from instants to what they read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from django.http.response import HttpResponseBase

from analytics.pure.windows import EARLIEST, LATEST
from analytics.pure.zones import WindowError, first_instant, zone
from tasks_app.admin.visits import Visit
from tasks_app.errors import ApiError
from tasks_app.http.scalars import BIGINT_LIMIT
from tasks_app.refusals import Refused

LONGEST_SHOWN: Final = 40


def answered(
    *, visit: Visit, template: str, frame: Mapping[str, Any], read: Callable[[], Mapping[str, Any]]
) -> HttpResponseBase:
    """The page with what `read` finds; where it refuses, the page with its form as it was sent and the sentence."""
    try:
        found = read()
    except (Refused, ApiError) as refused:
        status = 404 if refused.code == "NOT_FOUND" else 400
        return visit.page(template, status=status, error=refused.message, **frame)
    return visit.page(template, **frame, **found)


def fields(visit: Visit, *names: str) -> dict[str, str]:
    """The fields of a form as they were sent, to show them again."""
    return {name: visit.asked(name) for name in names}


def zone_asked(visit: Visit, *, default: str) -> str:
    """The zone that times are typed in and shown in."""
    try:
        return zone(visit.asked("timezone") or default).key
    except WindowError as error:
        raise Refused(str(error), path=("timezone",)) from None


def instant_asked(visit: Visit, name: str, *, label: str, zone_name: str) -> datetime | None:
    """The instant in that field, None when it is empty. Without an offset it is local time; a date is its beginning."""
    text = visit.asked(name)
    if not text:
        return None
    try:
        found = _parsed(text, zone_name)
    except (ValueError, OverflowError):
        raise Refused(
            f"{label}: {text[:LONGEST_SHOWN]!r} is not a time; give one such as 2026-05-03, 2026-05-03T14:00 or "
            "2026-05-03T14:00:00+02:00.",
            path=(name,),
        ) from None
    if not EARLIEST <= found <= LATEST:
        raise Refused(f"{label}: give a time in the years 1900 to 2200.", path=(name,))
    return found.astimezone(UTC)


def _parsed(text: str, zone_name: str) -> datetime:
    if len(text) == len("2026-05-03"):
        return first_instant(day=date.fromisoformat(text), zone_name=zone_name)
    found = datetime.fromisoformat(text)
    return found if found.utcoffset() is not None else found.replace(tzinfo=zone(zone_name))


def number_asked(visit: Visit, name: str, *, label: str, largest: int = BIGINT_LIMIT - 1) -> int | None:
    """The whole number in that field, None when it is empty."""
    text = visit.asked(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len(str(largest)) or int(text) > largest:
        raise Refused(f"{label}: {text[:LONGEST_SHOWN]!r} is not a whole number from 0 to {largest:,}.", path=(name,))
    return int(text)


def choice_asked(visit: Visit, name: str, *, label: str, known: Sequence[str]) -> str:
    """The value of a choice; the first where none was sent."""
    text = visit.asked(name) or known[0]
    if text not in known:
        raise Refused(f"{label}: {text[:LONGEST_SHOWN]!r} is none of {', '.join(known)}.", path=(name,))
    return text


def local_text(instant: datetime | None, *, zone_name: str) -> str:
    """The instant by the clock of the zone, to the second, with its offset."""
    if instant is None:
        return ""
    local = instant.astimezone(zone(zone_name))
    return local.isoformat(sep=" ", timespec="seconds")


def category_text(category: str) -> str:
    """A category as people write it: "in progress"."""
    return category.lower().replace("_", " ")
