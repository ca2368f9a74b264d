"""What is counted, measured and logged of a request, asked over HTTP."""

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings

from analytics.graphql.documents.catalogue import DOCUMENTS
from analytics.jobs.lag_metrics import TenantGauges
from tasks_app.errors import Code
from tasks_app.graphql import asking
from tasks_app.models import TenantPlan
from tasks_app.observing import metrics, watch
from tasks_app.observing.counting import Count
from tasks_app.observing.flushing import COUNTS
from tasks_app.observing.gauges import LevelGauges, QueueGauges
from tasks_app.observing.judging import REFUSED
from tasks_app.observing.logs import logging_settings
from tasks_app.observing.serving import job_ended, watch_requests
from tasks_app.rate.addresses import AddressLimit
from tasks_app.rate.plans import known_plans
from tests.cast import Cast, cast, tasks
from tests.graphql.client import Asker, new_key, with_key
from tests.graphql.proofs import folded
from tests.tasks_app.recording import clock, sql, web_login

pytestmark = pytest.mark.django_db(transaction=True)

VIEWER = "{ viewer { name } }"
FIGURES = """query Mine($project: String!, $from: ReadFrom!) {
  analytics(project: $project, window: {rolling: {count: 2, unit: DAY}}, readFrom: $from) { workInProgress } }"""
TITLE = "Wombat-Zeppelin"
NAMED = "query VeryPrivateName { viewer { name } }"


@pytest.fixture
def people(db: Any) -> Cast:
    COUNTS.take()
    return cast()


@pytest.fixture
def bob(people: Cast) -> Asker:
    """Somebody with a key for everything."""
    return with_key(new_key(tenant_id=people.acme.tenant.id))


def counted() -> dict[tuple[int, str], Count]:
    """What the process has counted since it was last asked, by tenant and objective; refusals are for none."""
    found: dict[tuple[int, str], Count] = {}
    for row, count in COUNTS.take().items():
        if row.objective.startswith(REFUSED):
            continue
        place, bare = (row.tenant_id, row.objective), replace(count, spread=())
        found[place] = found[place].plus(bare) if place in found else bare
    return found


def test_an_answer_counts_for_its_tenant(people: Cast, bob: Asker) -> None:
    acme = people.acme.tenant.id
    bob.data(VIEWER)
    good = Count(1, 1)
    assert counted() == {(acme, "availability"): good, (acme, "latency_synchronous"): good}
    bob.data(FIGURES, project="WEB", **{"from": "MERGED"})
    assert set(counted()) == {(acme, "availability"), (acme, "freshness"), (acme, "latency_synchronous")}


def test_a_summary_has_its_own_objective(people: Cast, bob: Asker) -> None:
    """Over its address or by its text: it is known by what it is, not by what a caller calls it."""
    acme, document = people.acme.tenant.id, DOCUMENTS["summary"]
    summary = {"availability", "freshness", "latency_summary"}
    window = {"rolling": {"count": 2, "unit": "DAY"}}
    before = sample("flowledger_answers_total", operation="summary", code="OK")
    response = bob.client.get("/api/v2/analytics/summary", {"rolling": "2d"}, headers=bob.headers)
    assert response.status_code == 200, response.content
    assert set(counted()) == {(acme, name) for name in summary}
    bob.data(document.text, window=window)
    assert set(counted()) == {(acme, name) for name in summary}
    bob.data(document.text + "\n", window=window)
    assert set(counted()) == {(acme, name) for name in {*summary, "latency_synchronous"} - {"latency_summary"}}
    assert sample("flowledger_answers_total", operation="summary", code="OK") == before + 2


@pytest.mark.parametrize(
    "query", ["{ nope }", "{", "{ viewer { name } } { viewer { name } }", '{ node(id: "x") { id } }']
)
def test_a_bad_request_counts_nowhere(bob: Asker, query: str) -> None:
    assert "errors" in bob.answer(query)
    assert counted() == {}


