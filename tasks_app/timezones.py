"""Time zones by name, from the pinned zone database alone."""

import zoneinfo

from tasks_app.refusals import Refused

# The system's files would win over the pinned package, and two machines would then read a local time differently.
zoneinfo.reset_tzpath(to=())


def known_timezone(name: str, *, path: tuple[str, ...] = ()) -> str:
    """The name, if the zone database has it."""
    if name not in zoneinfo.available_timezones():
        raise Refused(f"There is no time zone {name!r}; use an IANA name such as Europe/Stockholm.", path=path)
    return name


def rules_of(name: str) -> zoneinfo.ZoneInfo:
    """The rules of a zone that the database has."""
    # no_cache: a zone that was loaded before this module may still hold the system's rules.
    return zoneinfo.ZoneInfo.no_cache(name)
