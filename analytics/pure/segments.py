"""Segments of a window: which stored rows add up to its figures, as runs of rows of one grain.

A row is known by its bucket. The bucket of an instant is the latest start of the grain's unit, or the latest break,
at or before it. So a row reaches from its bucket to the end of its unit, or to the next break where that is earlier.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache, partial
from itertools import chain
from typing import Final

from analytics.pure.zones import ONE_DAY, first_instant, from_microseconds, to_microseconds


class Grain(IntEnum):
    """How long a stored row's unit is. DAY and MONTH are local dates of one zone, the others follow the UTC clock."""

    MINUTE = 1
    FIVE_MINUTES = 2
    HOUR = 3
    DAY = 4
    MONTH = 5


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows of `grain` whose bucket is in [start, end). Where `grain` is None: the facts that happened in it."""

    grain: Grain | None
    start: datetime
    end: datetime


# In whole microseconds since 1970 UTC, half-open.
Piece = tuple[int, int]

CLOCKS: Final = {
    Grain.MINUTE: timedelta(minutes=1),
    Grain.FIVE_MINUTES: timedelta(minutes=5),
    Grain.HOUR: timedelta(hours=1),
}
CALENDARS: Final = (Grain.DAY, Grain.MONTH)
# Every offset since 1972 is a whole number of these, so that days meet them without a rest.
SHORT: Final = (Grain.MINUTE, Grain.FIVE_MINUTES)
# Before every instant that a datetime can hold.
ALWAYS: Final = -(1 << 62)
NOTHING_DROPPED: Final[Mapping[Grain, datetime]] = {}


@dataclass(frozen=True)
class _Rows:
    """The rows of one grain: `unit` gives the unit that holds an instant; units that begin before `kept` are gone."""

    unit: Callable[[int], Piece]
    breaks: tuple[int, ...]
    kept: int

    def extent(self, instant: int) -> Piece:
        """From where to where the row that holds the instant reaches."""
        start, end = self.unit(instant)
        after = bisect_right(self.breaks, instant)
        if after and self.breaks[after - 1] > start:
            start = self.breaks[after - 1]
        if after < len(self.breaks) and self.breaks[after] < end:
            end = self.breaks[after]
        return start, end


@dataclass(frozen=True)
class _Plan:
    """What is asked, and what there is to answer it. No fact happened before `since`.

    Rows that begin before `since` may be used, unless they begin before `floor`: the edge before `since`, if any.
    """

    edges: tuple[int, ...]
    since: int
    floor: int
    rows: Mapping[Grain, _Rows]

    def meets(self, instant: int) -> bool:
        """Whether minutes, or what there is instead, can begin and end at the instant."""
        for grain in SHORT:
            rows = self.rows.get(grain)
            if rows and rows.kept <= instant:
                return rows.extent(instant)[0] == instant
        return True


def segments(
    *,
    edges: Sequence[datetime],
    zone: str,
    breaks: Sequence[datetime],
    grains: Collection[Grain],
    since: datetime,
    available_since: Mapping[Grain, datetime] = NOTHING_DROPPED,
) -> list[Segment]:
    """Segments in order, without gap or overlap, from `since` to the last edge; none where that is empty.

    No row of a segment reaches over an edge, so each belongs to the interval that holds its bucket; what is before the
    first edge is an interval too. The coarsest rows that fit are taken, and neighbours of one grain are one segment.
    `edges` increase strictly. No fact happened before `since`, so the first segment may begin earlier, with its unit.
    Units of a grain that begin before its `available_since` are not used.
    Facts themselves are asked for only where an edge, or a drop, cuts through the finest rows. One exception: days that
    do not begin on the hour are used even where hours are the finest, as minutes of facts cost less than years of hours.
    """
    if not edges or since >= edges[-1]:
        return []
    plan = _plan(edges, since, _rows(zone, breaks, grains, available_since))
    pieces = sorted(_pieces(plan), key=lambda each: each[1])
    return [Segment(grain, from_microseconds(a), from_microseconds(b)) for grain, (a, b) in _joined(pieces)]


def day_starts(*, start: datetime, end: datetime, zone: str) -> list[datetime]:
    """The starts of all local days that have an instant in [start, end): strictly increasing, the first <= `start`.

    A date that never existed has no start. See `zones.first_instant` for midnights that were skipped or came twice.
    """
    return _unit_starts(Grain.DAY, start, end, zone)


def month_starts(*, start: datetime, end: datetime, zone: str) -> list[datetime]:
    """The starts of all local months that have an instant in [start, end): strictly increasing, the first <= `start`."""
    return _unit_starts(Grain.MONTH, start, end, zone)


def _unit_starts(grain: Grain, start: datetime, end: datetime, zone: str) -> list[datetime]:
    if end <= start:
        return []
    first, last = to_microseconds(start), to_microseconds(end)
    # The local year is at most one away from that of UTC.
    years = range(start.year - 1, end.year + 2)
    found = list(chain.from_iterable(_starts_of_year(zone, grain, year)[:-1] for year in years))
    return [from_microseconds(each) for each in found[bisect_right(found, first) - 1 : bisect_left(found, last)]]


def _plan(edges: Sequence[datetime], since: datetime, rows: Mapping[Grain, _Rows]) -> _Plan:
    instants = tuple(map(to_microseconds, edges))
    begin = to_microseconds(since)
    before = bisect_right(instants, begin)
    return _Plan(instants, begin, instants[before - 1] if before else ALWAYS, _whole_months_kept(instants, rows))


def _whole_months_kept(edges: tuple[int, ...], rows: Mapping[Grain, _Rows]) -> Mapping[Grain, _Rows]:
    """The rows, but days from the next month on, where the month in which they were dropped is there and fits whole."""
    if not rows.keys() >= set(CALENDARS) or rows[Grain.DAY].kept == ALWAYS:
        return rows
    day, month = rows[Grain.DAY], rows[Grain.MONTH]
    start, end = month.extent(day.kept)
    cut = bisect_right(edges, start) < bisect_left(edges, end)
    return rows if cut or start < month.kept else {**rows, Grain.DAY: replace(day, kept=end)}


def _rows(
    zone: str, breaks: Sequence[datetime], grains: Collection[Grain], available_since: Mapping[Grain, datetime]
) -> dict[Grain, _Rows]:
    cuts = tuple(sorted(map(to_microseconds, breaks)))
    units = {grain: _unit_of(grain, zone) for grain in grains}
    return {grain: _Rows(unit, cuts, _kept(unit, available_since.get(grain))) for grain, unit in units.items()}


def _kept(unit: Callable[[int], Piece], available_since: datetime | None) -> int:
    """The start of the first unit that is still there."""
    if available_since is None:
        return ALWAYS
    instant = to_microseconds(available_since)
    start, end = unit(instant)
    return start if start == instant else end


def _unit_of(grain: Grain, zone: str) -> Callable[[int], Piece]:
    if grain in CALENDARS:
        return partial(_calendar_unit, zone, grain)
    return partial(_clock_unit, CLOCKS[grain] // timedelta(microseconds=1))


def _clock_unit(width: int, instant: int) -> Piece:
    start = instant - instant % width
    return start, start + width


def _calendar_unit(zone: str, grain: Grain, instant: int) -> Piece:
    year = from_microseconds(instant).year
    starts = _starts_of_year(zone, grain, year)
    if instant < starts[0]:
        starts = _starts_of_year(zone, grain, year - 1)
    elif instant >= starts[-1]:
        starts = _starts_of_year(zone, grain, year + 1)
    after = bisect_right(starts, instant)
    return starts[after - 1], starts[after]


@lru_cache(maxsize=1024)
def _starts_of_year(zone: str, grain: Grain, year: int) -> tuple[int, ...]:
    """The starts of a local year's units, and last the start of the next year. A date that never existed has none."""
    days = (*_first_days(grain, year), date(year + 1, 1, 1))
    return tuple(sorted({to_microseconds(first_instant(day=day, zone_name=zone)) for day in days}))


