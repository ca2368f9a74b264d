"""Points over HTTP: what is taken, what comes back, what is refused, and what callers are told of it."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from tasks_app.graphql import asking
from tasks_app.models import RateBucket, TenantPlan
from tasks_app.rate.addresses import AddressLimit
from tasks_app.rate.gcra import SECOND, Rate
from tasks_app.rate.plan_changes import set_plan
from tasks_app.rate.plans import DEFAULT, KnownPlans, known_plans
from tasks_app.refusals import Refused
from tasks_app.tenancy import entered
from tests.cast import Cast, cast, tasks
from tests.graphql.client import Asker, new_key, with_key, with_session
from tests.processes import PATIENCE
from tests.tasks_app.recording import sql

PAGE = "{ tasks(first: 500) { edges { node { key } } } }"
PAGE_COST = 21

pytestmark = pytest.mark.usefixtures("still_clock")


@pytest.fixture
def people(db: Any) -> Cast:
    everybody = cast()
    tasks(board=everybody.acme.board, count=2)
    return everybody


@pytest.fixture(autouse=True)
def plans_are_read() -> Iterator[None]:
    known_plans.forget()
    yield
    known_plans.forget()


def plan(people: Cast, **given: int) -> None:
    small = {"points_a_minute": 60, "burst": 60, "tenant_points_a_minute": 600, "tenant_burst": 600, "at_once": 5}
    TenantPlan.objects.create(tenant=people.acme.tenant, **{**small, **given})


def key_of(people: Cast) -> Asker:
    return with_key(new_key(tenant_id=people.acme.tenant.id))


def only_error(response: Any) -> Any:
    (error,) = response.json()["errors"]
    return error


def test_an_answer_says_what_it_cost_and_what_is_left(people: Cast, still_clock: datetime) -> None:
    bob = with_session(people.bob.user)
    response = bob.post(PAGE)
    cost = response.json()["extensions"]["cost"]
    reset_in = datetime.fromisoformat(cost.pop("resetAt")) - still_clock
    assert cost == {"estimated": PAGE_COST, "actual": 1, "limit": 10_000, "remaining": 9_999}
    assert timedelta(0) < reset_in < timedelta(seconds=1)
    assert response["RateLimit-Policy"] == '"caller";q=10000;w=60, "tenant";q=100000;w=60'
    assert response["RateLimit"] == '"caller";r=9999;t=1, "tenant";r=99999;t=1'


def test_what_was_not_needed_comes_back(people: Cast) -> None:
    plan(people, burst=30)
    bob = with_session(people.bob.user)
    assert [bob.post(PAGE).status_code for _ in range(9)] == [200] * 9


def test_who_has_no_points_left_is_told_when_to_come_back(people: Cast) -> None:
    plan(people, points_a_minute=6, burst=25)
    bob = with_session(people.bob.user)
    for _ in range(5):
        assert bob.post(PAGE).status_code == 200
    response = bob.post(PAGE)
    assert response.status_code == 429
    wait = int(response["Retry-After"])
    assert 1 <= wait <= 10
    assert only_error(response) == {
        "message": f"The request may cost 21 points. You have 20 left of 6 a minute: try again in {wait} s.",
        "extensions": {"code": "RATE_LIMITED", "retryAfter": wait},
    }
    assert response["RateLimit"].startswith('"caller";r=20;t=')
    assert bob.post("{ viewer { name } }").status_code == 200


def test_what_can_never_be_paid_is_not_to_be_tried_again(people: Cast) -> None:
    plan(people, burst=20)
    response = with_session(people.bob.user).post(PAGE)
    assert response.status_code == 400
    assert "Retry-After" not in response
    assert only_error(response) == {
        "message": "The request may cost 21 points and at most 20 can be spent at once:"
        " ask for shorter pages, a shorter window or fewer figures.",
        "extensions": {"code": "COST_EXCEEDED"},
    }
    assert RateBucket.objects.count() <= 2


def test_each_key_and_each_person_has_points_of_their_own(people: Cast) -> None:
    plan(people, points_a_minute=1, burst=1, tenant_burst=100)
    askers = [key_of(people), key_of(people), with_session(people.bob.user), with_session(people.alice.user)]
    assert [asker.post("{ viewer { name } }").status_code for asker in askers] == [200] * 4
    assert [asker.post("{ viewer { name } }").status_code for asker in askers] == [429] * 4


def test_all_of_a_tenants_callers_share_its_points_and_nobody_elses(people: Cast) -> None:
    plan(people, tenant_points_a_minute=1, tenant_burst=2)
    assert [key_of(people).post("{ viewer { name } }").status_code for _ in range(2)] == [200, 200]
    response = key_of(people).post("{ viewer { name } }")
    assert response.status_code == 429
    assert "This tenant has 0 left of 1 a minute" in only_error(response)["message"]
    assert with_session(people.carol.user).post("{ viewer { name } }").status_code == 200


def test_an_invalid_document_and_a_stranger_take_nothing(people: Cast) -> None:
    bob = with_session(people.bob.user)
    assert bob.post("{ helo }").status_code == 400
    assert bob.post("query ($n: Int!) { tasks(first: $n) { totalCount } }", n="x").status_code == 400
    assert Asker().post(PAGE).status_code == 401
    assert not RateBucket.objects.exists()


def test_a_refused_mutation_has_still_cost_its_points(people: Cast) -> None:
    """They are taken outside the transaction, which a rollback cannot give back."""
    plan(people, points_a_minute=1, burst=100)
    bob = with_session(people.bob.user)
    query = 'mutation { createTask(input: {project: "WEB", title: "x"}) { task { activity { totalCount } } } }'
    answer = bob.answer(query)
    assert answer["errors"]
    assert bob.answer("{ viewer { name } }")["extensions"]["cost"]["remaining"] == 100 - 3 - 1


def test_the_viewer_is_told_what_is_left(people: Cast) -> None:
    plan(people, points_a_minute=60, burst=100)
    key = key_of(people)
    asked = "{ viewer { rateLimit { limit remaining resetAt } } }"
    first, second = (key.answer(asked) for _ in range(2))
    found = first["data"]["viewer"]["rateLimit"]
    assert (found["limit"], found["remaining"]) == (60, 99)
    assert second["data"]["viewer"]["rateLimit"]["remaining"] == 98
    assert first["extensions"]["cost"] == {"estimated": 1, "actual": 1, **found}


def test_a_plan_is_read_once_in_a_while(people: Cast) -> None:
    moment = 0.0
    plans = KnownPlans(clock=lambda: moment)
    tenant_id = people.acme.tenant.id
    assert plans.plan(tenant_id) == DEFAULT
    plan(people)
    moment = 9.9
    assert plans.plan(tenant_id) == DEFAULT
    moment = 10.0
    assert plans.plan(tenant_id).points_a_minute == 60


def test_a_tenant_reads_its_plan_and_the_owner_of_the_database_sets_it(people: Cast) -> None:
    alice, bob = with_session(people.alice.user), with_session(people.bob.user)
    query = "{ ratePlan { pointsAMinute burst tenantPointsAMinute tenantBurst atOnce } }"
    default = {"pointsAMinute": 10_000, "burst": 10_000, "tenantPointsAMinute": 100_000, "tenantBurst": 100_000}
    assert alice.data(query) == {"ratePlan": {**default, "atOnce": 40}}
    assert bob.error(query)[0] == "FORBIDDEN"
    with entered(tenant_id=people.acme.tenant.id, role=None):
        set_plan(tenant_id=people.acme.tenant.id, changes={"burst": 500})
        set_plan(tenant_id=people.acme.tenant.id, changes={"at_once": 3})
    assert alice.data(query) == {"ratePlan": {**default, "burst": 500, "atOnce": 3}}
    assert with_session(people.carol.user).data(query) == {"ratePlan": {**default, "atOnce": 40}}


def test_the_command_sets_what_it_is_given_and_prints_the_whole(people: Cast) -> None:
    out = StringIO()
    call_command("set_plan", "acme", "--points-a-minute", "60", "--at-once", "2", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["tenant"], told["points_a_minute"], told["burst"], told["at_once"]) == ("acme", 60, 10_000, 2)
    assert TenantPlan.objects.get().points_a_minute == 60


@pytest.mark.parametrize("changes", [{"burst": 0}, {"burst": -1}, {"at_once": 10**10}, {"bursts": 1}])
def test_a_plan_that_makes_no_sense_is_refused(people: Cast, changes: dict[str, int]) -> None:
    with pytest.raises(Refused), entered(tenant_id=people.acme.tenant.id, role=None):
        set_plan(tenant_id=people.acme.tenant.id, changes=changes)
    assert not TenantPlan.objects.exists()


def test_a_plan_is_not_the_tenants_to_change(people: Cast) -> None:
    granted = sql(
        "SELECT grantee::text, privilege_type::text FROM information_schema.role_table_grants"
        " WHERE table_name = 'tenant_plan' AND grantee LIKE 'fl\\_%%'"
    )
    assert {privilege for grantee, privilege in granted if grantee != "fl_owner"} == {"SELECT"}


@pytest.mark.django_db(transaction=True)
def test_so_many_run_at_once_and_no_more(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request is held inside its transaction; with one place, another is refused until it is done."""
    plan(people, at_once=1)
    inside, done, statuses = threading.Event(), threading.Event(), []

    def slow(**given: Any) -> Any:
        inside.set()
        done.wait(PATIENCE)
        return entered(**given)

    def ask() -> None:
        try:
            statuses.append(with_session(people.alice.user).post("{ viewer { name } }").status_code)
        finally:
            connection.close()

    monkeypatch.setattr(asking, "entered", slow)
    first = threading.Thread(target=ask)
    first.start()
    assert inside.wait(PATIENCE)
    monkeypatch.setattr(asking, "entered", entered)
    response = with_session(people.bob.user).post("{ viewer { name } }")
    assert (response.status_code, response["Retry-After"]) == (429, "1")
    assert only_error(response)["message"].startswith("1 requests of this tenant are running")
    done.set()
    first.join(PATIENCE)
    assert statuses == [200]
    assert with_session(people.bob.user).post("{ viewer { name } }").status_code == 200


