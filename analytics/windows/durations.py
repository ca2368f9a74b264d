"""How long items took, over a window: time in states, cycle time, lead time, flow efficiency."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

from analytics.pure import durations as pure
from analytics.pure.completion import done_states, grouped
from analytics.pure.durations import Eras, Journey, Policy, Span
from analytics.pure.flow import Frame
from analytics.pure.local_days import Calendar, LocalDays
from analytics.pure.stages import by_category, by_pair, finished_states
from analytics.pure.workflow import CANCELLED, DONE, EVER, StateDefinition, Workflows
from analytics.pure.zones import from_microseconds, to_microseconds
from analytics.replay.durations import JOURNEYS, STAYS
from analytics.replay.items import ItemName, names_of
from analytics.windows.sources import Source

NONE: Final = timedelta(0)


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


@dataclass(frozen=True, kw_only=True)
class DurationSummary:
    """Finished items by finish; those that have no duration are counted apart. `policy` None: lead time."""

    policy: Policy | None
    calendar: Calendar
    rows: Sequence[Sequence[Any]]
    never_started: int
    inferred: int

    def points(self) -> list[Point]:
        """The items, oldest finish first, those of one instant by key."""
        return self._points

    def mean(self) -> timedelta | None:
        """To the microsecond."""
        lengths = self._lengths
        return timedelta(microseconds=sum(lengths)) / len(lengths) if lengths else None

    def percentile(self, percent: int) -> timedelta | None:
        """The duration of one of the items, by nearest rank."""
        found = pure.percentile(self._lengths, percent)
        return None if found is None else timedelta(microseconds=found)

    def percentile_of_days(self, percent: int) -> int | None:
        """As `percentile`, in local dates."""
        return pure.percentile(self._days, percent)

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted(point.length for point in self._points)

    @cached_property
    def _days(self) -> list[int]:
        return sorted(point.days for point in self._points)

    @cached_property
    def _points(self) -> list[Point]:
        return [Point(*row) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of sums; its parts are there where it has no value, too."""

    status: RatioStatus
    numerator: timedelta
    denominator: timedelta


