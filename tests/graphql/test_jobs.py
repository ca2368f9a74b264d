"""Heavy queries become jobs, and jobs answer what the query would have been answered with."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_q.models import OrmQ

from analytics.graphql.documents.catalogue import DOCUMENTS
from analytics.jobs import request_wait as waits
from analytics.jobs.dispatch import run_waiting
from analytics.models import AnalyticsJob
from tasks_app.models import ApiKey, Membership, Role
from tests.cast import Cast, cast, tasks
from tests.graphql.client import Asker, new_key, with_key, with_session
from tests.processes import PATIENCE, wait_until
from tests.tasks_app.test_concurrent_changes import own_connection

SYNC_ONLY = {"version": "test/1", "sync": 10**9, "try_sync": 10**9, "asynchronous": 10**9, "budget_ms": 1000 * PATIENCE}
TRY = {**SYNC_ONLY, "sync": 0}
LATER = {**TRY, "try_sync": 0}
NEVER = {**LATER, "asynchronous": 0}
WINDOW = 'window: {between: {from: "2026-01-01T00:00:00Z", to: "2026-03-01T00:00:00Z"}}'
QUERY = f"query {{ analytics({WINDOW}, bucket: DAY) {{ workInProgress throughput {{ finished }} }} }}"
JOB = "id state progress retryAfterMs estimatedCost actualCost error { code message retryable } result"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> Cast:
    """Acme has three tasks."""
    made = cast()
    tasks(board=made.acme.board, count=3)
    return made


@pytest.fixture
def alice(people: Cast) -> Asker:
    """Acme's owner, with a session."""
    return with_session(people.alice.user)


def submitted(asker: Asker, **given: Any) -> Any:
    """The job of a mutation that went well."""
    payload = asker.mutate("submitAnalyticsJob", f"job {{ {JOB} }}", **{"document": QUERY, **given})
    assert payload["errors"] == []
    return payload["job"]


def job(asker: Asker, job_id: str) -> Any:
    """The job as it is."""
    return asker.data(f'{{ analyticsJob(id: "{job_id}") {{ {JOB} }} }}')["analyticsJob"]


def told(answer: Any) -> Any:
    """What the answer says of the question. What it cost is of the request."""
    return {name: value for name, value in answer.items() if name != "extensions"}


def handed_over(asker: Asker, query: str = QUERY, **variables: object) -> dict[str, Any]:
    """The extensions of ASYNC_REQUIRED."""
    answer = asker.answer(query, **variables)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "ASYNC_REQUIRED", error
    assert "data" not in answer
    return dict(error["extensions"])


def test_the_policy_can_be_asked_for(alice: Asker) -> None:
    """As DEFINITIONS.md has it, when nobody set anything else."""
    found = alice.data("{ executionPolicy { version rules { maxCost decision budgetMs } } }")["executionPolicy"]
    assert found == {
        "version": "execution/1",
        "rules": [
            {"maxCost": 2_000_000, "decision": "SYNC", "budgetMs": None},
            {"maxCost": 20_000_000, "decision": "TRY_SYNC", "budgetMs": 2000},
            {"maxCost": 2_000_000_000, "decision": "ASYNC", "budgetMs": None},
            {"maxCost": None, "decision": "REFUSE", "budgetMs": None},
        ],
    }


def test_a_small_query_is_no_job(alice: Asker) -> None:
    alice.data(QUERY)
    assert AnalyticsJob.objects.count() == 0


def test_a_query_within_the_budget_is_answered_by_its_job(alice: Asker, settings: Any) -> None:
    """The same bytes as without a job, whose row is there."""
    settings.FLOWLEDGER_EXECUTION = SYNC_ONLY
    plain = alice.post(QUERY).content.partition(b',"extensions"')[0]
    settings.FLOWLEDGER_EXECUTION = TRY
    assert alice.post(QUERY).content.partition(b',"extensions"')[0] == plain
    (made,) = AnalyticsJob.objects.all()
    assert (made.state, made.attempt, made.progress) == ("SUCCEEDED", 1, 1.0)
    assert made.result == plain.decode() + "}"
    assert made.actual_cost
    assert OrmQ.objects.count() == 0


def test_the_same_query_again_is_the_same_job(alice: Asker, people: Cast, settings: Any) -> None:
    """Until something is recorded, and whatever the spelling. Another person's is another job."""
    settings.FLOWLEDGER_EXECUTION = TRY
    first = alice.data(QUERY)
    assert alice.data("# a comment\n" + QUERY.replace("{", " { ")) == first
    assert AnalyticsJob.objects.count() == 1
    with_session(people.bob.user).data(QUERY)
    assert AnalyticsJob.objects.count() == 2
    tasks(board=people.acme.board, count=1)
    alice.data(QUERY)
    assert AnalyticsJob.objects.count() == 3