def test_refusals_are_counted_by_their_codes(people: Cast, bob: Asker) -> None:
    """The tenant's where it is known; a document that nobody can read is refused before."""
    bob.answer('{ node(id: "x") { id } }')
    bob.answer("{ nope }")
    Asker().answer(VIEWER)
    found = {(row.tenant_id, row.objective): count.valid for row, count in COUNTS.take().items()}
    acme = people.acme.tenant.id
    assert found == {
        (acme, "refused NOT_FOUND"): 1,
        (acme, "refused BAD_USER_INPUT"): 1,
        (0, "refused UNAUTHENTICATED"): 1,
    }


def test_a_stranger_counts_nowhere(people: Cast) -> None:
    assert Asker().error(VIEWER)[0] == "UNAUTHENTICATED"
    assert with_key("fl_1_nonsense").error(VIEWER)[0] == "UNAUTHENTICATED"
    assert counted() == {}


def test_a_failure_of_ours_counts_against_us(people: Cast, bob: Asker) -> None:
    """A column that is not there, say: the operation ran for somebody whom we know."""
    sql("ALTER TABLE project RENAME COLUMN name TO title")
    try:
        assert bob.error("{ projects(first: 1) { totalCount edges { node { name } } } }")[0] == "INTERNAL"
    finally:
        sql("ALTER TABLE project RENAME COLUMN title TO name")
    assert counted() == {(people.acme.tenant.id, "availability"): Count(0, 1)}


def test_a_failure_before_anybody_is_known_counts_in_the_total(people: Cast, bob: Asker) -> None:
    sql("ALTER TABLE api_key RENAME TO keys_of_api")
    try:
        assert bob.error(VIEWER)[0] == "INTERNAL"
    finally:
        sql("ALTER TABLE keys_of_api RENAME TO api_key")
    assert counted() == {(0, "availability"): Count(0, 1)}


def test_rollups_that_lag_are_not_fresh(people: Cast, bob: Asker) -> None:
    """MERGED has the tail in it and is fresh; ROLLUP leaves it out, and is as old as the first fact that waits."""
    tasks(board=people.acme.board, count=1)
    folded(people, now=clock())
    tasks(board=people.acme.board, count=1)
    fresh = (people.acme.tenant.id, "freshness")
    levels = settings.FLOWLEDGER_SERVICE_LEVELS
    strict = type(levels)(
        objectives=tuple(_strict(each) if each.name == "freshness" else each for each in levels.objectives),
        alarms=levels.alarms,
    )
    with override_settings(FLOWLEDGER_SERVICE_LEVELS=strict):
        bob.data(FIGURES, project="WEB", **{"from": "ROLLUP"})
        assert counted()[fresh] == Count(0, 1)
        bob.data(FIGURES, project="WEB", **{"from": "MERGED"})
        assert counted()[fresh] == Count(1, 1)
    bob.data(FIGURES, project="WEB", **{"from": "ROLLUP"})
    assert counted()[fresh] == Count(1, 1)


def _strict(objective: Any) -> Any:
    return replace(objective, within=timedelta(microseconds=1))


def test_counting_asks_the_database_for_nothing(bob: Asker) -> None:
    """The statements of a request are those that it had before anybody counted."""
    bob.data(VIEWER)
    with connection.execute_wrapper(_no_counts):
        bob.data(VIEWER)


def _no_counts(execute: Any, statement: str, *rest: Any) -> Any:
    assert "service_" not in statement
    return execute(statement, *rest)


def test_the_parts_of_a_request_add_up() -> None:
    """queue, compute and serialise are one after the other, on one clock that never goes back."""
    seen = watch.Watch(began=10.0, compute_began=10.25, compute_ended=12.0)
    assert seen.phases(ended=12.5) == {"queue": 0.25, "compute": 1.75, "serialise": 0.5, "whole": 2.5}
    assert watch.Watch(began=10.0).phases(ended=10.5) == {"whole": 0.5}


