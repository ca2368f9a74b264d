"""Durations of items over a window: time in states, cycle time, lead time, flow efficiency."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from analytics.flow.figures import durations as pure
from analytics.flow.figures.completion import Finished, done_states, grouped
from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.figures.durations import Eras, Policy
from analytics.flow.figures.journeys import Journeys, added_up, journeys
from analytics.flow.figures.journeys import episodes as episodes_of
from analytics.flow.figures.journeys import spans as spans_of
from analytics.flow.figures.start_and_finish import by_category, by_pair, finished_states
from analytics.flow.figures.workflow import CANCELLED, DONE, EVER, StateDefinition
from analytics.flow.reading.board_definitions import BoardDefinitions
from analytics.flow.reading.sources import Source
from analytics.flow.replay.durations import JOURNEYS, STAYS, unpacked
from analytics.flow.replay.task_names import ItemName, names_of
from analytics.pure import histogram
from analytics.pure.histogram import Histogram, PercentileMethod, method_of
from analytics.pure.local_days import Calendar, LocalDays
from analytics.pure.spans import Numbers, Spans
from analytics.pure.zones import MICROSECOND, from_microseconds, to_microseconds

NONE: Final = timedelta(0)
# By whether an item left the board, and whether it went back.
FLAGS: Final[Mapping[tuple[bool, bool], Sequence[str]]] = {
    (False, False): (),
    (False, True): ("RETURNED_TO_TODO",),
    (True, False): ("LEFT_THE_BOARD",),
    (True, True): ("LEFT_THE_BOARD", "RETURNED_TO_TODO"),
}


class Clip(StrEnum):
    """What of a visit counts. CLIP: the part inside the window. FULL: the whole of a visit that ends in it."""

    CLIP = "CLIP"
    FULL = "FULL"


class RatioStatus(StrEnum):
    """Why a ratio has no value: nothing to divide by, or nothing set up to count."""

    OK = "OK"
    NO_DATA = "NO_DATA"
    NOT_CONFIGURED = "NOT_CONFIGURED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInState:
    """One state's closed visits, and apart from them those that last. What there is none of has no mean or percentile."""

    state: StateDefinition
    visits: int
    total: timedelta
    p50: timedelta | None
    p85: timedelta | None
    p95: timedelta | None
    longest: timedelta | None
    ongoing_visits: int
    ongoing: timedelta

    @property
    def method(self) -> PercentileMethod:
        """How the percentiles are told."""
        return method_of(self.visits)

    @property
    def mean(self) -> timedelta | None:
        """Of the closed visits, to the microsecond."""
        return self.total / self.visits if self.visits else None

    @property
    def waited(self) -> timedelta:
        """Closed and ongoing visits together."""
        return self.total + self.ongoing


class Point(NamedTuple):
    """One finished item. `identity` names it in digests; all times are microseconds."""

    key: str
    identity: str
    started_at: int
    finished_at: int
    length: int
    days: int
    episodes: int
    flags: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Finished items in columns, in one order; without names where nobody looks at single items."""

    names: Sequence[tuple[str, str]]
    started_at: Numbers
    finished_at: Numbers
    length: Numbers
    days: Numbers
    episodes: Numbers
    flags: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class DurationSummary:
    """Finished items; those that have no duration are counted apart. `policy` None: lead time."""

    policy: Policy | None
    calendar: Calendar
    timed: Timed
    never_started: int
    inferred: int

    @property
    def items(self) -> int:
        """How many have a duration."""
        return len(self.timed.length)

    def points(self) -> list[Point]:
        """The items, oldest finish first, those of one instant by key; none where they were not asked for."""
        return self._points

    def mean(self) -> timedelta | None:
        """To the microsecond."""
        return timedelta(microseconds=added_up(self.timed.length)) / self.items if self.items else None

    def percentile(self, percent: int) -> timedelta | None:
        """The duration of one of the items, by nearest rank; of very many within 1 % of it."""
        is_exact = self.method is PercentileMethod.EXACT
        found = pure.percentile(self._lengths, percent) if is_exact else self._histogram.percentile(percent)
        return None if found is None else timedelta(microseconds=found)

    @property
    def method(self) -> PercentileMethod:
        """How the percentiles of durations are told; those of days are always exact."""
        return method_of(self.items)

    def percentile_of_days(self, percent: int) -> int | None:
        """As `percentile`, in local dates."""
        return pure.percentile(self._days, percent)

    @cached_property
    def _lengths(self) -> list[int]:
        return _listed(np.sort(self.timed.length))

    @cached_property
    def _histogram(self) -> Histogram:
        return histogram.histogram(self.timed.length)

    @cached_property
    def _days(self) -> list[int]:
        return _listed(np.sort(self.timed.days))

    @cached_property
    def _points(self) -> list[Point]:
        its = self.timed
        columns = (its.started_at, its.finished_at, its.length, its.days, its.episodes)
        rows = zip(*map(_listed, columns), its.flags, strict=True)
        points = [Point(*name, *row) for name, row in zip(its.names, rows, strict=True)] if its.names else []
        return sorted(points, key=lambda point: (point.finished_at, point.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of sums; its parts are there where it has no value, too."""

    status: RatioStatus
    numerator: timedelta
    denominator: timedelta


