"""Overlay of stored days: the older side beside ours as of their cut-offs, day by day and field by field.

Used inside `entered(...)` of the tenant. Theirs is not kept where both are the same: it is ours then.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from analytics.drift.arithmetic.verdicts import GOOD, Verdict
from analytics.drift.controls import Capability
from analytics.drift.stored_day_checks import STRATUM
from analytics.engine.statements import fetched

# `days[2026-03-01].todo`: the day and the field.
PLACE: Final = re.compile(r"\w+\[(\d{4}-\d\d-\d\d)\]\.(\w+)")

DAYS = """/* drift.overlay_days */
SELECT day, verdict, figures FROM drift_rest
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND day >= %(first)s AND day <= %(last)s ORDER BY day
"""
# The later comparison of a day counts.
DIFFERING = """/* drift.overlay_differing */
SELECT detail FROM drift_comparison
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND stratum = %(stratum)s AND detail <> '{}' ORDER BY id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One stored day. `theirs` is empty where the older side has nothing that makes sense."""

    day: date
    verdict: Verdict
    ours: Mapping[str, int | None]
    theirs: Mapping[str, int | None]


def overlay(*, tenant_id: int, capability: Capability, first: date, last: date) -> list[Day]:
    """The days that were compared at rest, in order."""
    shared: dict[str, Any] = {"tenant": tenant_id, "capability": capability.value}
    differing = _differing(fetched(DIFFERING, **shared, stratum=STRATUM))
    return [
        _day(day, Verdict(verdict), json.loads(figures), differing.get(day.isoformat(), {}))
        for day, verdict, figures in fetched(DAYS, **shared, first=first, last=last)
    ]


def _day(day: date, verdict: Verdict, ours: Mapping[str, int | None], differing: Mapping[str, int | None]) -> Day:
    known = verdict in GOOD or verdict is Verdict.DRIFT
    return Day(day=day, verdict=verdict, ours=ours, theirs={**ours, **differing} if known else {})


def _differing(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, int | None]]:
    """By day and field, what theirs is where it is not ours."""
    found: dict[str, dict[str, int | None]] = {}
    for (detail,) in rows:
        for each in json.loads(detail).get("computation", []):
            place = PLACE.fullmatch(each["path"])
            if place and isinstance(each["theirs"], int | None):
                found.setdefault(place.group(1), {})[place.group(2)] = each["theirs"]
    return found
