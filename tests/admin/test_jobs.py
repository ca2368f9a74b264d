"""The page of jobs: how far each is, and nothing of what was asked or answered."""

from datetime import UTC, datetime, timedelta

from django.test import Client

from analytics.jobs import rows
from analytics.jobs.rows import Claim, Ending, Submission
from analytics.models import JobState
from tasks_app.tenancy import DatabaseRole, entered
from tests.admin.scene import text
from tests.cast import Cast, Person

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "query Secret { __typename }"


def submitted(person: Person, *, name: int) -> int:
    """A job of that person's."""
    tenant_id = person.membership.tenant_id
    asked = Submission(
        tenant_id=tenant_id,
        actor_id=person.actor.id,
        document=SECRET,
        variables='{"who": "Mallory"}',
        fingerprint=name.to_bytes(32),
        rights=bytes(32),
        estimated_cost=3_400_000,
        lasting=False,
    )
    with entered(tenant_id=tenant_id, actor_id=person.actor.id):
        return rows.submit(asked, now=NOW)[0].id


def claimed(person: Person, job_id: int) -> Claim:
    """The job, begun two seconds after it was asked for."""
    tenant_id = person.membership.tenant_id
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
        found = rows.claim(tenant_id=tenant_id, job_id=job_id, now=NOW + timedelta(seconds=2))
    assert found
    return found


def test_a_job_is_shown_with_its_progress(people: Cast, audrey: Client) -> None:
    """One at 40 %, one that failed and one that waits; of another tenant's nothing. The page looks again by itself."""
    half, failed = (claimed(people.alice, submitted(people.alice, name=name)) for name in (1, 2))
    submitted(people.bob, name=3)
    other = submitted(people.carol, name=4)
    with entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.WORKER):
        rows.beat(half, progress=0.4, now=NOW)
        ending = Ending(state=JobState.FAILED, error_code="NOT_FOUND", error_message="There is no <project>.")
        rows.finish(failed, ending, now=NOW + timedelta(seconds=9))
    page = text(audrey.get("/admin/jobs/"))
    assert '<progress max="100" value="40">40 %</progress>' in page
    assert "<strong>1</strong> running, <strong>1</strong> waiting" in page
    assert "NOT_FOUND: There is no &lt;project&gt;." in page
    assert '<td class="number">2.0</td><td class="number">7.0</td>' in page
    assert '<td class="number">3.4</td>' in page
    assert '<meta http-equiv="refresh" content="5">' in page
    assert f'<td class="number">{other}</td>' not in page
    assert "Secret" not in page
    assert "Mallory" not in page


def test_without_jobs_it_says_so(people: Cast, audrey: Client) -> None:
    page = text(audrey.get("/admin/jobs/"))
    assert "There are no jobs." in page
    assert "refresh" not in page