def sample(name: str, **labels: str) -> float:
    """A metric's value so far."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_name_that_a_caller_chose_is_no_label(bob: Asker) -> None:
    """Or everybody could fill the server's memory with names."""
    before = sample("flowledger_answers_total", operation="other", code="OK")
    bob.data(NAMED)
    bob.error("query AnotherName { viewer { name } nope }")
    assert sample("flowledger_answers_total", operation="other", code="OK") == before + 1
    operations = {each.labels.get("operation") for family in metrics.REGISTRY.collect() for each in family.samples}
    assert operations <= {None, *watch.operations()}
    codes = {each.labels.get("code") for family in metrics.REGISTRY.collect() for each in family.samples}
    assert codes <= {None, "OK", "TIMED_OUT", *Code}


def test_every_part_of_an_answer_is_measured(bob: Asker) -> None:
    parts = ("queue", "compute", "serialise", "whole")
    before = [sample("flowledger_answer_seconds_count", operation="other", phase=part) for part in parts]
    sums = [sample("flowledger_answer_seconds_sum", operation="other", phase=part) for part in parts]
    bob.data(VIEWER)
    after = [sample("flowledger_answer_seconds_count", operation="other", phase=part) for part in parts]
    assert after == [each + 1 for each in before]
    took = [sample("flowledger_answer_seconds_sum", operation="other", phase=part) for part in parts]
    queue, compute, serialise, whole = (now - then for now, then in zip(took, sums, strict=True))
    assert queue + compute + serialise == pytest.approx(whole)


def read_metrics(**extra: Any) -> Any:
    return Client().get("/metrics", **extra)


def test_the_metrics_are_read_from_this_machine_alone(people: Cast) -> None:
    """Also not through a proxy that runs here, which makes every stranger one of this machine."""
    told = read_metrics()
    assert told.status_code == 200
    assert told.headers["Content-Type"].startswith("text/plain; version=")
    assert told.headers["Cache-Control"] == "no-store"
    text = told.content.decode()
    assert 'flowledger_service_level_valid_total{objective="availability"}' in text
    assert 'flowledger_tail_rows{family="transitions"}' in text
    assert 'flowledger_jobs_active{state="PENDING"} 0.0' in text
    assert "flowledger_queue_jobs" in text
    for refused in (
        read_metrics(REMOTE_ADDR="192.0.2.7"),
        read_metrics(REMOTE_ADDR=""),
        read_metrics(headers={"X-Forwarded-For": "127.0.0.1"}),
        read_metrics(headers={"Forwarded": "for=127.0.0.1"}),
    ):
        assert refused.status_code == 403
        assert b"FLOWLEDGER_METRICS_TOKEN" in refused.content
        assert b"flowledger_answers" not in refused.content
    assert read_metrics(REMOTE_ADDR="::1").status_code == 200
    assert Client().post("/metrics").status_code == 405


@override_settings(FLOWLEDGER_METRICS_TOKEN="s3same")
def test_with_a_token_set_it_is_asked_for_everywhere(people: Cast) -> None:
    there = {"REMOTE_ADDR": "192.0.2.7"}
    assert read_metrics().status_code == 401
    assert read_metrics(headers={"Authorization": "Bearer s3sam\u00e9"}).status_code == 401
    refused = read_metrics(headers={"Authorization": "Basic s3same"}, **there)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert read_metrics(headers={"Authorization": "Bearer s3same"}, **there).status_code == 200


