"""The demo's dual run: a job that slept three nights, found out by the machinery that everybody has."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.drift import store
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.controls import Capability
from analytics.drift.stages import changes, stage_of
from analytics.management.demo import SLEPT, Shown, begin, live_dual_run
from analytics.models import DriftComparison, DriftDrill, DriftDue, DriftRest, LegacyDailyMetric
from analytics.pure.stages import Stage
from tasks_app.demo import acme
from tasks_app.demo.today import live_through
from tasks_app.demo.writing import found_tenant
from tasks_app.operations.tenants import create_tenant, tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import TenantFacts, entered

pytestmark = pytest.mark.django_db
FLOW = Capability.CUMULATIVE_FLOW
NOW = datetime.now(UTC)  # noqa: TID251 - triggers ask the real clock
TODAY = NOW.astimezone(ZoneInfo("Europe/Stockholm")).date()
NIGHTS = [TODAY - timedelta(days=ago) for ago in SLEPT]


@pytest.fixture
def tenant(db: None) -> TenantFacts:
    """Acme of the demo, told up to now."""
    people = found_tenant(story=acme.STORY, now=NOW)
    live_through(story=acme.STORY, people=people, now=NOW)
    return tenant_named(slug="acme")


def test_three_nights_are_found_out_and_no_other(tenant: TenantFacts) -> None:
    """Every night that was counted is a match; the slept ones were errors of the older side, and are drift since."""
    shown = live_dual_run(tenant=tenant, now=NOW)
    rest = {each.day: each.verdict for each in DriftRest.objects.all()}
    assert Counter(rest.values()) == {"MATCH": len(rest) - 3, "DRIFT": 3}
    assert len(rest) > 175
    assert [day for day, verdict in sorted(rest.items()) if verdict == "DRIFT"] == NIGHTS
    with entered(tenant_id=tenant.id, read_only=True):
        parity, _ = store.parity(tenant_id=tenant.id, capability=FLOW, first=TODAY, last=TODAY)
        standing = stage_of(tenant_id=tenant.id, capability=FLOW)
    by_verdict = {verdict: count for verdict, count in parity.by_verdict.items() if count}
    assert by_verdict == {Verdict.MATCH: len(rest) - 3 + 2, Verdict.DRIFT: 3 + 2, Verdict.LEGACY_ERROR: 3 + 2}
    assert standing.flag.stage is Stage.SHADOW
    assert DriftDrill.objects.get().ok
    assert not DriftDue.objects.exists()
    (cause,) = shown.causes
    assert cause.startswith(
        f"3 nights from {NIGHTS[0]} to {NIGHTS[2]} were invented: each repeats the board of {TODAY} ("
    )
    assert f"3 nights from {NIGHTS[0]} to {NIGHTS[2]} were slept through, and filled in later." in shown.remarks


# The story's past is one transaction and each late report another, as in the demo itself.
@pytest.mark.django_db(transaction=True)
def test_what_was_told_late_is_no_drift(tenant: TenantFacts) -> None:
    """P15: the story's late reports were made after the nights had been counted."""
    shown = live_dual_run(tenant=tenant, now=NOW)
    restated = [each.day for each in DriftRest.objects.exclude(restated="").order_by("day")]
    assert restated[-1] == TODAY
    assert 4 <= len(restated) <= 6
    assert [each.verdict for each in DriftRest.objects.exclude(restated="")] == ["MATCH"] * len(restated)
    assert any(each.startswith(f"{len(restated)} nights from {restated[0]} to {TODAY}") for each in shown.remarks)


def test_the_seeded_nights_say_what_they_are(tenant: TenantFacts) -> None:
    """Each row was written when the demo was made, and the switch's ledger says so; those made up are marked as such."""
    live_dual_run(tenant=tenant, now=NOW)
    rows = LegacyDailyMetric.objects.filter(tenant_id=tenant.id)
    assert sorted(row.date for row in rows if row.invented) == NIGHTS
    assert all(row.known_at - row.counted_at > timedelta(0) for row in rows if not row.invented)
    assert {row.known_at.astimezone(UTC).date() for row in rows} <= {NOW.date(), NOW.date() + timedelta(days=1)}
    with entered(tenant_id=tenant.id, read_only=True):
        first = changes(tenant_id=tenant.id, capability=FLOW)[-1]
    assert "were counted when the demo was made" in first.reason


def test_again_adds_nothing_and_a_killed_one_is_taken_up(tenant: TenantFacts) -> None:
    begin(tenant=tenant, now=NOW)
    counted = LegacyDailyMetric.objects.count()
    shown: Shown = live_dual_run(tenant=tenant, now=NOW)
    assert LegacyDailyMetric.objects.count() == counted + 3
    before = DriftComparison.objects.count(), DriftDrill.objects.count()
    assert live_dual_run(tenant=tenant, now=NOW + timedelta(days=2)).causes == shown.causes
    assert (DriftComparison.objects.count(), DriftDrill.objects.count()) == before
    assert LegacyDailyMetric.objects.count() == counted + 3


def test_nothing_is_made_up_for_anybody_else(db: None) -> None:
    create_tenant(slug="real", name="Real", timezone="UTC", fiscal_year_start_month=1)
    with pytest.raises(Refused, match=r"^--tenant: the demo did not make 'real', and makes nothing up for others\.$"):
        live_dual_run(tenant=tenant_named(slug="real"), now=NOW)
    assert not LegacyDailyMetric.objects.exists()
