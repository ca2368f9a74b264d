"""http_throughput, auth_context: what the door costs, over a socket and in the process."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from statistics import median

from django.conf import settings
from django.test import RequestFactory

from tasks_app.graphql.asking import caller_of
from tasks_app.operations.tasks import create_task
from tasks_app.tenancy import entered
from tests.benchmarks.companies import Company, make_company
from tests.benchmarks.keys import lift_limits, new_key
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.stopwatch import taking_turns, timed
from tests.serving import HOST, Server, served

CONNECTIONS = 8
TASKS = 40
THROUGHPUT_GOAL = 0.9
REQUESTS = 200
ROUNDS = 7
PAGE = """query ($first: Int!) {
  tasks(first: $first) { edges { node { key title createdAt project { key } state { slug } assignee { name } } } totalCount }
}"""
DOORS = {"hardened": "/graphql", "stock": "/stock"}
AUTH_GOAL_MS = 1.0
AUTH_ROUNDS = 300
ROUND_TRIPS = 2  # tests/graphql/test_round_trips.py counts them


def http_throughput(request: Request) -> Iterator[Outcome]:
    """Requests a second over eight connections: the product's door against strawberry's own view, the same question."""
    company = _company()
    secret = new_key(company.tenant.id)
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.served_stock",
        "FLOWLEDGER_BENCH_DATABASE": settings.DATABASES["default"]["NAME"],
        "FLOWLEDGER_REQUESTS_A_MINUTE": "10000000",
    }
    requests = request.size(REQUESTS)
    with served(environ=environ, workers=2) as server:
        answers = {name: _asked(server, path, secret) for name, path in DOORS.items()}
        variants = {
            name: Load(server=server, path=path, secret=secret, requests=request.size(REQUESTS))
            for name, path in DOORS.items()
        }
        seconds = taking_turns(variants, rounds=ROUNDS)
    rates = {name: requests / median(samples) for name, samples in seconds.items()}
    yield Outcome(
        name="http_throughput",
        ratio=rates["hardened"] / rates["stock"],
        goal=THROUGHPUT_GOAL,
        at_least=True,
        also=answers["hardened"]["data"] == answers["stock"]["data"],
        detail={
            "requests_a_second": {name: round(rate, 1) for name, rate in rates.items()},
            "connections": CONNECTIONS,
            "equal_answers": answers["hardened"]["data"] == answers["stock"]["data"],
        },
    )


def auth_context(request: Request) -> Iterator[Outcome]:
    """From a request with a key to the caller's transaction: milliseconds, and round trips to the database."""
    secret = new_key(_company().tenant.id)
    asked = RequestFactory().post("/graphql", headers={"Authorization": f"Bearer {secret}"})
    now = datetime.now(UTC)  # noqa: TID251 - the key is of these days

    def context() -> float:
        begun = time.perf_counter()
        caller = caller_of(asked, now=now)
        with entered(tenant_id=caller.tenant.id, actor_id=caller.actor_id, read_only=True):
            return time.perf_counter() - begun

    seconds = taking_turns({"context": context}, rounds=request.size(AUTH_ROUNDS))
    yield Outcome(
        name="auth_context",
        ratio=1000 * median(seconds["context"]),
        goal=AUTH_GOAL_MS,
        detail={"unit": "ms", "round_trips": ROUND_TRIPS, "best": round(1000 * min(seconds["context"]), 3)},
    )


def _company() -> Company:
    """A company with some tasks, and a plan that nobody uses up."""
    company = make_company(since=datetime(2026, 1, 1, tzinfo=UTC))
    now = datetime(2026, 1, 2, tzinfo=UTC)
    with entered(tenant_id=company.tenant.id, actor_id=company.actors[0]):
        for number in range(TASKS):
            create_task(
                tenant_id=company.tenant.id,
                project=company.boards[0].key,
                title=f"Task {number}",
                state=None,
                assignee_id=company.actors[0],
                happened_at=None,
                now=now,
            )
    lift_limits(company.tenant.id)
    return company


class Load:
    """So many requests over the connections at once; answers the seconds that they took."""

    def __init__(self, *, server: Server, path: str, secret: str, requests: int) -> None:
        self.server, self.path, self.secret = server, path, secret
        self.each = requests // CONNECTIONS

    def __call__(self) -> float:
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            return timed(lambda: list(threads.map(self._some, range(CONNECTIONS))))

    def _some(self, _number: int) -> None:
        for _ in range(self.each):
            _asked(self.server, self.path, self.secret)


def _asked(server: Server, path: str, secret: str) -> Mapping[str, object]:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    body = json.dumps({"query": PAGE, "variables": {"first": 20}})
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer: Mapping[str, object] = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200 or "errors" in answer:
        raise RuntimeError(f"{path} did not answer: {response.status} {answer}")
    return answer
