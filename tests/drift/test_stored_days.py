"""Stored daily figures compared on a schedule, and published figures that late facts made others."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

import pytest

from analytics.drift import controls
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability, register
from analytics.drift.stored_day_checks import compare_rest, explained, restatements
from analytics.engine.rollups.compact import owners
from analytics.models import DriftComparison, DriftRest
from tasks_app.models import Kind, TaskLedger, TaskTail, Tenant
from tasks_app.tenancy import DatabaseRole, entered
from tests.drift.old_counts import FIRST, ZONE, OldSystem, days_from, midnight, scripted
from tests.flow.loading import Loaded, seeded
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db
FLOW = Capability.CUMULATIVE_FLOW
DAYS = 12
NOW = midnight(FIRST + timedelta(days=DAYS - 1)) + timedelta(hours=30)


@pytest.fixture
def old(db: None) -> Iterator[OldSystem]:
    """Twelve days of one tenant, whose job slept in one night."""
    history = scripted(days=DAYS)
    loaded: Loaded = seeded(history)
    Tenant.objects.filter(id=loaded.tenant_id).update(timezone=ZONE)
    found = OldSystem(history=history, slug=Tenant.objects.get(id=loaded.tenant_id).slug)
    found.slept = days_from(FIRST + timedelta(days=6), 1)
    before = dict(controls.registered())
    register(capability=FLOW, control=found)
    yield found
    controls._registered.update(before)


def verdicts() -> dict[str, str]:
    return {each.day.isoformat(): each.verdict for each in DriftRest.objects.order_by("day")}


def test_each_stored_day_is_compared_once(old: OldSystem) -> None:
    """A comparison a day; the night without a job is an error of the older side. Again there is nothing to do."""
    asked = compare_rest(now=NOW, chance=Random(1))
    assert asked["compared"] == DAYS + 1
    assert list(verdicts().values()) == ["MATCH"] * 6 + ["LEGACY_ERROR"] + ["MATCH"] * 6
    assert compare_rest(now=NOW, chance=Random(1))["compared"] == 0
    assert {each.stratum for each in DriftComparison.objects.all()} == {"AT_REST"}
    assert DriftComparison.objects.count() == DAYS + 1


def test_a_date_that_never_was_is_owed_by_nobody(old: OldSystem) -> None:
    """P52: Apia went from 29 to 31 December 2011, and no job slept."""
    zone, first = "Pacific/Apia", date(2011, 12, 24)
    history = scripted(days=DAYS, zone=zone, first=first)
    tenant_id = seeded(history).tenant_id
    Tenant.objects.filter(id=tenant_id).update(timezone=zone)
    slug = Tenant.objects.get(id=tenant_id).slug
    register(capability=FLOW, control=OldSystem(history=history, slug=slug, zone=zone, first=first))
    compare_rest(now=midnight(first + timedelta(days=DAYS - 1), zone) + timedelta(hours=9), chance=Random(1))
    found = {each.day: each.verdict for each in DriftRest.objects.filter(tenant_id=tenant_id)}
    assert found == dict.fromkeys(set(days_from(first, DAYS)) - {date(2011, 12, 30)}, "MATCH")


def test_what_is_filled_in_later_is_compared_then(old: OldSystem) -> None:
    """The backfill invents the night that was slept through: drift, on that day alone."""
    compare_rest(now=NOW, chance=Random(1))
    (night,) = old.slept
    old.invented = {night: midnight(FIRST + timedelta(days=DAYS - 1))}
    assert compare_rest(now=NOW, chance=Random(1))["compared"] == 1
    assert {day for day, verdict in verdicts().items() if verdict == "DRIFT"} == {night.isoformat()}


def test_a_published_figure_that_changed_is_explained_by_the_ledger(old: OldSystem) -> None:
    """P54: a late fact makes past days others; the rows that were learned since say why."""
    compare_rest(now=NOW, chance=Random(1))
    before = {each.day: each.restated for each in DriftRest.objects.all()}
    last = {row.task_id: row for row in TaskLedger.objects.filter(kind__lte=5).order_by("happened_at", "seq")}
    row = next(each for each in last.values() if each.kind == Kind.CREATED)
    sql("SET LOCAL session_replication_role = replica")
    late = TaskLedger.objects.create(
        seq=row.seq + 1_000_000,
        tenant_id=row.tenant_id,
        correlation=1,
        xact=1,
        happened_at=row.happened_at + timedelta(microseconds=1),
        recorded_at=NOW,
        task_id=row.task_id,
        project_id=row.project_id,
        from_id=row.to_id,
        to_id=0,
        actor_id=row.actor_id,
        kind=Kind.DISCARDED,
    )
    TaskTail.objects.create(tenant_id=row.tenant_id, seq=late.seq)
    sql("SET LOCAL session_replication_role = origin")
    owner = next(each for each in owners() if each.id == row.tenant_id)
    found = restatements(owner=owner, declaration=DECLARED[FLOW], now=NOW)
    assert found
    assert any(
        json.loads(each.restated or "{}") != json.loads(before[each.day] or "{}") for each in DriftRest.objects.all()
    )
    changed = next(each for each in found if late.happened_at < each.until)
    with entered(tenant_id=row.tenant_id, role=DatabaseRole.WORKER, read_only=True):
        assert late.seq in [
            each.seq for each in explained(tenant_id=row.tenant_id, declaration=DECLARED[FLOW], restated=changed)
        ]


def test_an_older_side_that_cannot_be_asked_says_so_once(old: OldSystem) -> None:
    """One failure is one comparison, and no tenant's days are touched by it."""

    class Failing(OldSystem):
        def answer(self, **asked: object) -> controls.LegacyAnswer | controls.LegacyFailure:
            raise RuntimeError

    register(capability=FLOW, control=Failing(history=old.history, slug=old.slug))
    assert compare_rest(now=NOW, chance=Random(1))["compared"] == 1
    assert [each.verdict for each in DriftComparison.objects.all()] == ["LEGACY_ERROR"]
    assert DriftRest.objects.count() == 0