def _first_days(grain: Grain, year: int) -> list[date]:
    if grain is Grain.MONTH:
        return [date(year, month, 1) for month in range(1, 13)]
    first = date(year, 1, 1)
    return [first + n * ONE_DAY for n in range((date(year + 1, 1, 1) - first).days)]


def _pieces(plan: _Plan) -> Iterator[tuple[Grain | None, Piece]]:
    """What each grain is used for, in no order."""
    days, rest = _sifted(Grain.DAY, plan, [(plan.since, plan.edges[-1])])
    # Only days know where minutes can take over, so months take from what is days already; that needs no care of theirs.
    months, days = _sifted(Grain.MONTH, plan, days, careful=False)
    yield from _used(Grain.MONTH, plan, months)
    yield from _used(Grain.DAY, plan, days)
    for grain in (Grain.MONTH, Grain.HOUR, Grain.FIVE_MINUTES, Grain.MINUTE):
        fitting, rest = _sifted(grain, plan, rest)
        yield from _used(grain, plan, fitting)
    yield from ((None, piece) for piece in rest)


def _used(grain: Grain, plan: _Plan, pieces: Iterable[Piece]) -> Iterator[tuple[Grain | None, Piece]]:
    """The pieces, of which one that begins with the history begins with its first row."""
    for start, end in pieces:
        yield grain, (plan.rows[grain].extent(start)[0] if start == plan.since else start, end)