@dataclass(kw_only=True)
class Durations:
    """The durations of one question. Each statement runs at most once. `groups` are the states as the answer shows them.

    Of an actor: the visits that the actor's facts ended, and the items whose lasting finish they began; nothing is ongoing.
    """

    source: Source
    defined: BoardDefinitions
    groups: Sequence[Sequence[StateDefinition]]
    _journeys_of: dict[tuple[str | None, str | None], Journeys] = field(default_factory=dict, init=False)
    _names: dict[int, ItemName] = field(default_factory=dict, init=False)

    @property
    def frame(self) -> Frame:
        """The window in pieces."""
        return self.defined.frame

    def time_in_state(self, *, clip: Clip) -> list[TimeInState]:
        """The states in the order of the workflow, cancelled ones apart: those in use, and those in which anything was."""
        groups = [kept for group in self.groups if (kept := [each for each in group if each.category != CANCELLED])]
        window = self.frame.window
        values = {
            **_columns(grouped(groups)),
            "horizon": min(window.end, self.defined.question.now),
            "clip": window.start if clip is Clip.CLIP else EVER,
            "from": window.start,
            "stocks": self.defined.question.holds_items,
            "most_exact": histogram.MOST_EXACT,
            "bin_width": histogram.WIDTH,
        }
        rows = {row[0]: row[1:] for row in self.source.rows(STAYS, values=values)}
        return [
            _time_in_state(group[0], rows.get(number))
            for number, group in enumerate(groups, start=1)
            if number in rows or any(self._is_in_use(each) for each in group)
        ]

    def _is_in_use(self, state: StateDefinition) -> bool:
        return state.state_id in self.frame.epochs[-1] and not state.archived

    def bottlenecks(self, *, first: int) -> list[TimeInState]:
        """The states with most time inside the window, the most first; time in DONE is no waiting."""
        found = [each for each in self._clipped if each.state.category != DONE and each.waited]
        return sorted(found, key=lambda each: each.waited, reverse=True)[:first]

    @cached_property
    def _clipped(self) -> list[TimeInState]:
        return self.time_in_state(clip=Clip.CLIP)

    def cycle_time(
        self,
        *,
        policy: Policy,
        start: str | None,
        finish: str | None,
        calendar: Calendar = Calendar.ELAPSED,
        points: bool = True,
    ) -> DurationSummary:
        """From start to finish of what finished in the window; PairError names a state that cannot be one of the two."""
        found = self._journeys(start, finish)
        spans = spans_of(found, policy=policy)
        without = np.ones(len(found.tasks), dtype=bool)
        without[spans.item] = False
        inferred = int((without & found.inferred).sum())
        of_first = policy is Policy.FIRST_START_LAST_FINISH
        return DurationSummary(
            policy=policy,
            calendar=calendar,
            timed=self._timed(found, spans, flagged=of_first, calendar=calendar, points=points),
            never_started=int(without.sum()) - inferred,
            inferred=inferred,
        )

    def lead_time(self, *, calendar: Calendar = Calendar.ELAPSED, points: bool = True) -> DurationSummary:
        """From the first arrival on the board to the finish."""
        found = self._journeys(None, None)
        timed = self._timed(found, found.lifetimes, flagged=True, calendar=calendar, points=points)
        return DurationSummary(policy=None, calendar=calendar, timed=timed, never_started=0, inferred=0)

    def flow_efficiency(self) -> Ratio:
        """The share of the time from first start to finish in which the items were worked on and did not wait."""
        found = self._journeys(None, None)
        times = spans_of(found, policy=Policy.FIRST_START_LAST_FINISH)
        elapsed = added_up(times.end - times.begin)
        active = added_up((found.until - found.at)[found.active])
        with_value = RatioStatus.OK if elapsed else RatioStatus.NO_DATA
        return Ratio(
            status=with_value if self._has_waiting else RatioStatus.NOT_CONFIGURED,
            numerator=timedelta(microseconds=active),
            denominator=timedelta(microseconds=elapsed),
        )

    def finished(self) -> list[Finished]:
        """As the statement of analytics.flow.replay.completion has it, of the journeys that are read for times."""
        edges = [to_microseconds(edge) for edge in self.frame.edges]
        pieces = np.searchsorted(edges, self._journeys(None, None).finish, side="right")
        return [Finished(piece, count) for piece, count in Counter(pieces.tolist()).items()]

    def _journeys(self, start: str | None, finish: str | None) -> Journeys:
        asked = (start, finish)
        if asked not in self._journeys_of:
            self._journeys_of[asked] = self._read_journeys(start, finish)
        return self._journeys_of[asked]

    def _read_journeys(self, start: str | None, finish: str | None) -> Journeys:
        begin = self.frame.window.start
        eras, done = self.cycle_states(start, finish)
        rows = self.source.rows(JOURNEYS, values={"done": sorted(done), "from": begin}, touched_since=begin)
        return journeys(entries=unpacked(rows), done=done, eras=eras, begin=to_microseconds(begin))

    def cycle_states(self, start: str | None, finish: str | None) -> tuple[Eras, frozenset[int]]:
        """What states mean through time, and those that finish; PairError names a state that cannot be one of the two."""
        if start is None and finish is None:
            return by_category(self._eras, first=self.frame.first), frozenset(done_states(self.frame))
        eras = by_pair(self.frame.epochs[-1], start=start, finish=finish)
        return eras, finished_states(eras)

    @cached_property
    def _eras(self) -> list[tuple[datetime, Any]]:
        """The definitions that held before the window's end, each from when on."""
        changes = self.defined.workflows.changes(after=EVER, before=self.frame.window.end)
        return [(instant, self.defined.workflows.in_force(instant)) for instant in (EVER, *changes)]

    @property
    def _has_waiting(self) -> bool:
        return any(state.waiting for _, definitions in self._eras for state in definitions.values())

    def _timed(self, found: Journeys, spans: Spans, *, flagged: bool, calendar: Calendar, points: bool) -> Timed:
        firsts = spans.firsts
        items, days = spans.item[firsts], self.days(found, spans)
        episodes = np.bincount(episodes_of(found).item, minlength=len(found.tasks)) if points else found.finish
        return Timed(
            names=self._names_of(found.tasks[items].tolist()) if points else (),
            started_at=spans.begin[firsts],
            finished_at=found.finish[items],
            length=days.lengths(spans, calendar=calendar),
            days=days.touched(spans, calendar=calendar),
            episodes=episodes[items],
            flags=_flags(found, items) if points and flagged else [()] * len(items),
        )

    def _names_of(self, tasks: Sequence[int]) -> list[tuple[str, str]]:
        """Keys and identities. Read for those that are not known yet: figures of one window are mostly of the same items."""
        if missing := [task for task in tasks if task not in self._names]:
            self._names |= names_of(tenant_id=self.defined.question.tenant_id, task_ids=missing)
        return [(name.key, name.identity) for name in map(self._names.__getitem__, tasks)]

    def days(self, found: Journeys, spans: Spans) -> LocalDays:
        """The local days from the first of the spans to the last of the finishes."""
        first, last = (spans.begin.min(), found.finish.max()) if len(spans.item) else (0, 0)
        return LocalDays(
            start=from_microseconds(int(first)), end=from_microseconds(int(last)), zone=self.frame.window.zone
        )


