"""History of a story: what happened to each item, as events. The same story and instant give the same events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tasks_app.demo.hours import at_hour, is_quiet, next_hour, quiet_week, worked
from tasks_app.demo.story import Board, Person, Rhythm, Scripted, Step, Story
from tasks_app.models import Kind, Role, StateCategory
from tasks_app.operations.projects import slug_of
from tasks_app.timezones import rules_of

# An item that is sent to and fro for ever is not lifelike.
MOST_STEPS = 30
# The newest event keeps away from now: the database has a clock of its own.
MARGIN = timedelta(minutes=10)
SCRIPTED_HOUR = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happened to the item `case` on a board. `to` is a state's slug, for ASSIGNED an email."""

    case: str
    title: str
    project: str
    kind: Kind
    to: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class _Setting:
    story: Story
    boards: dict[str, Board]
    rhythm: Rhythm
    zone: ZoneInfo
    quiet_monday: date
    until: datetime


@dataclass(kw_only=True)
class _Item:
    """An item on its way."""

    case: str
    title: str
    board: Board
    state: str
    at: datetime
    chance: Random
    worker: Person | None = None
    events: list[Event] = field(default_factory=list)

    def tell(self, *, kind: Kind, to: str, by: Person) -> None:
        """Adds what happened to the item just then."""
        self.events.append(
            Event(case=self.case, title=self.title, project=self.board.key, kind=kind, to=to, by=by.email, at=self.at)
        )


def history(*, story: Story, now: datetime) -> list[Event]:
    """All events of the story up to now, in order of time; those of one item in their own order."""
    zone = rules_of(story.timezone)
    today = now.astimezone(zone).date()
    setting = _Setting(
        story=story,
        boards={board.key: board for board in story.boards},
        rhythm=story.rhythm,
        zone=zone,
        quiet_monday=quiet_week(rhythm=story.rhythm, today=today),
        until=now - MARGIN,
    )
    events = [event for item in _arrivals(setting, today=today) for event in _journey(item, setting)]
    events += [event for each in story.scripted for event in _scripted(each, setting, today=today)]
    return sorted(events, key=lambda event: event.at)


def _arrivals(setting: _Setting, *, today: date) -> Iterator[_Item]:
    for board in setting.story.boards:
        number = 0
        for days_ago in range(setting.story.days, -1, -1):
            day = today - timedelta(days=days_ago)
            chance = _seeded(f"{setting.story.slug} {board.key} {days_ago}")
            for _ in range(_how_many(day, board=board, setting=setting, chance=chance)):
                number += 1
                hour = chance.uniform(setting.rhythm.opens, setting.rhythm.closes)
                at = at_hour(day=day, hour=hour, zone=setting.zone)
                if at <= setting.until:
                    yield _new_item(case=f"{board.key.lower()}-{number}", board=board, at=at)


def _how_many(day: date, *, board: Board, setting: _Setting, chance: Random) -> int:
    if is_quiet(day, quiet_monday=setting.quiet_monday):
        return 0
    mean = setting.rhythm.arrivals[day.weekday()] * board.share
    return int(mean * chance.uniform(0.4, 1.6) + chance.random())


def _new_item(*, case: str, board: Board, at: datetime) -> _Item:
    chance = _seeded(case)
    title = " ".join(chance.choice(words) for words in board.titles)
    return _Item(case=case, title=title, board=board, state=slug_of(board.states[0].name), at=at, chance=chance)


def _journey(item: _Item, setting: _Setting) -> list[Event]:
    item.tell(kind=Kind.CREATED, to=item.state, by=item.chance.choice(_workers(setting.story)))
    for _ in range(MOST_STEPS):
        step = _chosen(item.board.ways.get(item.state, ()), item.chance)
        if step is None or not _take(step, item=item, setting=setting):
            break
    return item.events


def _chosen(ways: Sequence[Step], chance: Random) -> Step | None:
    if not ways:
        return None
    step = chance.choices(ways, weights=[way.share for way in ways])[0]
    return step if step.to or step.kind == Kind.DISCARDED else None


def _take(step: Step, *, item: _Item, setting: _Setting) -> bool:
    """Goes the step; False when it would be in the future, or nothing can follow it."""
    low, high = step.hours
    hours = low + (high - low) * item.chance.betavariate(1.2, 3.2)
    at = worked(since=item.at, hours=hours, rhythm=setting.rhythm, quiet_monday=setting.quiet_monday, zone=setting.zone)
    if step.at_hour is not None:
        at = next_hour(instant=at, hour=step.at_hour, zone=setting.zone)
    if at > setting.until:
        return False
    item.at = at
    if step.approved:
        item.tell(kind=Kind.VALIDATED, to=item.state, by=_manager(setting.story))
    item.board = setting.boards.get(step.project, item.board)
    item.state = step.to
    _hand_over(item, setting.story)
    item.tell(kind=step.kind, to=step.to, by=item.worker or _manager(setting.story))
    return step.kind != Kind.DISCARDED


def _hand_over(item: _Item, story: Story) -> None:
    """Gives the item to somebody when work on it begins, and now and then to somebody else when it goes on."""
    begins = any(slug_of(s.name) == item.state and s.category == StateCategory.IN_PROGRESS for s in item.board.states)
    if not begins or (item.worker is not None and item.chance.random() < 0.8):
        return
    worker = item.chance.choice(_workers(story))
    if worker != item.worker:
        item.worker = worker
        item.tell(kind=Kind.ASSIGNED, to=worker.email, by=_manager(story))


def _scripted(each: Scripted, setting: _Setting, *, today: date) -> list[Event]:
    board = setting.story.boards[0]
    by = _workers(setting.story)[0]
    item = _Item(
        case=each.case,
        title=each.title,
        board=board,
        state=each.visits[0][0],
        at=setting.until,
        chance=_seeded(each.case),
    )
    for number, (state, days_ago) in enumerate(each.visits):
        item.at = at_hour(day=today - timedelta(days=days_ago), hour=SCRIPTED_HOUR, zone=setting.zone)
        item.tell(kind=Kind.MOVED if number else Kind.CREATED, to=state, by=by)
    return item.events


def _seeded(words: str) -> Random:
    """Chance that comes out the same for the same words, on every machine."""
    return Random(words)  # noqa: S311 - nothing here is a secret


def _workers(story: Story) -> list[Person]:
    return [person for person in story.people if person.works]


def _manager(story: Story) -> Person:
    return next(person for person in story.people if person.role == Role.MANAGER)
