"""Requests to the first version of the endpoints that nobody should send: the right status, and an error in the old shape."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from analytics.models import DriftDue
from tasks_app.models import ApiKey, Scope, TenantPlan
from tasks_app.rate.plans import known_plans
from tests.cast import Cast, cast
from tests.graphql.client import Asker, new_key, with_key
from tests.legacy.test_contract import CFD, SUMMARY, body, stored

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)  # noqa: TID251 - a key expires, and the newest day is today
BOTH = (CFD, SUMMARY)


@pytest.fixture
def people(db: Any) -> Iterator[Cast]:
    """Acme has a day of 1, 2, 3 and 4 items; Globex one of 7 each."""
    made = cast()
    stored(made.acme.tenant, NOW.date(), 1, 2, 3, 4)
    stored(made.globex.tenant, NOW.date(), 7, 7, 7, 7)
    known_plans.forget()
    yield made
    known_plans.forget()


@pytest.fixture
def secret(people: Cast) -> str:
    """Acme's key."""
    return new_key(tenant_id=people.acme.tenant.id, scopes=(Scope.ANALYTICS_READ,))


def sent(url: str, secret: str, *, method: str = "get", headers: Mapping[str, str] | None = None) -> Any:
    return getattr(Client(), method)(url, headers={"Authorization": f"Bearer {secret}", **(headers or {})})


def code(response: Any, *, status: int) -> str:
    """The error's code; the whole body fits the schema, and nothing of Globex is in it."""
    found = body(response, status=status, shape="error.v1")
    assert "globex" not in response.content.decode()
    assert response["Deprecation"]
    return str(found["error"]["code"])


@pytest.mark.parametrize("url", BOTH)
def test_head_is_get_without_a_body(secret: str, url: str) -> None:
    """The same status and headers."""
    head, got = sent(url, secret, method="head"), sent(url, secret)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("X-Answered-By", "X-Stage", "X-Flag-Version", "Deprecation", "Content-Type", "Content-Length"):
        assert head.get(name) == got.get(name), name


@pytest.mark.parametrize("url", BOTH)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_other_methods_are_refused_with_a_key_too(secret: str, url: str, method: str) -> None:
    """And say which there are."""
    response = sent(url, secret, method=method)
    if method != "trace":
        assert code(response, status=405) == "BAD_USER_INPUT"
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(
            (f"days={text}", 400)
            for text in ("0", "-1", "1e9", "%D9%A3", "+5", "5+", "0x5", "5_0", "3661", "%00", "%ff")
        ),
        *((f"days={text}", 400) for text in ("", "NaN", "1.0", "9" * 5_000, "5,5", "5;6", "²", "[5]")),
        *((f"days={text}", 200) for text in ("1", "007", "3660")),
        *(
            (text, 200)
            for text in ("", "colour=blue", "Days=0", "days[]=0", "page=-1&tenant=globex&organisation=globex")
        ),
        ("days=3&days=5", 200),
        ("days=5&days=0", 400),
    ],
)
def test_parameters(secret: str, query: str, status: int) -> None:
    """Unknown ones are ignored and of a repeated one the last counts, as it was; nothing else is taken for a number."""
    response = sent(f"{CFD}?{query}", secret)
    if status == 400:
        assert code(response, status=400) == "BAD_USER_INPUT"
    else:
        assert [each["todo"] for each in body(response, shape="cfd.v1")["days"]] == [1]


@pytest.mark.parametrize("url", BOTH)
def test_a_key_of_another_tenant_finds_nothing_of_this_one(people: Cast, url: str) -> None:
    """P63: its own days; with this tenant's name it is nobody's business whether there is such a tenant."""
    theirs = new_key(tenant_id=people.globex.tenant.id)
    assert b"acme" not in sent(url, theirs).content
    told = []
    for slug in ("acme", "nowhere", "a\tb"):
        response = sent(url, theirs, headers={"X-Tenant": slug})
        told.append(body(response, status=403, shape="error.v1")["error"]["message"].replace(slug, "N"))
    assert len(set(told)) == 1, told


@pytest.mark.parametrize("url", BOTH)
@pytest.mark.parametrize("how", ["expired", "revoked", "torn", "longer", "no key at all", "nobody's", "with NUL"])
def test_a_key_that_opens_nothing(people: Cast, secret: str, url: str, how: str) -> None:
    """401 in the old shape, and how to sign in."""
    change = {
        "expired": {"expires_at": NOW - timedelta(seconds=1)},
        "revoked": {"revoked_at": NOW},
    }
    text = {"torn": secret[:-1], "longer": secret + "x", "no key at all": "", "nobody's": "fl_" + "a" * 40}
    if how in change:
        ApiKey.objects.update(**change[how])
    response = sent(url, text.get(how, secret if how != "with NUL" else secret[:5] + "\x00" + secret[5:]))
    assert code(response, status=401) == "UNAUTHENTICATED"
    assert response["WWW-Authenticate"].startswith('Bearer realm="flowledger"')
    assert secret not in response.content.decode()


@pytest.mark.parametrize("url", BOTH)
@pytest.mark.parametrize("scope", [Scope.TASKS_READ, Scope.TASKS_WRITE])
def test_a_key_without_the_scope(people: Cast, url: str, scope: str) -> None:
    other = new_key(tenant_id=people.acme.tenant.id, scopes=(scope,))
    assert code(sent(url, other), status=403) == "FORBIDDEN"


def test_who_asks_too_often_is_told_when_to_come_back(people: Cast, secret: str) -> None:
    """By the points of the plan, as over GraphQL; the limits are in headers."""
    TenantPlan.objects.create(
        tenant=people.acme.tenant,
        points_a_minute=6,
        burst=5,
        tenant_points_a_minute=600,
        tenant_burst=600,
        at_once=5,
    )
    known_plans.forget()
    responses = [sent(CFD, secret) for _ in range(12)]
    limited = [each for each in responses if each.status_code != 200]
    assert limited
    assert code(limited[0], status=429) == "RATE_LIMITED"
    assert int(limited[0]["Retry-After"]) >= 1
    assert "RateLimit-Policy" in limited[0]


def test_in_shadow_only_what_was_answered_is_owed(people: Cast, secret: str) -> None:
    """Neither a refused request nor one for the newest day."""
    asker: Asker = with_key(new_key(tenant_id=people.acme.tenant.id))
    shadow = {"capability": "CUMULATIVE_FLOW", "stage": "SHADOW", "reason": "Let us see."}
    assert asker.mutate("setStage", "stage { stage }", **shadow)["errors"] == []
    for url in (f"{CFD}?days=0", SUMMARY):
        sent(url, secret)
    sent(CFD, "nobody's")
    assert DriftDue.objects.count() == 0
    assert sent(f"{CFD}?days=5", secret)["X-Stage"] == "SHADOW"
    assert DriftDue.objects.get().days == 5
