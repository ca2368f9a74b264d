"""The door in front of strangers and of callers who mean harm: graphql-cop's twelve ideas, and input that is malformed.

graphql-cop itself asks a server without a key and calls it a finding when the server answers.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from tasks_app.http.node import encode_id
from tasks_app.http.reading import JSON_TYPE
from tasks_app.http.view import CHALLENGE
from tests.cast import Cast, cast, tasks
from tests.graphql.client import Asker, new_key, with_key, with_session
from tests.graphql.test_limits import bomb

STRANGERS_ANSWER = {
    "errors": [
        {
            "message": "Sign in, or send an API key as Authorization: Bearer <key>.",
            "extensions": {"code": "UNAUTHENTICATED"},
        }
    ]
}
# What an answer must not hold: words of the server's own.
INTERNALS = (
    "Traceback", "psycopg", "django", "strawberry", "graphql-core", "/tasks_app", "SELECT", "relation", "site-packages",
    "line ", "0x", "NoneType", "object at",
)  # fmt: skip


@pytest.fixture
def people(db: Any) -> Cast:
    everybody = cast()
    tasks(board=everybody.acme.board, count=2)
    return everybody


@pytest.fixture
def caller(people: Cast) -> Asker:
    return with_key(new_key(tenant_id=people.acme.tenant.id))


# ------------------------------------------------------------------ graphql-cop's twelve, by a stranger


def posted(body: Any, content_type: str = JSON_TYPE) -> Any:
    return Client().post("/graphql", body, content_type=content_type)


TWELVE: dict[str, Callable[[], Any]] = {
    "alias overloading": lambda: posted({"query": "{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }"}),
    "array-based query batching": lambda: posted([{"query": "{ __typename }"}] * 10),
    "directive overloading": lambda: posted({"query": "{ __typename " + "@aa" * 10 + " }"}),
    "circular introspection": lambda: posted(
        {"query": "{ __schema { types { fields { type { fields { name } } } } } }"}
    ),
    "introspection": lambda: posted({"query": "{ __schema { types { name fields { name } } } }"}),
    "field duplication": lambda: posted({"query": "{ " + "__typename " * 500 + "}"}),
    "field suggestions": lambda: posted({"query": "{ projets { key } }"}),
    "a GraphiQL that talks to anybody": lambda: posted({"query": "{ viewer { name } }"}),
    "GET queries": lambda: Client().get("/graphql", {"query": "{ __typename }"}),
    "GET mutations": lambda: Client().get("/graphql", {"query": "mutation { __typename }"}),
    "POST of a form": lambda: posted("query=%7B__typename%7D", "application/x-www-form-urlencoded"),
    "tracing": lambda: posted({"query": "{ __typename }", "extensions": {"tracing": True}}),
}


@pytest.mark.django_db
@pytest.mark.parametrize("idea", TWELVE)
def test_graphql_cop_finds_nothing(idea: str) -> None:
    """A stranger gets no data, no schema, no hint, no trace; most get one and the same answer."""
    response = TWELVE[idea]()
    assert response.status_code in (400, 401, 415)
    answer = response.json()
    assert set(answer) == {"errors"}
    assert len(answer["errors"]) == 1
    if response.status_code == 401:
        assert (answer, response["WWW-Authenticate"]) == (STRANGERS_ANSWER, CHALLENGE)


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/graphiql", "/playground", "/console", "/altair", "/graphql/console", "/v1/graphql"])
def test_there_is_no_other_page_to_find(page: str) -> None:
    assert Client().get(page, headers={"Accept": "text/html"}).status_code == 404


def test_the_same_twelve_by_a_caller_are_bounded(caller: Asker) -> None:
    """Whoever is signed in may introspect; nobody overloads, batches or is told a name that was nearly right."""
    refused = {
        "{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }": "LIMIT_EXCEEDED",
        "{ __typename " + "@skip(if: false) " * 51 + "}": "LIMIT_EXCEEDED",
        "{ " + "__typename " * 1_001 + "}": "LIMIT_EXCEEDED",
        bomb(40, "__typename"): "LIMIT_EXCEEDED",
        "{ __schema { types { " + "fields { type { " * 3 + "name" + " } }" * 3 + " } } }": "BAD_USER_INPUT",
        "{ projets { key } }": "BAD_USER_INPUT",
    }
    for query, code in refused.items():
        response = caller.post(query)
        found = {error["extensions"]["code"] for error in response.json()["errors"]}
        assert (response.status_code, found) == (400, {code}), query[:60]
        assert "Did you mean" not in response.content.decode()
    directives = caller.post("{ __typename " + "@aa " * 40 + "}").json()
    assert len(directives["errors"]) == 5


# ------------------------------------------------------------------ malformed: a code, one line in the log, no internals


def malformed(people: Cast) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is wrong, the document, its variables."""
    task = encode_id(type_name="Task", pk=1)
    page = "query ($a: String) { tasks(first: 1, after: $a) { totalCount } }"
    feed = "query ($a: String) { activity(last: 1, before: $a) { totalCount } }"
    for cursor in (
        "",
        "x",
        "====",
        "\\u0000",
        "W10=",
        "eyJhIjoxfQ==",
        "W251bGxd",
        "WzFlOTk5XQ==",
        "é" * 200,
        "A" * 20_000,
    ):
        yield "cursor", page, {"a": cursor}
        yield "cursor", feed, {"a": cursor}
    node = "query ($id: ID!) { node(id: $id) { id } }"
    for each in (
        "",
        "x",
        "VGFzazo=",
        "VGFzazphYmM=",
        "VGFzazotMQ==",
        task[:-1],
        task + "A",
        "VGFzazo5OTk5OTk5OTk5OTk5OTk5OTk5OQ==",
    ):
        yield "id", node, {"id": each}
    yield "id", node, {"id": 10**30}
    yield "id", node, {"id": {"a": 1}}
    window = "query ($w: WindowInput!) { analytics(window: $w) { workInProgress } }"
    windows: tuple[dict[str, Any], ...] = (
        {},
        {"rolling": None},
        {"rolling": {"count": 0, "unit": "DAY"}},
        {"rolling": {"count": 2**31 - 1, "unit": "QUARTER"}},
        {"rolling": {"count": 2**31, "unit": "DAY"}},
        {"rolling": {"count": 1, "unit": "FORTNIGHT"}},
        {"between": {"from": "0016-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}},
        {"between": {"from": "2026-01-01", "to": "2026-01-02"}},
        {"between": {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}},
        {"rolling": {"count": 1, "unit": "DAY"}, "between": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}},
    )  # fmt: skip
    for given in windows:
        yield "window", window, {"w": given}
    sizes: tuple[Any, ...] = (0, -1, 501, 2**31, "1", 1.5, True, [])
    for size in sizes:
        yield "page", "query ($n: Int) { tasks(first: $n) { totalCount } }", {"n": size}
    yield "page", "{ tasks { totalCount } }", {}
    yield "page", "{ tasks(first: 1, last: 1) { totalCount } }", {}
    move = "mutation ($i: MoveTaskInput!) { moveTask(input: $i) { errors { code } } }"
    for given in (
        {},
        {"task": "WEB-1"},
        {"task": 5, "to": "doing"},
        {"task": "WEB-1", "to": "doing", "happenedAt": "soon"},
    ):
        yield "variable", move, {"i": given}


def test_whatever_is_malformed_is_400_with_a_code(
    people: Cast, caller: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of it is a fault of the server, so nothing is logged but a line of Django's for the status."""
    asked = list(malformed(people))
    assert len(asked) >= 50
    for what, query, variables in asked:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            response = caller.post(query, **variables)
        answer = response.json()
        text = response.content.decode()
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        assert codes <= {"BAD_USER_INPUT", "NOT_FOUND", "COST_EXCEEDED", "LIMIT_EXCEEDED"}, (what, variables, text)
        assert (response.status_code == 400) == ("data" not in answer), (what, variables, text)
        assert len(caplog.records) <= 1, (what, variables)
        assert [word for word in INTERNALS if word in text] == [], (what, variables, text)


HEADERS = {
    "Authorization": ["Bearer", "Bearer ", "bearer x", "Bearer fl_1_" + "A" * 36, "Bearer " + "é" * 40, "Bearer fl__"],
    "X-Tenant": ["nobodys", "x" * 10_000, "a b", "'", "\u00dcn\u00ef"],
    "Idempotency-Key": ["", '""', "x" * 201, "\t"],
    "Accept": ["text/plain", ";;;", "application/json;q=", "*/*;q=x"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in HEADERS.items() for value in values])
def test_a_malformed_header_is_refused_with_a_code(people: Cast, caller: Asker, name: str, value: str) -> None:
    query = "mutation { __typename }" if name == "Idempotency-Key" else "{ viewer { name } }"
    given = {**caller.headers, name: value}
    response = Client().post(
        "/graphql", {"query": query}, content_type=JSON_TYPE, headers={"Accept": JSON_TYPE, **given}
    )
    assert response.status_code in (400, 401, 403, 406)
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] in ("UNAUTHENTICATED", "FORBIDDEN", "BAD_USER_INPUT")
    assert [word for word in INTERNALS if word in response.content.decode()] == []


def test_a_session_cookie_that_means_nothing_is_a_stranger(people: Cast) -> None:
    bob = with_session(people.bob.user)
    for value in ("", "x", "é", "a" * 5_000, "'; --"):
        bob.client.cookies["sessionid"] = value
        assert bob.post("{ viewer { name } }").json() == STRANGERS_ANSWER
