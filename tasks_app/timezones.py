"""Time zone names, by the pinned zone database."""

import zoneinfo

from tasks_app.refusals import Refused


def known_timezone(name: str, *, path: tuple[str, ...] = ()) -> str:
    """The name, if the zone database has it."""
    if name not in zoneinfo.available_timezones():
        raise Refused(f"There is no time zone {name!r}; use an IANA name such as Europe/Stockholm.", path=path)
    return name
