"""How long items took: time in states, cycle time by four policies, lead time, flow efficiency. Visit by visit."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.oracle.boards import category_before
from tests.oracle.calendars import counts, time_that_counts
from tests.oracle.completion import finish_of, nearest_rank
from tests.oracle.definitions import Definitions, definition_of, positions
from tests.oracle.facts import Category, Fact, History, StateDefinition, Workflow
from tests.oracle.items import Place, changes_seen
from tests.oracle.movements import is_asked_about
from tests.oracle.questions import AsOf, Question
from tests.oracle.series import projects_of

NONE = timedelta(0)
LEVELS = {Category.TODO: 0, Category.IN_PROGRESS: 1, Category.DONE: 2}


class Policy(StrEnum):
    """From when to when an item was worked on."""

    FIRST_START_LAST_FINISH = "FIRST_START_LAST_FINISH"
    LAST_START_LAST_FINISH = "LAST_START_LAST_FINISH"
    SUM_OF_EPISODES = "SUM_OF_EPISODES"
    ERASE_BACKFLOW = "ERASE_BACKFLOW"


@dataclass(frozen=True, kw_only=True)
class TimeInState:
    """The closed visits of one state, and apart from them those that last at the horizon."""

    visits: int
    total: timedelta
    p50: timedelta | None
    p85: timedelta | None
    p95: timedelta | None
    longest: timedelta | None
    ongoing_visits: int
    ongoing: timedelta


@dataclass(frozen=True, kw_only=True)
class Point:
    """One finished item."""

    item: str
    started_at: datetime
    finished_at: datetime
    duration: timedelta
    days: int
    episodes: int
    flags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Durations:
    """The finished items of a window that have a duration, and how many have none, and why."""

    points: tuple[Point, ...]
    never_started: int
    inferred: int


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A visit, or with no place a time off the board, with the fact that began it and the one that ended it, if any."""

    place: Place | None
    fact: Fact
    ended_by: Fact | None

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.fact.happened_at


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stay before the finish: -1 off the board, 0 not started, 1 started, 2 finished; and what erasing compares."""

    level: int
    at: datetime
    until: datetime
    project: str
    place: int
    active: bool


Levels = Callable[[Place, datetime], int]


def stays_of(*, history: History, question: Question, item: str) -> list[Stay]:
    """The item's stays on the question's board that began before the horizon, and the times between them."""
    changes = changes_seen(history=history, question=question, item=item, project=question.project)
    earlier = [change for change in changes if change.fact.happened_at < question.horizon]
    facts = [*(change.fact for change in earlier[1:]), None]
    return [
        Stay(place=change.after, fact=change.fact, ended_by=after)
        for change, after in zip(earlier, facts, strict=False)
    ]


def time_in_state(*, history: History, question: Question, is_full: bool) -> dict[str, TimeInState]:
    """By slug, of the states in which anything was. CANCELLED ones, as the window's end has it, are off the board."""
    definitions = Definitions(history=history, question=question)
    closed: defaultdict[str, list[timedelta]] = defaultdict(list)
    ongoing: defaultdict[str, list[timedelta]] = defaultdict(list)
    for item in history.items():
        for stay in stays_of(history=history, question=question, item=item):
            if stay.place is None or _at_end(definitions, stay.place) is Category.CANCELLED:
                continue
            begin = stay.at if is_full else max(stay.at, question.start)
            if stay.ended_by is None and question.actor is None:
                ongoing[stay.place.state].append(max(question.horizon - begin, NONE))
            elif stay.ended_by is not None and _ends_here(question, stay.ended_by):
                closed[stay.place.state].append(stay.ended_by.happened_at - begin)
    return {state: _summed(closed[state], ongoing[state]) for state in {*closed, *ongoing}}


def cycle_time(
    *,
    history: History,
    question: Question,
    policy: Policy,
    start: str | None = None,
    finish: str | None = None,
    zone: str = "UTC",
    working: bool = False,
) -> Durations:
    """From start to finish of the items that finished in the window; with names, from a state on and up to a state."""
    level = _levels(history, question, start, finish)
    points, never_started, inferred = [], 0, 0
    for item in history.items():
        steps, end = _steps_to_finish(history, question, item, level, by_category=start is None and finish is None)
        if end is None:
            continue
        on_board = [step.level for step in steps if step.level >= 0]
        spans = spans_of(steps, end, policy)
        if spans:
            points.append(_point(item, steps, spans, end, policy, zone, working))
        elif set(on_board) <= {2}:
            inferred += 1
        else:
            never_started += 1
    return Durations(points=tuple(points), never_started=never_started, inferred=inferred)