def _joined(pieces: Iterable[tuple[Grain | None, Piece]]) -> list[tuple[Grain | None, Piece]]:
    """Neighbours of one grain made one."""
    joined: list[tuple[Grain | None, Piece]] = []
    for grain, (start, end) in pieces:
        if joined and joined[-1][0] == grain:
            start = joined.pop()[1][0]
        joined.append((grain, (start, end)))
    return joined


def _sifted(
    grain: Grain, plan: _Plan, pieces: Sequence[Piece], *, careful: bool = True
) -> tuple[list[Piece], list[Piece]]:
    """What whole rows of the grain fill, and what they do not."""
    rows = plan.rows.get(grain)
    if rows is None:
        return [], list(pieces)
    widened = careful and grain in CALENDARS
    fitting: list[Piece] = []
    rest: list[Piece] = []
    for start, end in pieces:
        at = start
        for low, high in _holes(rows, plan, start, end, widened=widened):
            if low > at:
                fitting.append((at, low))
            if high > at:
                _add(rest, max(low, at), high)
                at = high
        if at < end:
            fitting.append((at, end))
    return fitting, rest


def _add(pieces: list[Piece], start: int, end: int) -> None:
    """One more piece, joined with the last where it touches it: a finer grain then sees them as one."""
    if pieces and pieces[-1][1] == start:
        start = pieces.pop()[0]
    pieces.append((start, end))


def _holes(rows: _Rows, plan: _Plan, start: int, end: int, *, widened: bool) -> Iterator[Piece]:
    """The parts of [start, end) whose rows are gone or are cut by an edge or an end, by their starts; may overlap."""
    begin = min(max(start, rows.kept), end)
    within = plan.edges[bisect_right(plan.edges, begin) : bisect_left(plan.edges, end)]
    cuts = (begin, *within, end) if begin < end else (end,)
    if begin > start:
        yield start, _later(rows, plan, begin, cuts[min(1, len(cuts) - 1)]) if widened else begin
    at = 0
    while at < len(cuts):
        low, high = rows.extent(cuts[at])
        if low == cuts[at] or _opens(rows, plan, cuts[at]):
            at += 1
            continue
        after = bisect_left(cuts, high, at + 1)
        low, high = max(low, begin), min(high, end)
        if widened:
            low = _earlier(rows, plan, low, cuts[max(at - 1, 0)])
            high = _later(rows, plan, high, cuts[min(after, len(cuts) - 1)])
        yield low, high
        at = after


def _opens(rows: _Rows, plan: _Plan, instant: int) -> bool:
    """Whether the history begins at the instant and its first row, if it was kept, may be used whole."""
    return instant == plan.since and rows.extent(instant)[0] >= plan.floor


def _earlier(rows: _Rows, plan: _Plan, low: int, previous: int) -> int:
    """`low`, or the row before it at which minutes can take over; `low` where there is none down to that cut."""
    at = low
    while at > previous and not plan.meets(at):
        at = rows.extent(at - 1)[0]
    if at > previous or plan.meets(at):
        return at
    # Minutes fill the row that the cut goes through as well, and may begin before the history.
    return previous if at < previous or previous == plan.since > plan.floor else low


def _later(rows: _Rows, plan: _Plan, high: int, following: int) -> int:
    """`high`, or the end of a row after it at which minutes can take over; `high` where there is none up to that cut."""
    at = high
    while at < following and not plan.meets(at):
        at = rows.extent(at)[1]
    if at < following or (at == following and plan.meets(at)):
        return at
    return following if at > following else high