def _flags(found: Journeys, items: Numbers) -> list[Sequence[str]]:
    """What the times from the first start on contain beside work, in alphabetical order."""
    marks = zip(found.left_the_board[items].tolist(), found.returned[items].tolist(), strict=True)
    return [FLAGS[mark] for mark in marks]


def _listed(column: Numbers) -> list[int]:
    found: list[int] = column.tolist()
    return found


def _columns(groups: Any) -> dict[str, list[int]]:
    return {"states": list(groups.keys()), "groups": list(groups.values())}


def _time_in_state(state: StateDefinition, row: Sequence[Any] | None) -> TimeInState:
    visits, total, ranks, longest, ongoing_visits, ongoing, *binned = row or (0, None, None, None, 0, None, None, None)
    p50, p85, p95 = ranks or _of_bins(binned, longest) or (None, None, None)
    return TimeInState(
        state=state,
        visits=visits,
        total=total or NONE,
        p50=p50,
        p85=p85,
        p95=p95,
        longest=longest,
        ongoing_visits=ongoing_visits,
        ongoing=ongoing or NONE,
    )


def _of_bins(binned: Sequence[Sequence[int] | None], longest: timedelta | None) -> list[timedelta] | None:
    bins, counts = binned
    if bins is None or counts is None or longest is None:
        return None
    found = histogram.counted(bins=bins, counts=counts, longest=longest // MICROSECOND)
    return [(found.percentile(percent) or 0) * MICROSECOND for percent in (50, 85, 95)]
