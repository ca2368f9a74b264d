"""What was not known at a cut-off and is known by now, against a plain look at each fact for each cut-off."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest

from analytics.engine.rollups.compact import compact
from analytics.flow.reading import old_daily_counts
from analytics.flow.reading.learned_later import learned_later, redefined
from analytics.pure.cutoffs import Cutoff
from tasks_app.models import Kind
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import company
from tests.drift.old_counts import FIRST, ZONE, days_from, midnight, scripted
from tests.flow.loading import seeded
from tests.oracle.facts import Category, StateDefinition
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILL = """/* tests.fill */
INSERT INTO task_ledger (tenant_id, correlation, seq, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id,
       actor_id, kind)
SELECT %s, 1, %s, %s, %s, %s, %s, 1, 0, %s, 1, %s
"""
DEFINE = """/* tests.define */
INSERT INTO definition_ledger (tenant_id, correlation, seq, xact, happened_at, recorded_at, project_id, state_id, actor_id,
       position, waiting, needs_validation, archived, slug, name, category, timezone)
SELECT %s, 1, %s, %s, %s, %s, 1, 1, 1, 0, false, false, false, 'todo', 'To do', 'TODO', ''
"""


class Fact(NamedTuple):
    """One row; state 0 is a discard."""

    seq: int
    xact: int
    happened_at: datetime
    recorded_at: datetime
    task: int
    state: int


def facts(chance: Random, *, count: int) -> list[Fact]:
    """Each transaction is one fact, recorded an hour after the one before; some of it had happened long before."""
    found = []
    for number in range(count):
        at = BEGINNING + HOUR * number
        late = HOUR * chance.choice([0, 0, 0, 0, 1, chance.randrange(50)])
        found.append(Fact(number + 1, 1_000 + number, at - late, at, chance.randrange(1, 30), chance.randrange(4)))
    return found


def cutoffs(chance: Random, *, count: int) -> dict[str, Cutoff]:
    """Some pinned by a clock, some by a snapshot in which some were at work, some by both or nothing, some long after."""
    found, open_ones = dict[str, Cutoff](), set[int]()
    for number in range(count):
        place = 10 * number + (200 if chance.random() < 0.1 else 0)
        at, end = BEGINNING + HOUR * 10 * number, 1_000 + place
        open_ones = {each for each in open_ones if chance.random() < 0.5} | {end - chance.randrange(1, 4)}
        busy = sorted(each for each in open_ones if each < end)
        snapshot = f"{min(busy, default=end)}:{end}:{','.join(map(str, busy))}"
        known_at = BEGINNING + HOUR * place
        found[str(number)] = chance.choice(
            [
                Cutoff(happened_before=at, known_at=known_at, snapshot=snapshot),
                Cutoff(happened_before=at, snapshot=snapshot),
                Cutoff(happened_before=at, known_at=known_at),
                Cutoff(happened_before=at),
            ]
        )
    return found


def is_seen(fact: Fact, cutoff: Cutoff) -> bool:
    """In plain Python."""
    if cutoff.known_at is not None and fact.recorded_at > cutoff.known_at:
        return False
    if cutoff.snapshot is None:
        return True
    _, end, busy = cutoff.snapshot.split(":")
    return fact.xact < int(end) and str(fact.xact) not in busy.split(",")


def standing(told: Sequence[Fact], cutoff: Cutoff, *, then: bool) -> Counter[int]:
    """By state: how many items, by what was known then or by all."""
    last: dict[int, int] = {}
    for fact in sorted(told, key=lambda each: (each.happened_at, each.seq)):
        if fact.happened_at < cutoff.happened_before and (not then or is_seen(fact, cutoff)):
            last[fact.task] = fact.state
    return Counter(state for state in last.values() if state)


def unlike(told: Sequence[Fact], asked: Mapping[str, Cutoff]) -> dict[str, dict[int, int]]:
    """Each with each; differences alone."""
    found = {}
    for key, cutoff in asked.items():
        then, now = (standing(told, cutoff, then=known) for known in (True, False))
        found[key] = {state: then[state] - now[state] for state in then | now if then[state] != now[state]}
    return without_nothing(found)


def without_nothing(found: Mapping[str, Mapping[int, int]]) -> dict[str, dict[int, int]]:
    """No zeros, and no keys that have nothing else."""
    some = {key: {state: items for state, items in each.items() if items} for key, each in found.items()}
    return {key: each for key, each in some.items() if each}


def recorded(told: Sequence[Fact]) -> int:
    """A tenant with these facts, and as many definitions of one state by the same clocks."""
    tenant_id = company(slug="acme").tenant.id
    sql("SET LOCAL session_replication_role = replica; DELETE FROM definition_ledger")
    for each in told:
        seq, xact, happened_at, recorded_at, task, state = each
        kind = Kind.MOVED if state else Kind.DISCARDED
        sql(FILL, [tenant_id, seq, xact, happened_at, recorded_at, task, state, kind])
        sql(DEFINE, [tenant_id, seq, xact, happened_at, recorded_at])
    sql("SET LOCAL session_replication_role = origin")
    return tenant_id


@pytest.mark.parametrize("seed", range(12))
def test_what_was_learned_later_is_taken_back_for_each_cut_off(seed: int) -> None:
    """P54: whatever the order in which facts happened, were recorded and became visible."""
    chance = Random(seed)
    told, asked = facts(chance, count=300), cutoffs(chance, count=40)
    tenant_id = recorded(told)
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        found = without_nothing(learned_later(tenant_id=tenant_id, cutoffs=asked))
        otherwise = redefined(tenant_id=tenant_id, cutoffs=asked)
    assert found == unlike(told, asked) != {}
    assert otherwise == {
        key
        for key, cutoff in asked.items()
        if any(each.happened_at < cutoff.happened_before and not is_seen(each, cutoff) for each in told)
    }


def test_clocks_that_go_backwards_cost_time_and_no_truth() -> None:
    """A list of its own for each."""
    told = facts(Random(99), count=300)
    tenant_id = recorded(told)
    asked = {
        str(number): Cutoff(
            happened_before=BEGINNING + HOUR * 10 * number, known_at=BEGINNING + HOUR * (250 - 10 * number)
        )
        for number in range(20)
    }
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        assert without_nothing(learned_later(tenant_id=tenant_id, cutoffs=asked)) == unlike(told, asked)


def cancelled(state: StateDefinition) -> StateDefinition:
    """The same state, off the board."""
    return replace(state, category=Category.CANCELLED)


def unchecked(state: StateDefinition) -> StateDefinition:
    """The same state, counted as the other kind of work in progress."""
    return replace(state, needs_validation=not state.needs_validation)


@pytest.mark.parametrize("told", [timedelta(0), timedelta(days=3)])
@pytest.mark.parametrize("folded", [False, True])
def test_states_that_were_defined_otherwise_later_are_as_they_were_known(told: timedelta, folded: bool) -> None:
    """P54: on each day what a replay of the ledger says of that day's knowledge, whenever the change was told."""
    history = scripted(days=12)
    changed = {"WEB": cancelled, "OPS": unchecked}
    told_later = tuple(
        replace(
            project,
            workflows=(
                project.workflows[0],
                replace(
                    project.workflows[1],
                    recorded_at=project.workflows[1].happened_at + told,
                    states=tuple(
                        changed[project.key](each) if each.slug == "review" else each
                        for each in project.workflows[1].states
                    ),
                ),
            ),
        )
        for project in history.projects
    )
    loaded = seeded(replace(history, projects=told_later))
    now = midnight(FIRST + timedelta(days=12))
    if folded:
        compact(now=now, tenant_id=loaded.tenant_id)
    asked_of = {
        day.isoformat(): Cutoff(happened_before=midnight(day), known_at=midnight(day)) for day in days_from(FIRST, 12)
    }
    asked: dict[str, Any] = {"tenant_id": loaded.tenant_id, "zone": ZONE, "now": now}
    with entered(tenant_id=loaded.tenant_id, role=DatabaseRole.WORKER, read_only=True):
        replayed = {key: old_daily_counts._read_then(cutoff, **asked) for key, cutoff in asked_of.items()}
        assert bool(redefined(tenant_id=loaded.tenant_id, cutoffs=asked_of)) == bool(told)
        assert old_daily_counts.counts_at(cutoffs=asked_of, **asked) == replayed
    assert len({str(each) for each in replayed.values()}) > 9