def test_an_answer_to_a_window_that_runs_on_is_given_again_for_a_minute(alice: Asker, settings: Any) -> None:
    settings.FLOWLEDGER_EXECUTION = TRY
    query = "{ analytics(window: {rolling: {count: 30, unit: DAY}}) { workInProgress } }"
    alice.data(query)
    alice.data(query)
    assert AnalyticsJob.objects.count() == 1
    AnalyticsJob.objects.update(finished_at=datetime.now(UTC) - timedelta(seconds=61))  # noqa: TID251
    alice.data(query)
    assert AnalyticsJob.objects.count() == 2


def test_what_is_far_too_heavy_for_a_request_is_left_to_a_worker(alice: Asker, settings: Any) -> None:
    """ASYNC: nothing is waited for. The wake-up carries one id, and the worker's answer is the query's."""
    plain = told(alice.answer(QUERY))
    settings.FLOWLEDGER_EXECUTION = LATER
    found = handed_over(alice)
    assert found["retryAfterMs"] >= 200
    assert job(alice, found["jobId"])["state"] == "PENDING"
    assert handed_over(alice)["jobId"] == found["jobId"]
    (bell,) = OrmQ.objects.all()
    assert (bell.func(), len(bell.task["args"])) == ("analytics.jobs.dispatch.wake", 1)
    assert run_waiting() == 1
    assert job(alice, found["jobId"]) == {
        "id": found["jobId"],
        "state": "SUCCEEDED",
        "progress": 1.0,
        "retryAfterMs": None,
        "estimatedCost": found["estimatedCost"],
        "actualCost": AnalyticsJob.objects.get().actual_cost,
        "error": None,
        "result": plain,
    }
    # Who asks again instead of asking for the job has the answer, too.
    assert told(alice.answer(QUERY)) == plain


