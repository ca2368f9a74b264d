"""The first version of the endpoints: its shapes are schemas, and they and its flaws do not change."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from analytics.legacy import views
from analytics.models import LegacyDailyMetric
from config.urls import graphql
from tasks_app.graphql.asking import admit, open_request
from tasks_app.models import Scope
from tests.cast import Cast, cast
from tests.graphql.client import new_key

SCHEMAS = Path(views.__file__).parent / "schemas"
CFD, SUMMARY = "/api/v1/analytics/cfd", "/api/v1/analytics/summary"
AT = datetime(2026, 3, 2, 0, 3, 4, 567_890, tzinfo=UTC)


def schema(name: str) -> Draft202012Validator:
    """The schema of that name, which must be one."""
    found = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def stored(tenant: Any, day: date, *counts: int, invented: bool = False, at: datetime = AT) -> None:
    """A row of the job."""
    todo, in_progress, review, done = counts
    LegacyDailyMetric.objects.create(
        tenant=tenant,
        date=day,
        todo=todo,
        in_progress=in_progress,
        review=review,
        done=done,
        counted_at=at,
        known_at=at,
        invented=invented,
    )


@pytest.fixture
def people(db: None) -> Cast:
    """Acme and Globex, each with a key."""
    return cast()


def get(
    url: str,
    tenant: Any,
    *,
    scopes: tuple[str, ...] = (Scope.ANALYTICS_READ,),
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The answer to a key of that tenant."""
    secret = new_key(tenant_id=tenant.id, scopes=scopes)
    return Client().get(url, headers={"Authorization": f"Bearer {secret}", **(headers or {})})


def body(response: Any, *, status: int = 200, shape: str) -> Any:
    """The body, which must have that status and fit that schema."""
    found = json.loads(response.content)
    assert response.status_code == status, found
    assert list(schema(shape).iter_errors(found)) == []
    return found


def test_the_diagram_as_it_was(people: Cast) -> None:
    """To the letter: keys in their order, dates, seconds without parts. A missed day is missing, an invented one not marked."""
    acme, today = people.acme.tenant, datetime.now(UTC).date()  # noqa: TID251
    days = [today - timedelta(days=number) for number in (3, 1, 0)]
    stored(acme, days[0], 1, 2, 3, 4)
    stored(acme, days[1], 5, 6, 7, 8, invented=True, at=AT + timedelta(days=1))
    stored(acme, days[2], 9, 10, 11, 12)
    response = get(f"{CFD}?days=4", acme)
    assert response.content.decode() == (
        '{"version":1,"organisation":"acme","timezone":"UTC","generated_at":"2026-03-02T00:03:04Z","days":['
        f'{{"date":"{days[0]}","todo":1,"in_progress":2,"review":3,"done":4}},'
        f'{{"date":"{days[1]}","todo":5,"in_progress":6,"review":7,"done":8}},'
        f'{{"date":"{days[2]}","todo":9,"in_progress":10,"review":11,"done":12}}]}}'
    )
    body(response, shape="cfd.v1")


def test_the_diagram_of_nothing(people: Cast) -> None:
    """Before the first midnight: no day, and no instant."""
    found = body(get(CFD, people.acme.tenant), shape="cfd.v1")
    assert found == {"version": 1, "organisation": "acme", "timezone": "UTC", "generated_at": None, "days": []}


def test_the_last_days_are_local_dates(people: Cast) -> None:
    """So many dates with the running one, not so many rows: the older ones are not given in their place."""
    acme, today = people.acme.tenant, datetime.now(UTC).date()  # noqa: TID251
    for number in range(0, 40, 2):
        stored(acme, today - timedelta(days=number), number, 0, 0, 0)
    assert [day["todo"] for day in body(get(f"{CFD}?days=5", acme), shape="cfd.v1")["days"]] == [4, 2, 0]
    assert len(body(get(CFD, acme), shape="cfd.v1")["days"]) == 15


def test_the_summary_as_it_was(people: Cast) -> None:
    """The newest stored day, however old; the day is not said to be old."""
    stored(people.acme.tenant, date(2026, 3, 1), 1, 2, 3, 4)
    stored(people.acme.tenant, date(2026, 3, 2), 5, 6, 7, 8)
    response = get(SUMMARY, people.acme.tenant)
    assert response.content.decode() == (
        '{"version":1,"organisation":"acme","date":"2026-03-02","todo":5,"in_progress":6,"review":7,"done":8,"total":26}'
    )
    body(response, shape="summary.v1")


def test_a_summary_of_nothing_is_not_found(people: Cast) -> None:
    found = body(get(SUMMARY, people.acme.tenant), status=404, shape="error.v1")
    assert found["error"] == {
        "code": "NOT_FOUND",
        "message": "No day is stored yet: the job counts the board at midnight.",
    }


