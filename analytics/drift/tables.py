"""Comparison tables for people: one row for each comparison, or one for each place in which an answer differed.

To be used inside `entered(...)` of the tenant, until the last row is drawn.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from analytics.drift import store
from analytics.drift.controls import Capability
from analytics.drift.store import Kept
from analytics.pure.zones import ONE_DAY, first_instant, local_date

Cell = str | int | float | datetime | bool | None
DEFAULT_DAYS: Final = store.KEPT.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What it is called, its columns, and the rows that one comparison makes."""

    name: str
    header: Sequence[str]
    rows_of: Callable[[Kept], Iterator[Sequence[Cell]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Whose comparisons, of what, made from when on and before when."""

    tenant_id: int
    capability: Capability
    since: datetime
    until: datetime


def rows(table: Table, stretch: Stretch) -> Iterator[Sequence[Cell]]:
    """The oldest comparison first. However many there are, some hundreds of them are in memory."""
    found = store.stretch(
        tenant_id=stretch.tenant_id, capability=stretch.capability, since=stretch.since, until=stretch.until
    )
    for kept in found:
        yield from table.rows_of(kept)


def days_between(*, first: date | None, end: date | None, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """The instants at which the first local day begins and at which the last one is over: `end` is not among the days.

    Without `first` the days that comparisons are kept for, without `end` until the running day is over.
    """
    last = local_date(instant=now, zone_name=zone) + ONE_DAY if end is None else end
    begun = last - timedelta(days=DEFAULT_DAYS + 1) if first is None else first
    return first_instant(day=begun, zone_name=zone), first_instant(day=last, zone_name=zone)


def _comparison(kept: Kept) -> Iterator[Sequence[Cell]]:
    yield (
        *(kept.id, kept.compared_at, kept.asked_at, kept.capability, kept.stratum, kept.verdict, kept.reason),
        *(kept.signature, kept.definition, kept.basis, kept.legacy_as_of, kept.stage, kept.flag_version),
        *(kept.legacy_ms, kept.candidate_ms, len(_differences(kept)), _left_out(kept)),
    )


def _elements(kept: Kept) -> Iterator[Sequence[Cell]]:
    who: tuple[Cell, ...] = (kept.id, kept.compared_at, kept.verdict)
    for each in _differences(kept):
        yield (*who, each["path"], each["kind"], _cell(each["ours"]), _cell(each["theirs"]))
    if left_out := _left_out(kept):
        yield (*who, f"{left_out} more differences were counted and not kept.", "", None, None)


def _differences(kept: Kept) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = kept.detail.get("computation", ())
    return found


def _left_out(kept: Kept) -> int:
    return int(kept.detail.get("leftOut", 0))


def _cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float) else str(value)


COMPARISONS: Final = Table(
    name="comparisons",
    header=(
        *("id", "comparedAt", "askedAt", "capability", "stratum", "verdict", "reason", "signature", "definition"),
        *("basis", "legacyAsOf", "stage", "flagVersion", "legacyMs", "oursMs", "differences", "notKept"),
    ),
    rows_of=_comparison,
)
DIFFERENCES: Final = Table(
    name="differences",
    header=("comparison", "comparedAt", "verdict", "path", "kind", "ours", "theirs"),
    rows_of=_elements,
)
TABLES: Final = (COMPARISONS, DIFFERENCES)