def test_when_the_budget_is_spent_the_job_goes_on(alice: Asker, settings: Any, people: Cast) -> None:
    """The same job, never begun anew: its one attempt ends after the request did."""
    settings.FLOWLEDGER_EXECUTION = {**TRY, "budget_ms": 300}
    with locked("task_fact"):
        found = handed_over(alice)
        wait_until(lambda: bool(job(alice, found["jobId"])["state"] == "RUNNING"))
        assert 200 <= found["retryAfterMs"] <= 5000
    ended = until_over(found["jobId"])
    assert (ended.state, ended.attempt) == ("SUCCEEDED", 1)
    assert job(alice, found["jobId"])["result"] == told(alice.answer(QUERY))


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Inside, whoever reads the table waits."""
    with own_connection() as own:
        own.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        own.rollback()


def until_over(_job_id: str = "") -> AnalyticsJob:
    """The only job, when it has ended and its thread is gone."""
    for thread in threading.enumerate():
        if thread.name == "a heavy query":
            thread.join(PATIENCE)
    return AnalyticsJob.objects.get()


def test_who_is_admitted_to_no_hand_waits_for_a_worker(alice: Asker, settings: Any) -> None:
    """A web process runs two jobs at a time; a third is waited for, too, and handed over."""
    settings.FLOWLEDGER_EXECUTION = {**TRY, "budget_ms": 200}
    for _ in range(waits.HANDS):
        assert waits._hands.acquire(blocking=False)
    try:
        found = handed_over(alice)
    finally:
        for _ in range(waits.HANDS):
            waits._hands.release()
    assert OrmQ.objects.count() == 1
    until_over()
    assert job(alice, found["jobId"])["state"] == "PENDING"
    assert run_waiting() == 1
    assert job(alice, found["jobId"])["state"] == "SUCCEEDED"


def test_what_costs_more_than_anything_may_is_refused(alice: Asker, settings: Any) -> None:
    """COST_EXCEEDED names the limit and a window that would do; no job is made."""
    settings.FLOWLEDGER_EXECUTION = {**NEVER, "sync": 100, "try_sync": 100, "asynchronous": 100}
    (error,) = alice.answer(QUERY)["errors"]
    extensions = error["extensions"]
    assert (extensions["code"], extensions["argument"], extensions["limit"]) == ("COST_EXCEEDED", "window", 100)
    named = re.search(r"; ask for a window of at most (\d+) days, from (2026-02-\S+) on\.$", error["message"])
    assert named, error
    assert extensions["estimatedCost"] > 100
    alice.data(QUERY.replace("2026-01-01T00:00:00Z", named[2]))
    assert AnalyticsJob.objects.count() == 0


def test_two_fields_are_weighed_together(alice: Asker, settings: Any) -> None:
    """Each alone is small; the second makes the operation heavy, and one job answers both."""
    one = f"analytics({WINDOW}, bucket: DAY) {{ workInProgress }}"
    both = f"{{ first: {one} second: {one} }}"
    plain = told(alice.answer(both))
    settings.FLOWLEDGER_EXECUTION = {**TRY, "sync": 700}
    alice.data(f"{{ {one} }}")
    assert AnalyticsJob.objects.count() == 0
    assert told(alice.answer(both)) == plain
    assert AnalyticsJob.objects.count() == 1


def test_what_is_wrong_in_a_heavy_query_is_said_as_ever(alice: Asker, settings: Any) -> None:
    settings.FLOWLEDGER_EXECUTION = TRY
    code, message = alice.error(
        '{ analytics(window: {rolling: {count: 3, unit: DAY}}, project: "NO") { workInProgress } }'
    )
    assert (code, message) == ("NOT_FOUND", "project: there is no project 'NO'.")
    assert AnalyticsJob.objects.count() == 0


def test_fragments_variables_and_names_go_with_the_job(alice: Asker, settings: Any) -> None:
    """Of several operations the one that was asked for, with the fragments that it uses and no others."""
    document = """
      query Other { ...Unused }
      fragment Unused on Query { executionPolicy { version } }
      query Mine($from: DateTime!, $to: DateTime!) { analytics(window: {between: {from: $from, to: $to}}) { ...F } }
      fragment F on Analytics { workInProgress }
    """
    given = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
    body = {"query": document, "variables": given, "operationName": "Mine"}

    def asked() -> Any:
        headers = {"Accept": "application/json", **alice.headers}
        return told(
            alice.client.post("/graphql", json.dumps(body), content_type="application/json", headers=headers).json()
        )

    plain = asked()
    assert "errors" not in plain
    settings.FLOWLEDGER_EXECUTION = TRY
    assert asked() == plain
    (made,) = AnalyticsJob.objects.all()
    assert "Unused" not in made.document


def test_a_job_answers_under_the_stage_of_its_request(alice: Asker) -> None:
    """A switch that is turned while it waits is for those who ask later."""
    switch = {"capability": "CUMULATIVE_FLOW", "reason": "A test."}
    for stage in ("SHADOW", "OFF"):
        made = submitted(alice, document=f"query {{ analytics({WINDOW}) {{ receipt {{ stage flagVersion }} }} }}")
        before = alice.data("{ dualRun { stages { stage flagVersion } } }")["dualRun"]["stages"][0]
        assert alice.mutate("setStage", "errors { message }", stage=stage, **switch)["errors"] == []
        assert run_waiting() == 1
        assert job(alice, made["id"])["result"]["data"]["analytics"]["receipt"] == before


def test_a_job_can_be_submitted_and_cancelled(alice: Asker) -> None:
    """Its wake-up is sent once the job is there. A cancelled one is never run, and is cancelled once."""
    made = submitted(alice, clientMutationId="one")
    assert (made["state"], made["progress"], made["result"], made["error"]) == ("PENDING", 0, None, None)
    assert OrmQ.objects.count() == 1
    assert submitted(alice, clientMutationId="one")["id"] == made["id"]
    assert submitted(alice)["id"] == made["id"]
    assert OrmQ.objects.count() == 1
    for _ in range(2):
        payload = alice.mutate("cancelAnalyticsJob", "job { state retryAfterMs }", id=made["id"])
        assert payload == {
            "job": {"state": "CANCELLED", "retryAfterMs": None},
            "errors": [],
            "clientMutationId": None,
        }
    assert run_waiting() == 0
    assert submitted(alice)["id"] != made["id"]
    assert run_waiting() == 1
    assert alice.mutate("cancelAnalyticsJob", "job { state }", id=made["id"])["job"] == {"state": "CANCELLED"}


REFUSED = {
    "mutation { __typename }": "document: only a query can be a job; send a mutation as it is.",
    "{ nope }": "Cannot query field 'nope' on type 'Query'.",
    "{ a { }": "Syntax Error: Expected Name, found <EOF>.",
    "query A { __typename } query B { __typename }": "operationName: the document has 2 operations; name the one to run.",
    'query { analytics(window: {rolling: {count: 3, unit: DAY}}, project: "NO") { workInProgress } }': (
        "project: there is no project 'NO'."
    ),
    "{ viewer { " + " ".join(f"a{n}: name" for n in range(31)) + " } }": (
        "The operation has 31 aliases; the limit is 30. Ask in several requests."
    ),
}


@pytest.mark.parametrize("document", REFUSED)
def test_a_document_is_checked_when_it_is_submitted(alice: Asker, document: str) -> None:
    payload = alice.mutate("submitAnalyticsJob", "job { id }", document=document)
    assert [error["message"] for error in payload["errors"]] == [REFUSED[document]]
    assert (payload["job"], AnalyticsJob.objects.count(), OrmQ.objects.count()) == (None, 0, 0)


def test_what_else_is_refused(alice: Asker, settings: Any) -> None:
    """No document, two spellings of variables, an id of nothing, and a cost above all limits."""
    ask = "submitAnalyticsJob"
    for given, code in (({}, "BAD_USER_INPUT"), ({"documentId": "sha256:00"}, "NOT_FOUND")):
        assert [error["code"] for error in alice.mutate(ask, "job { id }", **given)["errors"]] == [code]
    (error,) = alice.mutate(ask, "job { id }", document=QUERY, variables=[1])["errors"]
    assert error["message"] == "variables: an object is needed, with the variables by their names."
    (error,) = alice.mutate("cancelAnalyticsJob", "job { id }", id="nothing")["errors"]
    assert error == {"code": "NOT_FOUND", "message": "There is no job 'nothing'.", "path": ["input", "id"]}
    settings.FLOWLEDGER_EXECUTION = NEVER
    (error,) = alice.mutate(ask, "job { id }", document=QUERY)["errors"]
    assert error["code"] == "COST_EXCEEDED"
    assert AnalyticsJob.objects.count() == 0


def test_a_shipped_document_can_be_a_job(alice: Asker, settings: Any) -> None:
    """By its id; and as a plain endpoint a heavy one answers 202 with the job's id, which has an endpoint of its own."""
    asked = {
        "documentId": DOCUMENTS["throughput"].id,
        "variables": {"window": {"rolling": {"count": 3, "unit": "DAY"}}},
    }
    payload = alice.mutate("submitAnalyticsJob", "job { id state }", **asked)
    assert payload["job"]["state"] == "PENDING"
    settings.FLOWLEDGER_EXECUTION = LATER
    waiting = alice.client.get("/api/v2/analytics/throughput?rolling=3d")
    assert waiting.status_code == 202
    assert waiting.json()["errors"][0]["extensions"]["code"] == "ASYNC_REQUIRED"
    # The same document with the same variables: it is the job that was submitted.
    assert run_waiting() == 1
    found = alice.client.get(f"/api/v2/analytics/job?id={payload['job']['id']}").json()["data"]["analyticsJob"]
    assert found["state"] == "SUCCEEDED"
    assert 0 in found["result"]["data"]["analytics"]["throughput"]["finished"]
    assert alice.client.get("/api/v2/analytics/throughput?rolling=3d").status_code == 200


