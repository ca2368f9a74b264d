"""An older system beside ours: a job counts the board as each local day begins, and sleeps on some nights.

The history is scripted and so are the counts: plain Python over the oracle's facts, with nothing of the product in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from analytics.drift.controls import Basis, LegacyAnswer, LegacyFailure
from analytics.pure.cutoffs import Cutoff
from tests.oracle.facts import ARRIVING_KINDS, STATE_KINDS, Category, Fact, History, Kind, Project, Workflow
from tests.spec.random_histories import in_order_of_recording, states

WEB = states(
    "Todo:todo",
    "Doing:in_progress",
    "Waiting:in_progress:waiting",
    "Review:in_progress:needs_validation",
    "Done:done",
    "Cancelled:cancelled",
)
OPS = states("Todo:todo", "Doing:in_progress", "Review:in_progress:needs_validation", "Done:done")
STATES_OF = {"WEB": WEB, "OPS": OPS}
NEXT = {
    "": ["todo", "todo", "doing"],
    "todo": ["doing", "doing", "cancelled"],
    "doing": ["waiting", "review", "review", "todo", "done"],
    "waiting": ["doing"],
    "review": ["done", "done", "doing"],
    "done": ["doing", "done", "review"],
    "cancelled": ["todo"],
}
KINDS = ("todo", "in_progress", "review", "done")
ZONE = "Europe/Stockholm"
MINUTE = timedelta(minutes=1)
FIRST = date(2025, 3, 17)  # the clocks change on the 30th


@cache
def midnight(day: date, zone: str = ZONE) -> datetime:
    """The first instant of a local day; where its midnight was skipped, or all of it, the first one after that.

    Found by looking at a clock on the wall every minute.
    """
    rules = ZoneInfo(zone)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while at.astimezone(rules).date() < day:
        at += MINUTE
    return at


def ever_was(day: date, zone: str) -> bool:
    """Whether the zone had that date."""
    return midnight(day, zone).astimezone(ZoneInfo(zone)).date() == day


def days_from(first: date, count: int) -> list[date]:
    """So many days in a row."""
    return [first + timedelta(days=number) for number in range(count)]


@dataclass(slots=True)
class _Script:
    """A history while it is made up."""

    chance: Random
    zone: str
    punctual: int
    facts: list[Fact] = field(default_factory=list)
    standing: dict[str, tuple[str, str]] = field(default_factory=dict)

    def live(self, day: date, moves: int) -> None:
        """One day: new items, moves, transfers, discards; some of it at the very ends of the day, some told days later."""
        begin, end = midnight(day, self.zone), midnight(day + timedelta(days=1), self.zone)
        for _ in range(moves if begin < end else 0):
            at = self.chance.choice([begin, end - timedelta(microseconds=1), *[self._within(begin, end)] * 8])
            self._one(at)

    def _within(self, begin: datetime, end: datetime) -> datetime:
        minutes = int((end - begin).total_seconds() // 60)
        return begin + timedelta(minutes=self.chance.randrange(minutes))

    def _one(self, at: datetime) -> None:
        if not self.standing or self.chance.random() < 0.35:
            project = self.chance.choice(sorted(STATES_OF))
            item = f"{project}-{len(self.standing) + 1}"
            self._say(at, item, project, self.chance.choice(["todo", "todo", "doing"]), Kind.CREATED)
            return
        item = self.chance.choice(sorted(self.standing))
        project, state = self.standing[item]
        if not state:
            self._say(at, item, project, "todo", Kind.RESTORED)
        elif self.chance.random() < 0.06:
            self._say(at, item, project, "", Kind.DISCARDED)
        elif self.chance.random() < 0.08:
            other = "OPS" if project == "WEB" else "WEB"
            self._say(at, item, other, "todo", Kind.TRANSFERRED)
        else:
            self._move(at, item, twice=self.chance.random() < 0.15)

    def _move(self, at: datetime, item: str, *, twice: bool) -> None:
        """To one of the next states, or at one instant through it to one after it."""
        project, state = self.standing[item]
        known = {each.slug for each in STATES_OF[project]}
        options = [each for each in NEXT[state] if each in known] or ["doing"]
        self._say(at, item, project, self.chance.choice(options), Kind.MOVED)
        if twice:
            self._move(at, item, twice=False)

    def _say(self, at: datetime, item: str, project: str, state: str, kind: Kind) -> None:
        delay = self.chance.choice([timedelta(0)] * self.punctual + [timedelta(hours=30)])
        self.facts.append(
            Fact(seq=0, happened_at=at, recorded_at=at + delay, item=item, project=project, kind=kind, state=state)
        )
        self.standing[item] = (project, state)


def scripted(
    *, days: int, seed: int = 1, zone: str = ZONE, moves: int = 8, first: date = FIRST, punctual: int = 9
) -> History:
    """Two boards through so many days. In their middle WEB's waiting state is renamed, and OPS reviews no more.

    Of so many facts that are `punctual` another one is told a day late.
    """
    script = _Script(Random(seed), zone, punctual)
    for day in days_from(first, days):
        script.live(day, moves)
    dawn = midnight(first, zone) - timedelta(hours=1)
    noon = midnight(first + timedelta(days=days // 2), zone) + timedelta(hours=12)
    renamed = tuple(replace(each, name="Blocked") if each.slug == "waiting" else each for each in WEB)
    unreviewed = tuple(replace(each, needs_validation=False) for each in OPS)
    versions = {"WEB": (WEB, renamed), "OPS": (OPS, unreviewed)}
    projects = tuple(
        Project(
            key=key,
            zone=zone,
            recorded_since=dawn,
            workflows=tuple(
                Workflow(happened_at=at, recorded_at=at, states=found)
                for at, found in zip((dawn, noon), both, strict=True)
            ),
        )
        for key, both in versions.items()
    )
    return History(projects=projects, facts=_each_begins(script.facts))


def _each_begins(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """An item's first recorded fact creates it."""
    return in_order_of_recording(list(facts))


