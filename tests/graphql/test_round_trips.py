"""How often a request goes to the database and back: counted on the wire, not by what Django says that it sent."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import RequestFactory
from graphql import OperationType
from psycopg import pq

from tasks_app.graphql.asking import caller_of, open_request
from tasks_app.http.costs import NOTHING
from tasks_app.tenancy import entered
from tests.cast import Cast, cast
from tests.graphql.client import new_key, with_key

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not hasattr(pq.PGconn, "trace"), reason="libpq has no trace"),
]


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def trips(folder: Path, work: Callable[[], object]) -> int:
    """Each answer of the server to a request of ours ends with ReadyForQuery."""
    raw: psycopg.Connection[Any] = connection.connection
    path = folder / "trace"
    with path.open("w") as file:
        raw.pgconn.trace(file.fileno())
        try:
            work()
        finally:
            raw.pgconn.untrace()
    return sum("\tReadyForQuery" in line for line in path.read_text().splitlines())


def test_who_asks_and_the_transaction_are_two_round_trips(people: Cast, tmp_path: Path, rf: RequestFactory) -> None:
    """One for the key, its owner and its tenant; one for BEGIN with role, tenant, actor and timeouts."""
    secret = new_key(tenant_id=people.acme.tenant.id)
    request = rf.post("/graphql", headers={"Authorization": f"Bearer {secret}"})
    now = datetime.now(UTC)  # noqa: TID251
    caller = caller_of(request, now=now)  # which also notes the key's use, once a minute

    with ExitStack() as stack:

        def context() -> None:
            asking = caller_of(request, now=now)
            stack.enter_context(entered(tenant_id=asking.tenant.id, actor_id=asking.actor_id, read_only=True))

        assert trips(tmp_path, context) == 2
    assert caller.api_key_id is not None


def test_points_are_one_round_trip_before_and_one_after(people: Cast, tmp_path: Path, rf: RequestFactory) -> None:
    """Key, points, BEGIN; COMMIT, points: five in all, and those of the question itself."""
    secret = new_key(tenant_id=people.acme.tenant.id)
    asker = with_key(secret)
    request = rf.post("/graphql", headers={"Authorization": f"Bearer {secret}"})

    def empty() -> None:
        with open_request(request, OperationType.QUERY, lambda: NOTHING):
            pass

    empty()
    assert trips(tmp_path, empty) == 5
    asker.post("{ viewer { name } }")
    # The test's client closes nothing, so it is the same connection.
    assert trips(tmp_path, lambda: asker.data("{ viewer { name } }")) == 5
    assert trips(tmp_path, lambda: asker.data('{ project(key: "WEB") { name } }')) == 6