def test_a_job_is_its_askers_alone(alice: Asker, people: Cast) -> None:
    """Neither a colleague's nor another tenant's caller finds or cancels it: null and NOT_FOUND, as for no job at all."""
    made = submitted(alice)
    for other in (people.bob, people.carol):
        asker = with_session(other.user)
        assert job(asker, made["id"]) is None
        assert asker.error(f'{{ node(id: "{made["id"]}") {{ id }} }}')[0] == "NOT_FOUND"
        (error,) = asker.mutate("cancelAnalyticsJob", "job { id }", id=made["id"])["errors"]
        assert error["code"] == "NOT_FOUND"
    assert alice.data(f'{{ node(id: "{made["id"]}") {{ id }} }}') == {"node": {"id": made["id"]}}


def test_a_key_that_was_revoked_has_its_job_refused(people: Cast) -> None:
    """Who asked is asked for again when the job begins."""
    asker = with_key(new_key(tenant_id=people.acme.tenant.id))
    submitted(asker)
    ApiKey.objects.update(revoked_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert run_waiting() == 1
    (made,) = AnalyticsJob.objects.all()
    assert (made.state, made.error_code, made.result) == ("FAILED", "UNAUTHENTICATED", None)
    assert made.error_message.startswith("The API key was revoked at 2026-01-01")


def test_rights_are_those_of_when_the_job_runs_and_is_read(alice: Asker, people: Cast) -> None:
    """A person who lost the scope has the job fail; one whose role changed no longer reads an answer of before."""
    bob = with_session(people.bob.user)
    made = submitted(bob)
    Membership.objects.filter(user=people.bob.user).update(role=Role.BILLING)
    run_waiting()
    assert AnalyticsJob.objects.get().error_code == "FORBIDDEN"
    Membership.objects.filter(user=people.bob.user).update(role=Role.MANAGER)
    assert job(bob, made["id"])["error"]["code"] == "FORBIDDEN"
    made = submitted(bob)
    run_waiting()
    assert job(bob, made["id"])["result"] is not None
    Membership.objects.filter(user=people.bob.user).update(role=Role.MEMBER)
    found = job(bob, made["id"])
    assert (found["state"], found["result"], found["error"]["code"]) == ("SUCCEEDED", None, "FORBIDDEN")