def test_what_waits_is_told_of_all_tenants_together(people: Cast) -> None:
    """Facts by family, jobs by state: how many, and how long the first has waited."""
    for company in (people.acme, people.globex):
        tasks(board=company.board, count=2)
    sql(
        "INSERT INTO analytics_job (tenant_id, actor_id, submitted_at, expires_at, estimated_cost, lasting, fingerprint,"
        " rights, document, variables) SELECT %s, %s, now() - interval '90 seconds', now() + interval '1 day', 1, false,"
        " %s, %s, '', '{}'",
        [people.globex.tenant.id, people.carol.actor.id, b"f" * 32, b"r" * 32],
    )
    with web_login():
        told = {
            (each.name, *each.labels.values()): each.value
            for metric in TenantGauges().collect()
            for each in metric.samples
        }
    assert told["flowledger_tail_rows", "transitions"] == 4
    assert 0 <= told["flowledger_tail_oldest_seconds", "transitions"] < 60
    assert told["flowledger_jobs_active", "PENDING"] == 1
    assert 90 <= told["flowledger_jobs_oldest_seconds", "PENDING"] < 150
    assert told["flowledger_jobs_active", "RUNNING"] == told["flowledger_jobs_oldest_seconds", "RUNNING"] == 0


def test_a_database_that_is_away_takes_only_its_own_gauges(people: Cast) -> None:
    """The counters of the process are what an alert goes by."""
    sql("ALTER TABLE service_total RENAME TO elsewhere")
    try:
        assert list(LevelGauges().collect()) == []
        assert {metric.name for metric in QueueGauges().collect()} == {
            "flowledger_queue_jobs",
            "flowledger_queue_oldest_seconds",
        }
    finally:
        sql("ALTER TABLE elsewhere RENAME TO service_total")


def test_scrapes_are_no_load(people: Cast, django_assert_num_queries: Any) -> None:
    """Within ten seconds the same gauges are told again."""
    now = [100.0]
    gauges = QueueGauges(clock=lambda: now[0])
    first = list(gauges.collect())
    with django_assert_num_queries(0):
        now[0] += 9.9
        assert list(gauges.collect()) == first
    now[0] += 0.1
    with connection.execute_wrapper(_counting := _Statements()):
        list(gauges.collect())
    assert any("observing.read_queue" in each for each in _counting.seen)


class _Statements:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, execute: Any, statement: str, *rest: Any) -> Any:
        self.seen.append(statement)
        return execute(statement, *rest)