@pytest.mark.parametrize("url", [CFD, SUMMARY])
def test_each_answer_says_that_it_is_deprecated_and_who_gave_it(people: Cast, url: str) -> None:
    """RFC 9745 and 8594, and where to go instead. Errors say so, too, but not who answered."""
    stored(people.acme.tenant, date(2026, 3, 2), 5, 6, 7, 8)
    response = get(url, people.acme.tenant)
    told = {
        "Deprecation": "@1793491200",
        "Sunset": "Fri, 31 Dec 2027 23:59:59 GMT",
        "Link": '</api/v2/analytics/cumulative-flow>; rel="successor-version"',
        "Cache-Control": "no-store",
    }
    who = {"X-Answered-By": "LEGACY", "X-Stage": "OFF", "X-Flag-Version": "0"}
    assert {name: response[name] for name in (*told, *who)} == {**told, **who}
    refused = Client().get(url)
    assert {name: refused[name] for name in told} == told
    assert "X-Answered-By" not in refused


@pytest.mark.parametrize("days", ["0", "-1", "3661", "many", "1.5", "", "٣", "9" * 30])
def test_days_that_make_no_sense_are_refused(people: Cast, days: str) -> None:
    found = body(get(f"{CFD}?days={days}", people.acme.tenant), status=400, shape="error.v1")
    assert found["error"]["message"] == "days: give a whole number from 1 to 3660."


@pytest.mark.parametrize("url", [CFD, SUMMARY])
def test_only_a_key_that_may_read_is_answered(people: Cast, url: str) -> None:
    """No key, a session, a key without the scope, another method."""
    stored(people.acme.tenant, date(2026, 3, 2), 5, 6, 7, 8)
    stranger, session = Client(), Client()
    session.force_login(people.alice.user)
    for client in (stranger, session):
        response = client.get(url)
        assert body(response, status=401, shape="error.v1")["error"]["code"] == "UNAUTHENTICATED"
        assert response["WWW-Authenticate"] == 'Bearer realm="flowledger"'
    found = body(get(url, people.acme.tenant, scopes=(Scope.TASKS_READ,)), status=403, shape="error.v1")
    assert found["error"]["code"] == "FORBIDDEN"
    assert "ANALYTICS_READ" in found["error"]["message"]
    response = Client().post(url)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_a_key_sees_its_own_tenant_alone(people: Cast) -> None:
    """P63: whatever X-Tenant says."""
    today = datetime.now(UTC).date()  # noqa: TID251
    stored(people.acme.tenant, today, 1, 1, 1, 1)
    assert body(get(CFD, people.globex.tenant), shape="cfd.v1")["days"] == []
    found = get(CFD, people.globex.tenant, headers={"X-Tenant": "acme"})
    assert body(found, status=403, shape="error.v1")["error"]["code"] == "FORBIDDEN"


def test_a_switch_decides_who_answers(people: Cast, rf: Any) -> None:
    """It is given the old side as a function; what is owed is done once the answer is sent."""
    done: list[str] = []

    def owed() -> None:
        done.append("owed")
        raise ValueError("never the reader's trouble")

    def switch(*, tenant: Any, days: int, now: datetime, old: Any) -> views.Switched:
        assert (tenant.slug, days) == ("acme", 3)
        return views.Switched(
            body={**old(), "days": []},
            answered_by="CANONICAL",
            stage="LIVE_WITH_SHADOW",
            flag_version=7,
            owed=owed,
        )

    stored(people.acme.tenant, datetime.now(UTC).date(), 1, 1, 1, 1)  # noqa: TID251
    secret = new_key(tenant_id=people.acme.tenant.id)
    view = views.OldView(read=views.cfd_of, open_request=open_request, admit=admit, graphql=graphql, switch=switch)
    response = view(rf.get(f"{CFD}?days=3", headers={"Authorization": f"Bearer {secret}"}))
    assert body(response, shape="cfd.v1")["days"] == []
    who: Mapping[str, str] = {
        "X-Answered-By": "CANONICAL",
        "X-Stage": "LIVE_WITH_SHADOW",
        "X-Flag-Version": "7",
    }
    assert {name: response[name] for name in who} == who
    assert done == []
    response.close()
    response.close()
    assert done == ["owed"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("cfd.v1", {"version": 2, "organisation": "a", "timezone": "UTC", "generated_at": None, "days": []}),
        ("cfd.v1", {"version": 1, "organisation": "a", "timezone": "UTC", "generated_at": None}),
        ("summary.v1", {"version": 1, "organisation": "a", "date": "2026-03-02", "todo": 1}),
        ("error.v1", {"version": 1, "error": "no"}),
    ],
)
def test_the_schemas_are_strict(name: str, wrong: Any) -> None:
    """What is missing, of another version, or more than was promised does not fit."""
    assert list(schema(name).iter_errors(wrong)) != []
    assert list(schema("cfd.v1").iter_errors({**wrong, "more": 1})) != []
