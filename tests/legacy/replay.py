"""Scripted days, lived through the live tables: items come, move, leave and return, some of it told a day late.

The script keeps its own books in plain Python. After each day the midnight job runs, unless it sleeps.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from analytics.drift.capabilities import declaration_of
from analytics.drift.controls import Capability
from analytics.drift.experiment import Comparison, Question, compare
from analytics.legacy.control import CfdControl
from analytics.legacy.midnight import backfill, count_midnights, organisations
from tasks_app.models import Actor, ActorKind
from tasks_app.operations.tasks import create_task, discard_task, move_task, restore_task, transfer_task
from tasks_app.tenancy import entered
from tests.cast import company
from tests.drift.old_counts import ever_was, midnight

ZONE = "Europe/Stockholm"
FIRST = date(2025, 3, 17)  # the clocks change on the 30th
KINDS = {"todo": "todo", "doing": "in_progress", "waiting": "in_progress", "review": "review", "done": "done"}
STATES = (*KINDS, "cancelled")
OFF = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An item came to a state, or left the board; `told` is the number of the day on which somebody said so."""

    at: datetime
    told: int
    item: str
    state: str


@dataclass(kw_only=True)
class Replay:
    """A tenant's days so far. `slept` are the dates for which there was no job."""

    tenant_id: int
    actor_id: int
    slug: str
    chance: Random
    first: date = FIRST
    zone: str = ZONE
    days: int = 0
    steps: list[Step] = field(default_factory=list)
    slept: list[date] = field(default_factory=list)
    standing: dict[str, tuple[str, str]] = field(default_factory=dict)
    late: list[tuple[datetime, str, str]] = field(default_factory=list)

    def day(self, number: int) -> date:
        """The date of that number, from 0."""
        return self.first + timedelta(days=number)

    def midnight(self, number: int) -> datetime:
        """When the day of that number begins."""
        return midnight(self.day(number), self.zone)

    def live(self, *, moves: int = 5, sleeps: bool = False) -> None:
        """One more day, and the midnight after it. A date that never was is lived by nobody."""
        begin, end = self.midnight(self.days), self.midnight(self.days + 1)
        if begin == end:
            self.days += 1
            return
        minutes = int((end - begin).total_seconds() // 60)
        instants = sorted(begin + timedelta(minutes=self.chance.randrange(minutes)) for _ in range(moves))
        with entered(tenant_id=self.tenant_id, actor_id=self.actor_id):
            self._tell_late()
            for at in (begin, *instants, end - timedelta(microseconds=1)):
                self._one(at)
        self.days += 1
        if sleeps:
            self.slept.append(self.day(self.days))
        else:
            count_midnights(now=end, tenant_id=self.tenant_id)

    def counted(self, number: int, *, told: int) -> dict[str, int]:
        """By the script's books: the board as that day begins, as far as was said before the day `told`."""
        last: dict[str, str] = {}
        known = (step for step in self.steps if step.at < self.midnight(number) and step.told < told)
        for step in sorted(known, key=lambda step: step.at):
            last[step.item] = step.state
        found = dict.fromkeys(("todo", "in_progress", "review", "done"), 0)
        for state in last.values():
            if kind := KINDS.get(state):
                found[kind] += 1
        return found

    def gained(self, number: int) -> dict[str, int]:
        """What the day of that number changed, and what was said later of the time before it."""
        then = self.counted(number, told=number)
        today = self.counted(min(number + 1, self.days), told=self.days)
        return {kind: today[kind] - then[kind] for kind in then if today[kind] != then[kind]}

    def invent(self) -> int:
        """Fills the nights that were slept through with the board of now."""
        (organisation,) = organisations(tenant_id=self.tenant_id)
        first, last = min(self.slept), max(self.slept)
        return backfill(organisation=organisation, first=first, last=last, now=self.midnight(self.days))

    def compared(self) -> Comparison:
        """All of it, as asked a moment after the last midnight."""
        flow = declaration_of(Capability.CUMULATIVE_FLOW)
        assert flow is not None
        now = self.midnight(self.days) + timedelta(minutes=5)
        question = Question(
            tenant_id=self.tenant_id,
            slug=self.slug,
            zone=self.zone,
            days=self.days,
            asked_at=now,
            stage="SHADOW",
            flag_version=1,
            stratum="all",
        )
        return compare(declaration=flow, control=CfdControl(), question=question, chance=self.chance, now=now)

    def _tell_late(self) -> None:
        """What happened yesterday and is told today."""
        for at, item, state in self.late:
            project, _ = self.standing[item]
            self._move(at, item, state)
            self.standing[item] = (project, state)
        self.late.clear()

    def _one(self, at: datetime) -> None:
        busy = {item for _, item, _ in self.late}
        free = sorted(set(self.standing) - busy)
        if not free or self.chance.random() < 0.3:
            self._create(at)
            return
        item = self.chance.choice(free)
        project, state = self.standing[item]
        if state == OFF:
            self._restore(at, item)
            return
        dice = self.chance.random()
        if dice < 0.05:
            self._discard(at, item)
        elif dice < 0.1:
            self._transfer(at, item, "OPS" if project == "WEB" else "WEB")
        elif dice < 0.2:
            self.late.append((at, item, self.chance.choice([each for each in STATES if each != state])))
        else:
            to = self.chance.choice([each for each in STATES if each != state])
            self._move(at, item, to)
            self.standing[item] = (project, to)

    def _note(self, at: datetime, item: str, state: str) -> None:
        self.steps.append(Step(at=at, told=self.days, item=item, state=state))

    def _create(self, at: datetime) -> None:
        project, state = self.chance.choice(["WEB", "OPS"]), self.chance.choice(["todo", "todo", "doing"])
        task = create_task(
            tenant_id=self.tenant_id, project=project, title="An item", state=state, happened_at=at, now=clock()
        )
        self.standing[task.key] = (project, state)
        self._note(at, task.key, state)

    def _move(self, at: datetime, item: str, state: str) -> None:
        move_task(tenant_id=self.tenant_id, task=item, to=state, happened_at=at, **self._who())
        self._note(at, item, state)

    def _discard(self, at: datetime, item: str) -> None:
        discard_task(tenant_id=self.tenant_id, task=item, happened_at=at, **self._who())
        self.standing[item] = (self.standing[item][0], OFF)
        self._note(at, item, OFF)

    def _restore(self, at: datetime, item: str) -> None:
        task = restore_task(tenant_id=self.tenant_id, task=item, happened_at=at, **self._who())
        self.standing[item] = (task.project.key, task.state.slug)
        self._note(at, item, task.state.slug)

    def _transfer(self, at: datetime, item: str, project: str) -> None:
        task = transfer_task(
            tenant_id=self.tenant_id, task=item, project=project, state="todo", happened_at=at, **self._who()
        )
        self.standing[task.key] = (project, "todo")
        self._note(at, item, "todo")

    def _who(self) -> dict:
        return {"actor_id": self.actor_id, "now": clock()}


def clock() -> datetime:
    """Long after all of the script."""
    return datetime.now(UTC)  # noqa: TID251


def replayed(
    *,
    slug: str,
    days: int,
    sleeping: Collection[int] = (),
    seed: int = 1,
    moves: int = 5,
    first: date = FIRST,
    zone: str = ZONE,
) -> Replay:
    """A new tenant that has lived so many days. `sleeping` are the numbers of days after which the job slept."""
    made = company(slug=slug, timezone=zone)
    actor = Actor.objects.create(tenant=made.tenant, kind=ActorKind.JOB, name="the script")
    replay = Replay(tenant_id=made.tenant.id, actor_id=actor.id, slug=slug, chance=Random(seed), first=first, zone=zone)
    for number in range(days):
        replay.live(moves=moves, sleeps=number in sleeping)
    return replay


def verdicts(comparison: Comparison) -> Mapping[str, str]:
    """By date."""
    return {day: found.verdict.value for day, found in comparison.findings.items()}


def wrong_days(replay: Replay, comparison: Comparison, *, invented: Collection[date] = ()) -> list[str]:
    """Sentences about each day that is not what the script says that it has to be."""
    found, wrong = verdicts(comparison), list[str]()
    for number in range(1, replay.days + 1):
        day = replay.day(number)
        if not ever_was(day, replay.zone):
            continue
        verdict = found.get(day.isoformat(), "nothing")
        wanted = {"DRIFT", "MATCH"} if day in invented else {"LEGACY_ERROR"} if day in replay.slept else {"MATCH"}
        if day in invented and replay.counted(number, told=number) != replay.counted(replay.days, told=replay.days):
            wanted = {"DRIFT"}
        if verdict not in wanted:
            wrong.append(f"{day} is {verdict}")
        elif verdict == "MATCH" and dict(comparison.freshness.get(day.isoformat(), {})) != replay.gained(number):
            wrong.append(f"{day} has gained {comparison.freshness.get(day.isoformat())}, not {replay.gained(number)}")
    return wrong
