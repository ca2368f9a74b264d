"""Capabilities that can be compared: where the older answer is, its shape, comparators and cut-off, our side of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from analytics.drift.arithmetic.comparing import Comparator, Exact, Fields
from analytics.drift.controls import Capability, FailureKind, LegacyFailure
from analytics.engine.reading.compared_figures import ComparedFigures
from analytics.flow.family import VERSION
from analytics.flow.reading.old_diagram import OLD_DIAGRAM
from analytics.pure.cutoffs import Cutoff
from analytics.pure.zones import ONE_DAY, first_instant

# A count has no more digits than a column of integers holds; JSON may say a thousand of them.
TOO_MANY: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One capability. Its answer is a list of `elements`, told apart by `key`, which is a local date.

    `grace` is how long after its cut-off an element may be late before it is missing. `cutoff` is that of an element whose
    answer does not say; `ends` is up to when our answer of today counts for it. `ours` is what a wing declares of these
    figures.
    """

    capability: Capability
    path: str
    definition: str
    elements: str
    key: str
    each: Comparator
    grace: timedelta
    refused: Callable[[Mapping[str, Any], str], LegacyFailure | None]
    cutoff: Callable[[str, str], Cutoff]
    ends: Callable[[str, str], datetime]
    ours: ComparedFigures


def declaration_of(capability: Capability) -> Declaration | None:
    """None for what has no machinery yet."""
    return DECLARED.get(capability)


def begins(day: str, zone: str) -> Cutoff:
    """A count for a day is taken as it begins, and so shows the end of the day before."""
    return Cutoff(happened_before=first_instant(day=date.fromisoformat(day), zone_name=zone))


def ends(day: str, zone: str) -> datetime:
    """The end of a local day, which is what our answer for that day shows."""
    return first_instant(day=date.fromisoformat(day) + ONE_DAY, zone_name=zone)


def refused_days(body: Mapping[str, Any], slug: str) -> LegacyFailure | None:
    """Why the old diagram cannot be read; None when it can. Another tenant's numbers are never compared with ours."""
    if body.get("organisation") != slug:
        return LegacyFailure(kind=FailureKind.FOREIGN, reason="The older answer is not of this organisation.")
    days = body.get("days")
    if not isinstance(days, list) or not all(isinstance(each, Mapping) and _is_date(each.get("date")) for each in days):
        return _shape("The older answer has no list of days with their dates.")
    dates = [each["date"] for each in days]
    if any(earlier >= later for earlier, later in pairwise(dates)):
        return _shape("The days of the older answer are not in order, or one is there twice.")
    wrong = next(
        (each["date"] for each in days if not all(_is_count(each.get(kind)) for kind in OLD_DIAGRAM.names)), None
    )
    if wrong is not None:
        return LegacyFailure(
            kind=FailureKind.CONTENT, reason=f"The older answer has something else than counts for {wrong}."
        )
    return None


def _shape(reason: str) -> LegacyFailure:
    return LegacyFailure(kind=FailureKind.SHAPE, reason=reason)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < TOO_MANY


DECLARED: Final[Mapping[Capability, Declaration]] = {
    Capability.CUMULATIVE_FLOW: Declaration(
        capability=Capability.CUMULATIVE_FLOW,
        path="/api/v1/analytics/cfd",
        definition=VERSION,
        elements="days",
        key="date",
        each=Fields({"date": Exact(), **{kind: Exact() for kind in OLD_DIAGRAM.names}}),
        grace=timedelta(hours=1),
        refused=refused_days,
        cutoff=begins,
        ends=ends,
        ours=OLD_DIAGRAM,
    )
}