def counted(history: History, *, cut: datetime, known: datetime) -> dict[str, int]:
    """What a job counts that runs at `cut` and knows what is recorded by `known`."""
    found = dict.fromkeys(KINDS, 0)
    last: dict[str, Fact] = {}
    for fact in sorted(history.facts, key=lambda each: (each.happened_at, each.seq)):
        if fact.kind in STATE_KINDS and fact.happened_at < cut and fact.recorded_at <= known:
            last[fact.item] = fact
    for fact in last.values():
        if fact.kind in ARRIVING_KINDS and (kind := _kind(history, fact, cut)):
            found[kind] += 1
    return found


def _kind(history: History, fact: Fact, cut: datetime) -> str | None:
    versions = [each for each in history.project(fact.project).workflows if each.happened_at < cut]
    definition = {state.slug: state for state in versions[-1].states}[fact.state]
    if definition.category is Category.IN_PROGRESS:
        return "review" if definition.needs_validation else "in_progress"
    return {Category.TODO: "todo", Category.DONE: "done"}.get(definition.category)


@dataclass(kw_only=True)
class OldSystem:
    """The older side. `slept` are days without a count; `said` replaces what it says of a day; `invented` are days that were
    filled later, from what the board was then.
    """

    history: History
    slug: str
    zone: str = ZONE
    slept: Collection[date] = ()
    invented: Mapping[date, datetime] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    first: date = FIRST
    answers: int = 0

    def row(self, day: date) -> dict[str, Any]:
        """One stored row."""
        at = self.invented.get(day) or midnight(day, self.zone)
        return {
            "date": day.isoformat(),
            **counted(self.history, cut=at, known=at),
            **self.said.get(day.isoformat(), {}),
        }

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        """See Control."""
        self.answers += 1
        today = now.astimezone(ZoneInfo(self.zone)).date()
        wanted = [today - timedelta(days=number) for number in reversed(range(days))]
        counted_ones = [day for day in wanted if day >= self.first and ever_was(day, self.zone)]
        rows = [day for day in counted_ones if day not in self.slept or day in self.invented]
        return LegacyAnswer(
            body={
                "version": 1,
                "organisation": self.slug,
                "timezone": self.zone,
                "days": [self.row(day) for day in rows],
            },
            status=200,
            as_of=midnight(today, self.zone),
            basis=Basis.KNOWN,
            cutoffs={
                # A row of the past that was filled in later still claims to be of its day.
                day.isoformat(): Cutoff(happened_before=at, known_at=self.invented.get(day, at))
                for day in rows
                for at in [midnight(day, self.zone)]
            },
        )
