"""Positions: an answer is kept and called fresh by the ledgers of its own families, and by no others."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.engine.family import Family
from analytics.engine.reading.cache import answer_key
from analytics.engine.reading.ledger_position import Position, oldest_in_tail, position
from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.receipts import FreshnessStatus, Proven, proven, receipt
from analytics.engine.rollups.compact import compact
from analytics.pure.zones import ONE_DAY
from tasks_app.models import Tenant
from tasks_app.tenancy import entered
from tests.cast import company
from tests.engine.families import samples, time_entries
from tests.engine.families.random_facts import DAWN
from tests.engine.families.samples import SAMPLES, Sample
from tests.engine.families.tables import created, recorded
from tests.engine.families.time_entries import TIME_ENTRIES, TimeEntry
from tests.spec.runner import LONG_AFTER
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
HOURS, READINGS, BOTH = [TIME_ENTRIES], [SAMPLES], [TIME_ENTRIES, SAMPLES]


@pytest.fixture
def tenant(db: Any) -> Tenant:
    """Its hours and its readings are two ledgers; so far they have no facts."""
    created(time_entries.SHAPE)
    created(samples.SHAPE)
    return company(slug="acme").tenant


def worked(tenant: Tenant, seq: int) -> None:
    """An entry more, in the tail."""
    recorded(shape=time_entries.SHAPE, tenant_id=tenant.id, facts=[TimeEntry(seq, DAWN, seq, 1, 1, 7, 3600)])


def measured(tenant: Tenant, seq: int) -> None:
    """A reading more, in the tail."""
    recorded(shape=samples.SHAPE, tenant_id=tenant.id, facts=[Sample(seq, DAWN, 1, 0.1)])


def folded(tenant: Tenant, families: Sequence[Family]) -> None:
    compact(now=LONG_AFTER, tenant_id=tenant.id, families=families)


def where(tenant: Tenant, families: Sequence[Family]) -> Position:
    """Where a query stands."""
    with entered(tenant_id=tenant.id, read_only=True):
        return position(tenant_id=tenant.id, families=families)


def question(tenant: Tenant, families: Sequence[Family]) -> WindowQuestion:
    """Of a day long ago."""
    return WindowQuestion(
        tenant_id=tenant.id,
        families=tuple(family.name for family in families),
        capability=None,
        project_id=None,
        start=DAWN,
        end=DAWN + ONE_DAY,
        bucket="DAY",
        zone="UTC",
        fiscal_year_start_month=1,
        now=LONG_AFTER,
        known_at=None,
        as_defined_now=False,
        assignee_id=None,
        actor_id=None,
        figures={},
    )


def key(tenant: Tenant, families: Sequence[Family]) -> str | None:
    """What the answer to the question is kept by; the position is of both families."""
    return answer_key(
        question=question(tenant, families),
        position=where(tenant, BOTH),
        read_from=ReadFrom.MERGED,
        buckets=1,
        metric_version="tests/1",
    )


def proof(tenant: Tenant, families: Sequence[Family], *, now: datetime) -> Proven:
    """Of an answer of those families, at a position of both."""
    found = receipt(figures={}, metric_version="tests/1", raw_rows=0, known_at=now, timezone="UTC")
    return proven(
        receipt=found,
        position=where(tenant, BOTH),
        question=question(tenant, families),
        folded_until=None,
        threshold=SECOND,
    )


def test_an_answer_is_kept_by_the_ledgers_of_its_own_families(tenant: Tenant) -> None:
    """What another family records and folds makes neither another key nor none; its own does both."""
    worked(tenant, 1)
    measured(tenant, 1)
    folded(tenant, BOTH)
    hours, readings, both = key(tenant, HOURS), key(tenant, READINGS), key(tenant, BOTH)
    assert None not in {hours, readings, both}
    assert len({hours, readings, both}) == 3
    measured(tenant, 2)
    assert (key(tenant, HOURS), key(tenant, READINGS), key(tenant, BOTH)) == (hours, None, None)
    folded(tenant, READINGS)
    assert key(tenant, HOURS) == hours
    assert key(tenant, READINGS) not in {None, readings}
    assert key(tenant, BOTH) not in {None, both}


def test_an_answer_is_as_fresh_as_its_own_families(tenant: Tenant) -> None:
    """Readings that come all the time do not make hours fresh that nobody recorded."""
    measured(tenant, 1)
    now = datetime.now(UTC)  # noqa: TID251
    assert proof(tenant, HOURS, now=now).freshness.status is FreshnessStatus.UNKNOWN
    assert proof(tenant, READINGS, now=now).freshness.status is FreshnessStatus.FRESH
    sql("ALTER TABLE sample_ledger DISABLE TRIGGER USER")
    sql("UPDATE sample_ledger SET recorded_at = recorded_at - interval '2 days' WHERE tenant_id = %s", [tenant.id])
    sql("ALTER TABLE sample_ledger ENABLE TRIGGER USER")
    worked(tenant, 1)
    assert proof(tenant, HOURS, now=now).freshness.status is FreshnessStatus.FRESH
    assert proof(tenant, READINGS, now=now).freshness.status is FreshnessStatus.IDLE
    assert proof(tenant, BOTH, now=now).freshness.status is FreshnessStatus.FRESH


def test_what_waits_is_told_by_family(tenant: Tenant) -> None:
    worked(tenant, 1)
    measured(tenant, 1)
    measured(tenant, 2)
    folded(tenant, HOURS)
    place = where(tenant, BOTH)
    assert [(each.family.name, each.folded_facts, each.tail_rows) for each in place.families] == [
        ("tests.time_entries", 1, 0),
        ("tests.samples", None, 2),
    ]
    assert (place.folded_facts, place.tail_rows) == (1, 2)
    assert (place.of(["tests.samples"]).folded_facts, place.of(["tests.samples"]).tail_rows) == (0, 2)
    with entered(tenant_id=tenant.id, read_only=True):
        oldest = [oldest_in_tail(tenant_id=tenant.id, families=each) for each in (HOURS, READINGS, BOTH)]
    first = sql("SELECT min(recorded_at) FROM sample_ledger WHERE tenant_id = %s", [tenant.id])[0][0]
    assert oldest == [None, first, first]


def test_a_position_of_other_families_proves_nothing(tenant: Tenant) -> None:
    """Nor is there a position of no family at all."""
    place = where(tenant, HOURS)
    with pytest.raises(ValueError, match=r"position: it says nothing of tests\.samples; ask for the position of all"):
        answer_key(
            question=question(tenant, BOTH),
            position=place,
            read_from=ReadFrom.MERGED,
            buckets=1,
            metric_version="tests/1",
        )
    with pytest.raises(ValueError, match=r"families: name at least one"):
        where(tenant, [])