@contextmanager
def server_log() -> Iterator[io.StringIO]:
    """Everything that a server logs meanwhile, all loggers at their most talkative, as it is written there."""
    setup = logging_settings(as_json=True)["formatters"]["line"]
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(setup["()"](**{key: value for key, value in setup.items() if key != "()"}))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def lines(text: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_a_request_is_one_line(people: Cast, bob: Asker) -> None:
    with server_log() as text:
        response = bob.post(NAMED)
    (line,) = lines(text)
    assert line["event"] == "request"
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert (line["method"], line["route"], line["status"], line["code"]) == ("POST", "graphql", 200, "OK")
    assert line["tenant"] == "acme"
    assert isinstance(line["key"], int)
    assert isinstance(line["actor"], int)
    assert re.fullmatch("[0-9a-f]{16}", line["operation"])
    assert set(line["ms"]) == {"queue", "compute", "serialise", "whole"}
    assert line["bytes"] == len(response.content)


@pytest.mark.parametrize("query", ["{ nope }", "{", '{ node(id: "Wombat-Zeppelin") { id } }'])
def test_a_refused_request_is_one_line(bob: Asker, query: str) -> None:
    with server_log() as text:
        assert bob.post(query).status_code in (200, 400)
    (line,) = lines(text)
    assert line["code"] in ("BAD_USER_INPUT", "NOT_FOUND")
    assert TITLE not in text.getvalue()


def test_nothing_that_people_wrote_is_in_the_log(people: Cast) -> None:
    """Not the key, the variables, the titles or the names of a request that works, of one that is refused, of one that
    fails in the database, whose error quotes the row, nor of one by GET, whose address has it all."""
    secret = new_key(tenant_id=people.acme.tenant.id)
    bob = with_key(secret)
    todo = {"project": "WEB", "title": TITLE, "clientMutationId": "Penguin-77"}
    create = "mutation VeryPrivateName($input: CreateTaskInput!) { createTask(input: $input) { task { key } } }"
    with server_log() as text:
        assert "errors" not in bob.answer(create, input=todo)
        bob.post(create, input={**todo, "project": TITLE, "clientMutationId": "Penguin-78"})
        bob.post(create, input={**todo, "nope": TITLE})
        bob.post(f'{{ tasks(first: 1, filter: {{search: "{TITLE}"}}) {{ edges {{ node {{ title }} }} }} }}')
        bob.client.get("/graphql", {"query": NAMED, "variables": json.dumps({"x": TITLE})}, headers=bob.headers)
        bob.client.get(f"/admin/tasks/{TITLE}/", {"q": TITLE})
        bob.client.get(f"/{TITLE}")
        sql(f"ALTER TABLE task ADD CONSTRAINT poison CHECK (title <> '{TITLE} 2')")
        try:
            failed = bob.answer(create, input={**todo, "title": f"{TITLE} 2", "clientMutationId": "Penguin-79"})
        finally:
            sql("ALTER TABLE task DROP CONSTRAINT poison")
    written = text.getvalue()
    assert failed["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert failed["errors"][0]["extensions"]["errorId"] in written
    for words in (TITLE, "Wombat", "Penguin", "VeryPrivateName", secret, secret[-12:], "WEB board", "Alice"):
        assert words not in written
    (error,) = [line for line in lines(text) if "errors" in line]
    assert error["error_id"] == failed["errors"][0]["extensions"]["errorId"]
    assert error["tenant"] == "acme"
    types = [each["type"] for each in error["errors"]]
    assert types == ["django.db.utils.IntegrityError", "psycopg.errors.CheckViolation"]
    assert (error["errors"][1]["sqlstate"], error["errors"][1]["constraint"]) == ("23514", "poison")
    assert any("mutations" in place for place in error["errors"][0]["places"])


def test_a_developer_reads_lines_with_the_whole_error() -> None:
    setup = logging_settings(as_json=False)["formatters"]["line"]
    logging_settings(as_json=True)
    formatter = setup["()"](**{key: value for key, value in setup.items() if key != "()"})
    try:
        raise ValueError("the words of the error")
    except ValueError as error:
        record = logging.LogRecord("some.where", logging.ERROR, "", 1, "It broke", None, (type(error), error, None))
    text = formatter.format(record)
    assert "It broke" in text.splitlines()[0]
    assert "ValueError: the words of the error" in text


def test_a_page_of_the_admin_is_a_line_with_its_tenant(people: Cast) -> None:
    """And counts for no objective: those are of the API."""
    client = Client()
    client.force_login(people.audrey.user)
    client.get("/admin/")
    with server_log() as text:
        assert client.get("/admin/ledger/").status_code == 200
    (line,) = lines(text)
    assert (line["route"], line["tenant"], line["actor"]) == ("admin/ledger/", "acme", people.audrey.actor.id)
    assert "code" not in line
    assert counted() == {}


def test_probes_are_not_logged_unless_they_fail(people: Cast) -> None:
    with server_log() as text:
        Client().get("/health/live")
        read_metrics()
        assert lines(text) == []
        read_metrics(REMOTE_ADDR="192.0.2.7")
    assert [line["status"] for line in lines(text)] == [403]


def test_a_request_keeps_the_id_of_the_proxy_if_that_is_plain(people: Cast) -> None:
    """What is not goes nowhere: neither into the log nor back."""
    given = "0af7651916cd43dd8448eb211c80319c"
    assert Client().get("/health/live", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given
    for odd in ("short", "x" * 65, "with blanks in it", "line%0Abreak<script>", "\u00fcml\u00e4uteeeee"):
        found = Client().get("/health/live", headers={"X-Request-ID": odd}).headers["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{32}", found)


def test_one_request_has_nothing_of_the_one_before(bob: Asker) -> None:
    bob.data(VIEWER)
    with server_log() as text:
        Asker().post(VIEWER)
    (line,) = lines(text)
    assert not {"tenant", "key", "actor", "operation"} & set(line)


def test_points_and_refusals_are_counted_and_logged(people: Cast) -> None:
    """Whatever a limit is called, a label has one of a few names."""

    def refuse(_: HttpRequest) -> HttpResponse:
        watch.spent(7.5)
        watch.limited("tenant")
        return HttpResponse()

    before = sample("flowledger_cost_points_total", operation="other")
    refused = sample("flowledger_limiter_refusals_total", limit="tenant")
    with server_log() as text:
        watch_requests(refuse)(RequestFactory().post("/graphql"))
    (line,) = lines(text)
    assert (line["points"], line["limit"]) == (7.5, "tenant")
    assert sample("flowledger_cost_points_total", operation="other") == before + 7.5
    assert sample("flowledger_limiter_refusals_total", limit="tenant") == refused + 1
    metrics.limited("a name of somebody's own")
    assert sample("flowledger_limiter_refusals_total", limit="other") >= 1


def test_what_a_request_cost_and_what_refused_it_is_told(
    people: Cast, bob: Asker, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the points that it did cost; of a refusal by the limit that refused it, which counts for no objective."""
    before = sample("flowledger_cost_points_total", operation="other")
    with server_log() as text:
        cost = bob.answer(VIEWER)["extensions"]["cost"]["actual"]
    assert lines(text)[0]["points"] == cost > 0
    assert sample("flowledger_cost_points_total", operation="other") == before + cost
    counted()
    refused = sample("flowledger_limiter_refusals_total", limit="address")
    monkeypatch.setattr(asking, "_addresses", AddressLimit())
    settings.FLOWLEDGER_REQUESTS_A_MINUTE = 1
    bob.data(VIEWER)
    with server_log() as text:
        assert bob.error(VIEWER)[0] == "RATE_LIMITED"
    assert lines(text)[0]["limit"] == "address"
    assert sample("flowledger_limiter_refusals_total", limit="address") == refused + 1
    assert counted()[people.acme.tenant.id, "availability"] == Count(1, 1)


def test_a_plan_that_is_used_up_is_told(people: Cast, bob: Asker) -> None:
    small = {"points_a_minute": 1, "burst": 1, "tenant_points_a_minute": 600, "tenant_burst": 600, "at_once": 5}
    TenantPlan.objects.create(tenant=people.acme.tenant, **small)
    known_plans.forget()
    refused = sample("flowledger_limiter_refusals_total", limit="burst")
    try:
        assert bob.error("{ tasks(first: 500) { edges { node { key } } } }")[0] == "COST_EXCEEDED"
    finally:
        known_plans.forget()
    assert sample("flowledger_limiter_refusals_total", limit="burst") == refused + 1


def test_a_job_counts_from_its_acceptance_to_its_result(people: Cast) -> None:
    """Whatever of it was waiting; of a job that its caller may not run nothing counts."""
    acme = people.acme.tenant.id
    place = (acme, "latency_asynchronous")
    ended = partial(job_ended, tenant_id=acme, kind="analytics", queued=timedelta(seconds=50), now=clock())
    before = sample("flowledger_job_seconds_count", kind="analytics", phase="queue", code="OK")
    ended(computed=timedelta(seconds=9), stored=timedelta(seconds=1))
    assert counted() == {place: Count(1, 1)}
    assert sample("flowledger_job_seconds_count", kind="analytics", phase="queue", code="OK") == before + 1
    ended(computed=timedelta(seconds=11))
    ended(computed=timedelta(seconds=1), codes=frozenset({Code.INTERNAL}))
    ended(computed=timedelta(seconds=1), codes=frozenset({Code.FORBIDDEN}))
    assert counted() == {place: Count(0, 2)}