# ------------------------------------------------------------------ addresses, before anything is read


def test_an_address_is_turned_away_before_its_request_is_read(
    settings: Any, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    """No database: a flood of nonsense costs nothing but its answers."""
    settings.FLOWLEDGER_REQUESTS_A_MINUTE = 3
    monkeypatch.setattr(asking, "_addresses", AddressLimit(clock=lambda: 0.0))
    sent = [client.post("/graphql", "{", content_type="application/json") for _ in range(4)]
    assert [response.status_code for response in sent] == [400, 400, 400, 429]
    assert only_error(sent[-1])["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 20}
    assert sent[-1]["Retry-After"] == "20"
    other = client.post("/graphql", "{", content_type="application/json", REMOTE_ADDR="192.0.2.7")
    assert other.status_code == 400


def test_the_limit_in_memory_is_the_same_algorithm_and_stays_small() -> None:
    moment = 0.0
    limit = AddressLimit(clock=lambda: moment)
    rate = Rate(points=2, seconds=60)
    assert [limit.retry_after("a", rate=rate) for _ in range(3)] == [0, 0, 30]
    moment = 29.5
    assert limit.retry_after("a", rate=rate) == 1
    moment = 30.0
    assert limit.retry_after("a", rate=rate) == 0
    for number in range(10_001):
        limit.retry_after(str(number), rate=rate)
    assert len(limit._full_at) == 10_000
    assert rate.interval == 30 * SECOND
