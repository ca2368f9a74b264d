"""Cut-offs of which more is known by now than was then, against a plain comparison of each cut-off with each fact."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from analytics.drift.controls import Cutoff
from analytics.drift.pinned import known_otherwise
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import company
from tests.database.recording import sql

pytestmark = pytest.mark.django_db
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILL = """/* tests.fill */
INSERT INTO task_ledger (tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id, actor_id,
       kind)
SELECT %(tenant)s, 1, row.xact, row.happened_at, row.recorded_at, 1, 1, 0, 1, 1, 2
  FROM unnest(%(xacts)s::bigint[], %(happened)s::timestamptz[], %(recorded)s::timestamptz[])
       AS row (xact, happened_at, recorded_at)
"""
Fact = tuple[int, datetime, datetime]


def facts(chance: Random, *, count: int) -> list[Fact]:
    """Each transaction is one fact, recorded an hour after the one before; some of it had happened long before."""
    recorded = [BEGINNING + HOUR * number for number in range(count)]
    return [
        (1_000 + number, at - HOUR * chance.choice([0, 0, 0, 0, 1, chance.randrange(50)]), at)
        for number, at in enumerate(recorded)
    ]


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
                Cutoff(happened_before=at, known_at=known_at, snapshot=snapshot),
                Cutoff(happened_before=at, snapshot=snapshot),
                Cutoff(happened_before=at, known_at=known_at),
                Cutoff(happened_before=at),
            ]
        )
    return found


def is_seen(fact: Fact, cutoff: Cutoff) -> bool:
    """In plain Python."""
    xact, _, recorded_at = fact
    if cutoff.known_at is not None and recorded_at > cutoff.known_at:
        return False
    if cutoff.snapshot is None:
        return True
    _, end, busy = cutoff.snapshot.split(":")
    return xact < int(end) and str(xact) not in busy.split(",")


def expected(told: list[Fact], asked: Mapping[str, Cutoff]) -> set[str]:
    """Each with each."""
    return {
        key
        for key, cutoff in asked.items()
        if any(fact[1] < cutoff.happened_before and not is_seen(fact, cutoff) for fact in told)
    }


@pytest.mark.parametrize("seed", range(12))
def test_each_cut_off_that_a_fact_lies_across_is_found(seed: int) -> None:
    """P54: and where clocks and snapshots go forward, no other: only those are counted from the ledger."""
    chance = Random(seed)
    told, asked = facts(chance, count=300), cutoffs(chance, count=40)
    tenant_id = company(slug="acme").tenant.id
    sql("SET LOCAL session_replication_role = replica; DELETE FROM definition_ledger")
    columns = list(zip(*told, strict=True))
    values = dict(zip(("xacts", "happened", "recorded"), map(list, columns), strict=True))
    sql(FILL, {"tenant": tenant_id, **values})
    sql("SET LOCAL session_replication_role = origin")
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        assert known_otherwise(tenant_id=tenant_id, cutoffs=asked) == expected(told, asked)
    assert set() < expected(told, asked) < set(asked)


def test_clocks_that_go_backwards_cost_time_and_no_truth() -> None:
    """More lists than are read one by one: what is left over counts as known otherwise."""
    tenant_id = company(slug="acme").tenant.id
    asked = {
        str(number): Cutoff(happened_before=BEGINNING + HOUR * number, known_at=BEGINNING + HOUR * (100 - number))
        for number in range(20)
    }
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        assert known_otherwise(tenant_id=tenant_id, cutoffs=asked) == {str(number) for number in range(8, 20)}