def lead_time(*, history: History, question: Question, zone: str = "UTC", working: bool = False) -> Durations:
    """From the first arrival on the board to the finish."""
    level = _levels(history, question, None, None)
    points = []
    for item in history.items():
        steps, end = _steps_to_finish(history, question, item, level, by_category=True)
        if end is not None:
            begin = steps[0].at if steps else end
            points.append(_point(item, steps, [(begin, end)], end, Policy.FIRST_START_LAST_FINISH, zone, working))
    return Durations(points=tuple(points), never_started=0, inferred=0)


def flow_efficiency(*, history: History, question: Question) -> tuple[str, timedelta, timedelta]:
    """Status, active time, elapsed time of the items that finished in the window."""
    level = _levels(history, question, None, None)
    active = elapsed = NONE
    for item in history.items():
        steps, end = _steps_to_finish(history, question, item, level, by_category=True)
        starts = [step.at for step in steps if step.level == 1]
        if end is not None and starts:
            elapsed += end - starts[0]
            active += sum((step.until - step.at for step in steps if step.active), NONE)
    if not _has_waiting(history, question):
        return "NOT_CONFIGURED", active, elapsed
    return ("OK" if elapsed else "NO_DATA"), active, elapsed


def percentiles(values: list[timedelta]) -> tuple[timedelta | None, ...]:
    """The median, the 85th and the 95th percentile by nearest rank."""
    return tuple(nearest_rank(values, percent=percent) if values else None for percent in (50, 85, 95))


def _ends_here(question: Question, fact: Fact) -> bool:
    return fact.happened_at >= question.start and is_asked_about(question=question, fact=fact)


def _summed(closed: list[timedelta], ongoing: list[timedelta]) -> TimeInState:
    p50, p85, p95 = percentiles(closed)
    return TimeInState(
        visits=len(closed),
        total=sum(closed, NONE),
        p50=p50,
        p85=p85,
        p95=p95,
        longest=max(closed, default=None),
        ongoing_visits=len(ongoing),
        ongoing=sum(ongoing, NONE),
    )


def _at_end(definitions: Definitions, place: Place) -> Category:
    return category_before(definitions=definitions, place=place, end=definitions.question.horizon)


def _definition(definitions: Definitions, place: Place, at: datetime) -> StateDefinition:
    versions = [definitions.during(project=place.project, at=at), *definitions.known(project=place.project)]
    found = (definition_of(workflow=version, state=place.state) for version in versions)
    return next(definition for definition in found if definition is not None)


def _levels(history: History, question: Question, start: str | None, finish: str | None) -> Levels:
    """How far a place is: by its category at the instant given, or by its position between two states at the end."""
    definitions = Definitions(history=history, question=question)

    def by_category(place: Place, at: datetime) -> int:
        return LEVELS.get(_definition(definitions, place, at).category, -1)

    def by_pair(place: Place, _: datetime) -> int:
        order = _order_at_end(definitions, place.project)
        if place.state not in order or any(name and name not in order for name in (start, finish)):
            return -1
        category = _at_end(definitions, place)
        is_finished = order[place.state] >= order[finish] if finish else category is Category.DONE
        is_begun = category in (Category.IN_PROGRESS, Category.DONE)
        is_started = order[place.state] >= order[start] if start else is_begun
        return 2 if is_finished else int(is_started)

    return by_pair if start or finish else by_category


def _order_at_end(definitions: Definitions, project: str) -> dict[str, int]:
    return positions(workflow=definitions.before(project=project, end=definitions.question.horizon))


def _steps_to_finish(
    history: History, question: Question, item: str, level: Levels, *, by_category: bool
) -> tuple[list[Step], datetime | None]:
    """The stays before the one in which the item is finished at the horizon, and when that began in the window."""
    stays = stays_of(history=history, question=question, item=item)
    if by_category:
        finish = finish_of(history=history, question=question, item=item)
    else:
        finish = _begin_of_last_run(stays, lambda stay: stay.place is not None and level(stay.place, stay.at) == 2)
    if finish is None or finish.happened_at < question.start or not is_asked_about(question=question, fact=finish):
        return [], None
    definitions = Definitions(history=history, question=question)
    before = stays[: [stay.fact for stay in stays].index(finish)]
    ends = [*(stay.at for stay in before[1:]), finish.happened_at]
    return [
        _step(definitions, stay, until, level) for stay, until in zip(before, ends, strict=False)
    ], finish.happened_at


def _begin_of_last_run(stays: list[Stay], holds: Callable[[Stay], bool]) -> Fact | None:
    begin = None
    for stay in reversed(stays):
        if not holds(stay):
            break
        begin = stay.fact
    return begin


def _step(definitions: Definitions, stay: Stay, until: datetime, level: Levels) -> Step:
    if stay.place is None:
        return Step(level=-1, at=stay.at, until=until, project="", place=0, active=False)
    definition = _definition(definitions, stay.place, stay.at)
    return Step(
        level=level(stay.place, stay.at),
        at=stay.at,
        until=until,
        project=stay.place.project,
        place=_place(definitions, stay.place, stay.at),
        active=definition.category is Category.IN_PROGRESS and not definition.waiting,
    )


