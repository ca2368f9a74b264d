"""The page of limits: the plan, and refused requests of one tenant."""

import re
from datetime import UTC, datetime, timedelta

from django.test import Client

from tasks_app.errors import Code
from tasks_app.models import TenantPlan
from tasks_app.observing.counting import Counts
from tasks_app.observing.judging import Served, refusals
from tasks_app.observing.rows import write
from tasks_app.rate.plan_changes import set_plan
from tasks_app.tenancy import entered
from tests.admin.scene import signed_in, text
from tests.cast import Cast
from tests.tasks_app.recording import as_owner


def refused(tenant_id: int, *codes: Code, days_ago: int = 0) -> None:
    """One request with these codes."""
    made = Counts()
    at = datetime.now(UTC) - timedelta(days=days_ago)  # noqa: TID251
    served = Served(took=timedelta(seconds=1), codes=frozenset(codes))
    made.add(tenant_id=tenant_id, verdicts=refusals(served), now=at)
    write(made)


def page(client: Client) -> str:
    """Its words."""
    response = client.get("/admin/limits/")
    assert response.status_code == 200
    return re.sub(r"\s+", " ", text(response))


def test_nothing_was_refused_yet(audrey: Client) -> None:
    """The default plan."""
    html = page(audrey)
    assert '<th scope="row">Points a minute of one key or login</th><td class="number">10000</td>' in html
    assert "None in these days." in html


def test_refusals_by_code_and_day(people: Cast, audrey: Client) -> None:
    """Answers, faults of ours and jobs are none; another tenant's are not here."""
    acme = people.acme.tenant.id
    refused(acme, Code.RATE_LIMITED)
    refused(acme, Code.RATE_LIMITED, days_ago=2)
    refused(acme, Code.RATE_LIMITED, Code.NOT_FOUND, days_ago=2)
    refused(acme, Code.INTERNAL, Code.ASYNC_REQUIRED)
    refused(acme)
    refused(people.globex.tenant.id, Code.FORBIDDEN)
    refused(acme, Code.FORBIDDEN, days_ago=40)
    html = page(audrey)
    assert "FORBIDDEN" not in html
    assert "INTERNAL" not in html
    assert "<td>RATE_LIMITED</td>" in html
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()  # noqa: TID251
    assert f'<td class="instant">{day}</td><td class="number">1</td><td class="number">2</td>' in html
    assert "FORBIDDEN" in page(signed_in(people.carol))


def test_a_plan_of_its_own_is_shown(people: Cast, audrey: Client) -> None:
    numbers = {"burst": 9, "tenant_points_a_minute": 9, "tenant_burst": 9, "at_once": 9}
    with as_owner():
        TenantPlan.objects.create(tenant=people.acme.tenant, points_a_minute=777, **numbers)
    assert '<td class="number">777</td>' in page(audrey)


def test_the_plans_changes_are_shown(people: Cast, audrey: Client) -> None:
    """When, what was what before, and by whom; another tenant's plan is not here."""
    assert "Nothing has changed yet." in page(audrey)
    acme = people.acme.tenant.id
    with as_owner():
        for changes in ({"burst": 500}, {"burst": 600, "at_once": 3}):
            with entered(tenant_id=acme, actor_id=people.alice.actor.id, role=None):
                set_plan(tenant_id=acme, changes=changes)
        with entered(tenant_id=acme, role=None):
            TenantPlan.objects.filter(tenant_id=acme).delete()
    html = page(audrey)
    told = ("burst 10000 to 500", "burst 500 to 600, at_once 40 to 3", "burst 600 to 10000, at_once 3 to 40")
    assert [f'<td class="words">{words}</td>' in html for words in told] == [True] * 3
    assert html.index("was taken back") < html.index("was changed") < html.index("was given")
    assert html.count('<td class="words">Alice</td>') == 2
    assert "Nothing has changed yet." in page(signed_in(people.carol))
