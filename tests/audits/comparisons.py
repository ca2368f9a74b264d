"""Random questions, answered twice inside one snapshot: from the ledger, and from rollups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import connection

from analytics.engine.families import families
from analytics.engine.projects import project_facts
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact
from analytics.engine.rollups.restating import Owner
from analytics.engine.rollups.verify import verify_rollups
from analytics.flow.reading import canonical
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.results import FlowMode
from analytics.pure.canonical import digest
from analytics.pure.windows import Bucket, Window, between
from tasks_app.tenancy import entered
from tests.audits.changes import surroundings
from tests.audits.scene import clock

# The bucket of a question and how far back its window goes.
LONGEST = {
    Bucket.MINUTE: timedelta(minutes=20),
    Bucket.HOUR: timedelta(days=2),
    Bucket.DAY: timedelta(days=50),
    Bucket.WEEK: timedelta(days=100),
}
ZONES = ("UTC", "Asia/Kathmandu", "America/New_York")
MOST_ROUNDS = 20

WAITING = "/* audits.waiting */ SELECT EXISTS (SELECT FROM {tail} WHERE tenant_id = %(tenant)s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question about one project, or with `key` None all, of everybody or of one person."""

    tenant_id: int
    key: str | None
    window: Window
    now: datetime
    as_defined_now: bool
    assignee_id: int | None
    actor_id: int | None


def random_question(*, tenant_id: int, now: datetime, chance: Random) -> Asked:
    """To be made inside the tenant's snapshot."""
    people = surroundings(tenant_id=tenant_id).actors
    assignee_id, actor_id = chance.choice(
        [(None, None)] * 3 + [(chance.choice(people), None), (None, chance.choice(people))]
    )
    return Asked(
        tenant_id=tenant_id,
        key=chance.choice([None, *(board.key for board in project_facts(tenant_id=tenant_id, key=None))]),
        window=_window(now, chance),
        now=now,
        as_defined_now=chance.random() < 0.2,
        assignee_id=assignee_id,
        actor_id=actor_id,
    )


def _window(now: datetime, chance: Random) -> Window:
    """Some begin and end with a minute, the others at any microsecond; some end before now and some after."""
    bucket = chance.choice(list(LONGEST))
    end = now + chance.choice([timedelta(minutes=2), timedelta(0), -LONGEST[bucket] * chance.random() / 2])
    start = end - LONGEST[bucket] * (0.1 + 0.9 * chance.random())
    if chance.random() < 0.5:
        start, end = (instant.replace(second=0, microsecond=0) for instant in (start, end))
    return between(start=start, end=end, zone=chance.choice(ZONES), bucket=bucket, now=now)


def answers(*, asked: Asked, read_from: ReadFrom) -> tuple[str, dict[str, Any]]:
    """From where the answer was read, in words, and its figures by name."""
    reading = FlowReading(
        question=FlowQuestion(
            tenant_id=asked.tenant_id,
            window=asked.window,
            now=asked.now,
            whole_tenant=asked.key is None,
            as_defined_now=asked.as_defined_now,
            assignee_id=asked.assignee_id,
            actor_id=asked.actor_id,
        ),
        boards=project_facts(tenant_id=asked.tenant_id, key=asked.key),
        read_from=read_from,
    )
    figures = {
        **{mode.value: canonical.cumulative_flow(reading.cumulative_flow(mode=mode)) for mode in FlowMode},
        "workInProgress": reading.work_in_progress(),
        "throughput": canonical.throughput(reading.throughput()),
        "transitions": canonical.transitions(reading.transitions()),
    }
    return f"{reading.read_from.value}{' with a tail' if reading.tail_rows else ''}", figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One question answered twice: where the second answer came from, and each figure that differs in a sentence."""

    came_from: str
    wrong: Sequence[str]


def compared(*, tenant_id: int, read_from: ReadFrom, chance: Random) -> Comparison:
    """A random question of the tenant, answered from the ledger and from `read_from` inside one snapshot."""
    now = clock()
    with entered(tenant_id=tenant_id, read_only=True):
        asked = random_question(tenant_id=tenant_id, now=now, chance=chance)
        return compare(asked=asked, read_from=read_from)


def compare(*, asked: Asked, read_from: ReadFrom) -> Comparison:
    """To be used inside one snapshot."""
    came_from, figures = answers(asked=asked, read_from=read_from)
    _, must_be = answers(asked=asked, read_from=ReadFrom.RAW)
    differing = [name for name in figures if digest(figures[name]) != digest(must_be[name])]
    return Comparison(
        came_from=came_from,
        wrong=[f"{name} of {asked}: {came_from} {figures[name]}, RAW {must_be[name]}" for name in differing],
    )


def unsound(*, owner: Owner) -> list[str]:
    """What verify finds wrong with the tenant's rollups: the first of each table."""
    return [str(check.first) for check in verify_rollups(owner=owner, now=clock()) if check.failures]


def compared_when_folded(*, owner: Owner, questions: int, chance: Random) -> list[str]:
    """Folds all that waits, and says in what the rollups alone then differ from the ledger.

    A commit that was under way may come between; then that is folded, too.
    """
    for _ in range(MOST_ROUNDS):
        now = clock()
        compact(now=now, tenant_id=owner.id)
        with entered(tenant_id=owner.id, read_only=True):
            if _waits(owner):
                continue
            asked = [random_question(tenant_id=owner.id, now=now, chance=chance) for _ in range(questions)]
            found = [compare(asked=each, read_from=ReadFrom.ROLLUP) for each in asked]
        return [sentence for each in found for sentence in each.wrong]
    return [f"The tail of {owner.slug} is never empty."]


def _waits(owner: Owner) -> bool:
    with connection.cursor() as cursor:
        for family in families():
            cursor.execute(WAITING.format(tail=family.tail), {"tenant": owner.id})
            if cursor.fetchall()[0][0]:
                return True
    return False
