"""What is right is no alarm, wherever the clock is and whoever writes meanwhile. A thousand of them are in `drift_recall`."""

from datetime import timedelta

import pytest

from analytics.drift.arithmetic.verdicts import Verdict
from analytics.legacy.midnight import Organisation
from analytics.switching import counted_flow
from tasks_app.tenancy import DatabaseRole, entered
from tests.drift.clean_comparisons import DAYS, PLACES, clean, written_to
from tests.drift.old_counts import counted, days_from, ever_was, midnight
from tests.drift.scene import compared

DAYS_ASKED = 12


@pytest.mark.django_db
@pytest.mark.parametrize("name", PLACES)
def test_no_clock_is_an_alarm(name: str) -> None:
    """P50: about the midnights and the changes of the clock, midnights that never were and days that never were."""
    made = clean(name, folded=0.5)
    for number, at in enumerate(made.moments()[::5]):
        found = compared(made.scene, at=at, days=DAYS_ASKED, chance=number, now=made.now)
        assert found.finding.verdict is Verdict.MATCH, (at, found.finding.reason)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PLACES)
def test_what_is_served_is_what_a_job_with_all_knowledge_counts(name: str) -> None:
    """P50, P52: our diagram in the old shape has each date that was, with the board as that day began."""
    made = clean(name, folded=0.5)
    tenant = Organisation(id=made.scene.loaded.tenant_id, slug=made.scene.old.slug, timezone=made.zone)
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, read_only=True):
        served = counted_flow(tenant=tenant, days=DAYS + 3, now=made.now)
    first, last = made.first + timedelta(days=1), made.first + timedelta(days=DAYS)
    later = made.now + timedelta(days=9)
    assert [day for day in served["days"] if day["date"] >= first.isoformat()] == [
        {"date": day.isoformat(), **counted(made.scene.old.history, cut=midnight(day, made.zone), known=later)}
        for day in days_from(first, (last - first).days + 1)
        if ever_was(day, made.zone)
    ]


@pytest.mark.django_db(transaction=True)
def test_who_writes_meanwhile_is_no_alarm() -> None:
    """Late facts, moves and folding between any two statements of a comparison."""
    made = clean("spring", folded=0.5)
    with written_to(made) as writing:
        for number, at in enumerate(made.moments()[::5]):
            found = compared(made.scene, at=at, days=DAYS_ASKED, chance=number, now=made.now)
            assert found.finding.verdict is Verdict.MATCH, (at, found.finding.reason)
    assert writing.committed > 10
