"""The page of restated months: what was published, what is known today, and the ledger's rows between the two."""

import json
import re
from datetime import UTC, datetime, timedelta

from django.test import Client

from analytics.drift.controls import Capability
from analytics.models import DriftRest
from tasks_app.models import Tenant
from tasks_app.tenancy import DatabaseRole, entered
from tests.admin.scene import SECRET, text
from tests.cast import Cast

NOW = datetime.now(UTC)  # noqa: TID251 - the page shows the months before now
# A stored day that ended a month which was over long before now.
FIRST = (NOW - timedelta(days=70)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
MONTH = f"{FIRST - timedelta(days=1):%Y-%m}"
PAGE = "/admin/dual-run/months/"


def published(tenant: Tenant, **figures: int) -> None:
    """By its last day, before anything of the scene was told."""
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER):
        DriftRest.objects.create(
            tenant=tenant,
            capability=Capability.CUMULATIVE_FLOW.value,
            day=FIRST.date(),
            verdict="MATCH",
            figures=json.dumps({"todo": 0, "in_progress": 0, "review": 0, "done": 0, **figures}),
            until=FIRST,
            known_at=FIRST,
            compared_at=FIRST,
        )


def test_a_month_that_is_another_one_today_names_the_rows(people: Cast, audrey: Client) -> None:
    """P54: what was published is struck out, and each row leads to its item."""
    published(people.alice.membership.tenant, done=7)
    page = text(audrey.get(PAGE))
    assert f'<a href="?month={MONTH}">{MONTH}</a>' in page
    assert "<s>7</s>" in page
    assert "What was learned since" not in page
    page = text(audrey.get(f"{PAGE}?month={MONTH}"))
    rows = re.findall(r'<a href="/admin/tasks/(\S+)/">\1</a></td><td>(\w+)</td>', page)
    assert ("WEB-1", "CREATED") in rows
    assert SECRET not in page


def test_a_month_that_was_not_published_is_not_there(people: Cast, audrey: Client) -> None:
    """Neither one of another tenant, nor one of no calendar."""
    published(people.carol.membership.tenant)
    page = text(audrey.get(PAGE))
    assert "No month is published yet" in page
    for asked in (MONTH, "1999-01", "soon", MONTH + "-01"):
        assert audrey.get(PAGE, {"month": asked}).status_code == 404