def _place(definitions: Definitions, place: Place, at: datetime) -> int:
    """Its position in the order at that instant; a state that was not there yet has none."""
    return positions(workflow=definitions.during(project=place.project, at=at)).get(place.state, -1)


def spans_of(steps: list[Step], end: datetime, policy: Policy) -> list[tuple[datetime, datetime]]:
    """The times from start to finish; none for an item that was not started."""
    if policy is Policy.ERASE_BACKFLOW:
        left = _not_erased(steps)
        started = [step.at for step in left if step.level == 1]
        waited = any(step.level == 0 for step in left)
        return [(started[0], end)] if started else [(end, end)] if waited else []
    starts = [step.at for step in steps if step.level == 1]
    if not starts:
        return []
    if policy is Policy.FIRST_START_LAST_FINISH:
        return [(starts[0], end)]
    if policy is Policy.LAST_START_LAST_FINISH:
        crossed = [at for at, _ in _crossings(steps, end)]
        return [(crossed[-1] if crossed else starts[0], end)]
    return episodes_of(steps, end)


def _crossings(steps: list[Step], end: datetime) -> list[tuple[datetime, bool]]:
    """Entries into work from outside it and DONE, and entries into DONE of items that were last to do (True: skipped)."""
    found = []
    levels = [-1, *(step.level for step in steps), 2]
    instants = [*(step.at for step in steps), end]
    on_board = -1
    for (before, after), at in zip(pairwise(levels), instants, strict=True):
        on_board = before if before >= 0 else on_board
        if (after == 1 and before <= 0) or (after == 2 and on_board == 0):
            found.append((at, after == 2))
    return found


def episodes_of(steps: list[Step], end: datetime) -> list[tuple[datetime, datetime]]:
    """Unbroken times in work, and where work was skipped a time of no length. None for an item that was never in work."""
    found: list[tuple[datetime, datetime]] = []
    is_open = False
    for step in steps:
        if step.level == 1:
            begin = found.pop()[0] if is_open else step.at
            found.append((begin, step.until))
        is_open = step.level == 1
    skipped = [(at, at) for at, is_skipped in _crossings(steps, end) if is_skipped]
    return sorted(found + skipped) if found else []


def _not_erased(steps: list[Step]) -> list[Step]:
    """Without the stays from which the item later went back: to a lower category, or a lower place of one category."""

    def is_erased(number: int, step: Step) -> bool:
        return any(_is_back(step, later) for later in steps[number + 1 :] if later.level >= 0)

    on_board = [(number, step) for number, step in enumerate(steps) if step.level >= 0]
    return [step for number, step in on_board if not is_erased(number, step)]


def _is_back(earlier: Step, later: Step) -> bool:
    is_lower = earlier.project == later.project and later.place < earlier.place
    return later.level < earlier.level or (later.level == earlier.level and is_lower)


def _point(
    item: str,
    steps: list[Step],
    spans: list[tuple[datetime, datetime]],
    end: datetime,
    policy: Policy,
    zone: str,
    working: bool,
) -> Point:
    begin = spans[0][0]
    return Point(
        item=item,
        started_at=begin,
        finished_at=end,
        duration=sum((time_that_counts(a, b, zone=zone, working=working) for a, b in spans), NONE),
        days=len(
            {day for span in spans for day in days_of(span, zone) if counts(date.fromordinal(day), working=working)}
        ),
        episodes=len(episodes_of(steps, end)),
        flags=flags_of(steps) if policy is Policy.FIRST_START_LAST_FINISH else (),
    )


def days_of(span: tuple[datetime, datetime], zone: str) -> range:
    """The local dates from its beginning to its end, as `toordinal` numbers them."""
    first, last = (at.astimezone(ZoneInfo(zone)).date().toordinal() for at in span)
    return range(first, last + 1)


def flags_of(steps: list[Step]) -> tuple[str, ...]:
    """What the time from the first start on contains beside work."""
    levels = [step.level for step in steps]
    later = levels[levels.index(1) :] if 1 in levels else []
    return tuple(flag for flag, level in (("LEFT_THE_BOARD", -1), ("RETURNED_TO_TODO", 0)) if level in later)


def _has_waiting(history: History, question: Question) -> bool:
    """Whether any state of the board was marked as waiting in a definition that held before the horizon."""
    definitions = Definitions(history=history, question=question)
    versions = [
        version for p in projects_of(history=history, question=question) for version in _held(definitions, p.key)
    ]
    return any(state.waiting for version in versions for state in version.states)


def _held(definitions: Definitions, project: str) -> list[Workflow]:
    question, known = definitions.question, definitions.known(project=project)
    if question.as_of is AsOf.NOW:
        return [definitions.before(project=project, end=question.horizon)]
    return [*known[:1], *(version for version in known if version.happened_at < question.horizon)]