@dataclass(kw_only=True)
class Durations:
    """The durations of one question. Each statement runs at most once.

    `groups` are the states as the answer shows them. Of an actor: the visits that the actor's facts ended, and the items
    whose lasting finish they began; `holds_items` is false then, and nothing is ongoing.
    """

    source: Source
    frame: Frame
    workflows: Workflows
    groups: Sequence[Sequence[StateDefinition]]
    tenant_id: int
    now: datetime
    holds_items: bool
    _journeys_of: dict[tuple[str | None, str | None], list[Journey]] = field(default_factory=dict, init=False)
    _names: dict[int, ItemName] = field(default_factory=dict, init=False)

    def time_in_state(self, *, clip: Clip) -> list[TimeInState]:
        """The states in the order of the workflow, cancelled ones apart: those in use, and those in which anything was."""
        groups = [kept for group in self.groups if (kept := [each for each in group if each.category != CANCELLED])]
        window = self.frame.window
        values = {
            **_columns(grouped(groups)),
            "horizon": min(window.end, self.now),
            "clip": window.start if clip is Clip.CLIP else EVER,
            "from": window.start,
            "stocks": self.holds_items,
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
        self, *, policy: Policy, start: str | None, finish: str | None, calendar: Calendar = Calendar.ELAPSED
    ) -> DurationSummary:
        """From start to finish of what finished in the window; PairError names a state that cannot be one of the two."""
        found = self._journeys(start, finish)
        spans = [pure.spans(journey, policy=policy) for journey in found]
        without = [journey for journey, its in zip(found, spans, strict=True) if not its]
        inferred = sum(journey.is_inferred for journey in without)
        of_first = policy is Policy.FIRST_START_LAST_FINISH
        return DurationSummary(
            policy=policy,
            calendar=calendar,
            rows=self._rows(
                [(j, its) for j, its in zip(found, spans, strict=True) if its], flagged=of_first, calendar=calendar
            ),
            never_started=len(without) - inferred,
            inferred=inferred,
        )

    def lead_time(self, *, calendar: Calendar = Calendar.ELAPSED) -> DurationSummary:
        """From the first arrival on the board to the finish."""
        found = self._journeys(None, None)
        spans = [(journey, [Span(journey.created, journey.finish)]) for journey in found]
        rows = self._rows(spans, flagged=True, calendar=calendar)
        return DurationSummary(policy=None, calendar=calendar, rows=rows, never_started=0, inferred=0)

    def flow_efficiency(self) -> Ratio:
        """The share of the time from first start to finish in which the items were worked on and did not wait."""
        found = self._journeys(None, None)
        started = [(journey, first) for journey in found if (first := journey.first_start) is not None]
        elapsed = sum(journey.finish - first for journey, first in started)
        active = sum(pure.active_time(journey) for journey, _ in started)
        with_value = RatioStatus.OK if elapsed else RatioStatus.NO_DATA
        return Ratio(
            status=with_value if self._has_waiting else RatioStatus.NOT_CONFIGURED,
            numerator=timedelta(microseconds=active),
            denominator=timedelta(microseconds=elapsed),
        )

    def _journeys(self, start: str | None, finish: str | None) -> list[Journey]:
        asked = (start, finish)
        if asked not in self._journeys_of:
            self._journeys_of[asked] = self._read_journeys(start, finish)
        return self._journeys_of[asked]

    def _read_journeys(self, start: str | None, finish: str | None) -> list[Journey]:
        begin = self.frame.window.start
        eras, done = self.stages(start, finish)
        values = {"done": sorted(done), "from": begin}
        rows = self.source.rows(JOURNEYS, values=values)
        return pure.journeys(rows=rows, done=done, eras=eras, begin=to_microseconds(begin))

    def stages(self, start: str | None, finish: str | None) -> tuple[Eras, frozenset[int]]:
        """What states mean through time, and those that finish; PairError names a state that cannot be one of the two."""
        if start is None and finish is None:
            return by_category(self._eras, first=self.frame.first), frozenset(done_states(self.frame))
        eras = by_pair(self.frame.epochs[-1], start=start, finish=finish)
        return eras, finished_states(eras)

    @cached_property
    def _eras(self) -> list[tuple[datetime, Any]]:
        """The definitions that held before the window's end, each from when on."""
        changes = self.workflows.changes(after=EVER, before=self.frame.window.end)
        return [(instant, self.workflows.in_force(instant)) for instant in (EVER, *changes)]

    @property
    def _has_waiting(self) -> bool:
        return any(state.waiting for _, definitions in self._eras for state in definitions.values())

    def _rows(
        self, found: Sequence[tuple[Journey, Sequence[Span]]], *, flagged: bool, calendar: Calendar
    ) -> list[Point]:
        if not found:
            return []
        names = self._names_of([journey.task_id for journey, _ in found])
        days = self.days(found)
        points = [
            Point(
                key=names[journey.task_id].key,
                identity=names[journey.task_id].identity,
                started_at=spans[0].begin,
                finished_at=journey.finish,
                length=days.length(spans, calendar=calendar),
                days=days.touched(spans, calendar=calendar),
                episodes=len(pure.episodes(journey)),
                flags=pure.flags(journey) if flagged else (),
            )
            for journey, spans in found
        ]
        return sorted(points, key=lambda point: (point.finished_at, point.key))

    def _names_of(self, tasks: Sequence[int]) -> dict[int, ItemName]:
        """Read for those whose names are not known yet: figures of one window are mostly of the same items."""
        if missing := [task for task in tasks if task not in self._names]:
            self._names |= names_of(tenant_id=self.tenant_id, task_ids=missing)
        return self._names

    def days(self, found: Sequence[tuple[Journey, Sequence[Span]]]) -> LocalDays:
        """The local dates of all these times, of which there must be some."""
        return LocalDays(
            start=from_microseconds(min(spans[0].begin for _, spans in found)),
            end=from_microseconds(max(journey.finish for journey, _ in found)),
            zone=self.frame.window.zone,
        )


def _columns(groups: Any) -> dict[str, list[int]]:
    return {"states": list(groups.keys()), "groups": list(groups.values())}


def _time_in_state(state: StateDefinition, row: Sequence[Any] | None) -> TimeInState:
    visits, total, ranks, longest, ongoing_visits, ongoing = row or (0, None, None, None, 0, None)
    p50, p85, p95 = ranks or (None, None, None)
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
