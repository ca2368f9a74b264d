"""clientMutationId and Idempotency-Key: sent again, a mutation answers the same and does nothing."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tasks_app.graphql.idempotency import NamedMutation, NamedRequest, Outcome, once, sweep
from tasks_app.models import ClientMutation, KeptResponse, Task, TaskLedger
from tasks_app.sweeping import forget_requests
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast, cast, tasks
from tests.graphql.client import Asker, with_session
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

REUSED = "clientMutationId 'once' was used for another mutation or input: give each its own."


@pytest.fixture
def people(db: Any) -> Cast:
    everybody = cast()
    tasks(board=everybody.acme.board, count=2)
    return everybody


@pytest.fixture
def bob(people: Cast) -> Asker:
    return with_session(people.bob.user)


def create(asker: Asker, title: str = "x", name: str = "once") -> Any:
    return asker.mutate("createTask", "task { key title }", project="WEB", title=title, clientMutationId=name)


def test_a_mutation_sent_again_answers_the_same_and_does_nothing(bob: Asker) -> None:
    first = create(bob)
    assert first == {"task": {"key": "WEB-3", "title": "x"}, "errors": [], "clientMutationId": "once"}
    assert create(bob) == first
    assert Task.objects.filter(tenant__slug="acme").count() == 3


def test_the_answer_is_of_today(bob: Asker) -> None:
    """Only ids are kept: what is answered again is read again, so erased words do not come back."""
    create(bob)
    bob.mutate("renameTask", "task { key }", task="WEB-3", title="renamed")
    assert create(bob)["task"] == {"key": "WEB-3", "title": "renamed"}
    assert ClientMutation.objects.get().outcome == {"task": "WEB-3"}


def test_a_name_is_good_for_one_input(bob: Asker) -> None:
    create(bob)
    again = create(bob, title="another")
    assert again["task"] is None
    assert again["errors"] == [{"code": "BAD_USER_INPUT", "message": REUSED, "path": ["input", "clientMutationId"]}]


def test_a_name_is_good_for_one_mutation(bob: Asker) -> None:
    moved = bob.mutate("moveTask", "task { key }", task="WEB-1", to="doing", clientMutationId="once")
    assert moved["errors"] == []
    assigned = bob.mutate("restoreTask", "task { key }", task="WEB-1", clientMutationId="once")
    assert assigned["errors"][0]["message"] == REUSED


def test_two_callers_may_use_one_name(people: Cast, bob: Asker) -> None:
    create(bob)
    assert create(with_session(people.alice.user))["task"]["key"] == "WEB-4"
    assert create(with_session(people.carol.user))["task"]["key"] == "WEB-1"
    assert ClientMutation.objects.count() == 3


def test_a_refused_mutation_may_be_tried_again(bob: Asker) -> None:
    given = {"task": "WEB-1", "clientMutationId": "once"}
    assert bob.mutate("restoreTask", "task { key }", **given)["errors"] != []
    assert not ClientMutation.objects.exists()
    bob.mutate("discardTask", "taskKey", task="WEB-1")
    assert bob.mutate("restoreTask", "task { key }", **given)["errors"] == []


def test_what_was_rolled_back_was_never_done(bob: Asker) -> None:
    """A GraphQL error takes back the change and its name together."""
    query = (
        'mutation { createTask(input: {project: "WEB", title: "x", clientMutationId: "once"})'
        " { task { key activity { totalCount } } errors { code } } }"
    )
    assert bob.answer(query)["errors"]
    assert not ClientMutation.objects.exists()
    assert create(bob)["errors"] == []


def test_a_name_is_kept_for_a_day(bob: Asker) -> None:
    create(bob)
    kept = ClientMutation.objects.get()
    ClientMutation.objects.update(created_at=kept.created_at - timedelta(hours=23, minutes=59))
    assert create(bob)["task"]["key"] == "WEB-3"
    ClientMutation.objects.update(created_at=kept.created_at - timedelta(hours=24, minutes=1))
    assert create(bob, title="another day")["task"] == {"key": "WEB-4", "title": "another day"}
    assert ClientMutation.objects.get().created_at > kept.created_at


def test_one_name_twice_in_one_operation_is_one_mutation(bob: Asker) -> None:
    made = 'createTask(input: {project: "WEB", title: "x", clientMutationId: "once"}) { task { key } }'
    assert bob.data(f"mutation {{ a: {made} b: {made} }}") == {
        "a": {"task": {"key": "WEB-3"}},
        "b": {"task": {"key": "WEB-3"}},
    }


def test_a_bulk_move_sent_again_answers_its_first_correlation_id(bob: Asker) -> None:
    given = {"tasks": ["WEB-1", "WEB-2"], "to": "done", "clientMutationId": "once"}
    first = bob.mutate("moveTasks", "tasks { key } correlationId", **given)
    assert bob.mutate("moveTasks", "tasks { key } correlationId", **given) == first
    assert first["correlationId"] == str(TaskLedger.objects.latest("seq").correlation)


@pytest.mark.parametrize("name", ["", "n" * 201])
def test_a_name_has_1_to_200_characters(bob: Asker, name: str) -> None:
    assert create(bob, name=name)["errors"] == [
        {
            "code": "BAD_USER_INPUT",
            "message": "clientMutationId must have 1 to 200 characters.",
            "path": ["input", "clientMutationId"],
        }
    ]
    assert Task.objects.filter(tenant__slug="acme").count() == 2


def test_a_twin_at_the_same_time_waits_and_answers_the_same(people: Cast) -> None:
    """Two connections, one name: the second does nothing, even though the first had not committed when it began."""
    now = datetime.now(UTC)  # noqa: TID251
    tenant_id, actor_id = people.acme.tenant.id, people.bob.actor.id
    named = NamedMutation(tenant_id=tenant_id, actor_id=actor_id, name="once", content={"a": 1})
    inside, done = threading.Event(), []
    answers: list[Outcome] = []

    def slow() -> Outcome:
        inside.set()
        waiting.wait(PATIENCE)
        done.append("first")
        return {"task": "WEB-1"}

    def twice() -> Outcome:
        done.append("second")
        return {"task": "WEB-2"}

    def run(do: Any) -> None:
        try:
            with entered(tenant_id=tenant_id, actor_id=actor_id):
                answers.append(once(named, do=do, now=now))
        finally:
            connection.close()

    waiting = threading.Event()
    first = threading.Thread(target=run, args=(slow,))
    first.start()
    assert inside.wait(PATIENCE)
    second = threading.Thread(target=run, args=(twice,))
    second.start()
    second.join(0.3)
    assert second.is_alive()
    waiting.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert done == ["first"]
    assert answers == [{"task": "WEB-1"}, {"task": "WEB-1"}]


# ------------------------------------------------------------------ the header: a whole request by its name

CREATE = """mutation ($title: String!) {
    createTask(input: {project: "WEB", title: $title}) { task { key title } errors { message } }
}"""


def sent(asker: Asker, key: str = "one", title: str = "x", query: str = CREATE) -> Any:
    named = Asker(client=asker.client, headers={**asker.headers, "Idempotency-Key": key})
    return named.post(query, title=title)


def test_a_request_sent_again_answers_the_very_bytes_and_does_nothing(bob: Asker) -> None:
    first = sent(bob)
    assert first.json()["data"]["createTask"] == {"task": {"key": "WEB-3", "title": "x"}, "errors": []}
    bob.mutate("renameTask", "task { key }", task="WEB-3", title="renamed")
    again = sent(bob)
    assert (again.status_code, again.content) == (200, first.content)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert sent(bob, key='"one"').content == first.content
    assert Task.objects.filter(tenant__slug="acme").count() == 3


def test_a_key_is_good_for_one_request(bob: Asker) -> None:
    sent(bob)
    for other in (sent(bob, title="y"), sent(bob, query=CREATE.replace("title }", "id }"))):
        assert other.status_code == 422
        assert other.json()["errors"] == [
            {
                "message": "Idempotency-Key: this name was used for another request; give each its own.",
                "extensions": {"code": "BAD_USER_INPUT"},
            }
        ]


def test_a_request_that_was_rolled_back_may_be_tried_again(bob: Asker) -> None:
    """What fails is not kept: key, effect and answer are committed together, or none of them."""
    query = CREATE.replace("title }", "activity { totalCount } }")
    assert sent(bob, query=query).json()["errors"]
    assert not KeptResponse.objects.exists()
    assert sent(bob).json()["data"]["createTask"]["task"] == {"key": "WEB-3", "title": "x"}


def test_two_callers_may_use_one_key(people: Cast, bob: Asker) -> None:
    sent(bob)
    assert sent(with_session(people.alice.user)).json()["data"]["createTask"]["task"]["key"] == "WEB-4"
    assert sent(with_session(people.carol.user)).json()["data"]["createTask"]["task"]["key"] == "WEB-1"


def test_a_query_needs_no_name(bob: Asker) -> None:
    for title in ("x", "y"):
        assert (
            "errors" not in sent(bob, query="query ($title: String!) { task(key: $title) { key } }", title=title).json()
        )
    assert not KeptResponse.objects.exists()


@pytest.mark.parametrize("key", ["", '""', "n" * 201, "caf\u00e9", "a\tb"])
def test_a_key_is_printable(bob: Asker, key: str) -> None:
    response = sent(bob, key=key)
    assert response.status_code == 400
    expected = "Idempotency-Key: give 1 to 200 printable ASCII characters."
    assert [error["message"] for error in response.json()["errors"]] == [expected]


def test_a_request_that_is_still_running_is_409(people: Cast, bob: Asker) -> None:
    """Another connection holds the name and has not committed: nobody waits for it, and nothing is done twice."""
    named = NamedRequest(
        tenant_id=people.acme.tenant.id, actor_id=people.bob.actor.id, name="one", fingerprint=b"\0" * 32
    )
    claimed, done = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with entered(tenant_id=named.tenant_id, actor_id=named.actor_id):
                named.recall(now=datetime.now(UTC))  # noqa: TID251
                claimed.set()
                done.wait(PATIENCE)
        finally:
            connection.close()

    running = threading.Thread(target=first)
    running.start()
    assert claimed.wait(PATIENCE)
    response = sent(bob)
    done.set()
    running.join(PATIENCE)
    assert (response.status_code, response["Retry-After"]) == (409, "1")
    assert response.json()["errors"][0]["message"].endswith("is still running; try again.")
    assert Task.objects.filter(tenant__slug="acme").count() == 2


def test_names_are_swept_after_a_day(people: Cast, bob: Asker) -> None:
    sent(bob)
    create(bob)
    kept = KeptResponse.objects.get().created_at
    ages = {hours: kept + timedelta(hours=hours) for hours in (23, 25)}
    for company, hours, gone in [(people.acme, 23, 0), (people.globex, 25, 0), (people.acme, 25, 2)]:
        with entered(tenant_id=company.tenant.id, role=DatabaseRole.WORKER):
            assert sweep(tenant_id=company.tenant.id, now=ages[hours]) == gone
    assert not ClientMutation.objects.exists()
    assert sent(bob, title="another day").json()["data"]["createTask"]["task"]["key"] == "WEB-5"


def test_the_keys_row_is_of_today_once_the_old_one_is_a_day_old(bob: Asker) -> None:
    sent(bob)
    KeptResponse.objects.update(created_at=KeptResponse.objects.get().created_at - timedelta(hours=24, minutes=1))
    assert sent(bob, title="another day").json()["data"]["createTask"]["task"] == {
        "key": "WEB-4",
        "title": "another day",
    }


def test_the_sweep_goes_through_all_tenants(people: Cast, bob: Asker) -> None:
    sent(bob)
    sent(with_session(people.carol.user))
    later = KeptResponse.objects.latest("created_at").created_at + timedelta(hours=25)
    assert forget_requests(now=later) > 2
    assert not KeptResponse.objects.exists()
    assert forget_requests(now=later) == 0
