"""GraphQL over HTTP, seen from outside: media types, methods, bodies, callers, transactions."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client
from graphql import OperationType

from tasks_app.http import view
from tasks_app.http.reading import JSON_TYPE, RESPONSE_TYPE
from tests.graphql.small_schema import KEY, OPENED, SECRET, URLS, ask, only_error, post

pytestmark = pytest.mark.urls(URLS)


@pytest.fixture(autouse=True)
def nothing_opened() -> None:
    OPENED.clear()


# ------------------------------------------------------------------ media types, methods, statuses


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (RESPONSE_TYPE, RESPONSE_TYPE),
        (JSON_TYPE, JSON_TYPE),
        ("*/*", JSON_TYPE),
        ("", JSON_TYPE),
        ("application/*", JSON_TYPE),
        (f"{RESPONSE_TYPE}, {JSON_TYPE};q=0.9", RESPONSE_TYPE),
        (f"{JSON_TYPE};q=0.2, {RESPONSE_TYPE};q=0.9", RESPONSE_TYPE),
        (f"{RESPONSE_TYPE}; charset=utf-8", RESPONSE_TYPE),
        ("APPLICATION/JSON", JSON_TYPE),
        (f"text/plain, {JSON_TYPE};q=0.1", JSON_TYPE),
    ],
)
def test_the_answer_has_the_media_type_that_the_caller_prefers(accept: str, answered: str) -> None:
    response = post({"query": "{ hello }"}, accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, f"{answered}; charset=utf-8")
    assert response.json() == {"data": {"hello": "hello you"}, "extensions": {"cost": {"actual": 1}}}


@pytest.mark.parametrize("accept", ["text/plain", "image/png", f"{JSON_TYPE};q=0", f"{JSON_TYPE};q=x"])
def test_other_media_types_are_not_acceptable(accept: str) -> None:
    response = post({"query": "{ hello }"}, accept=accept)
    assert response.status_code == 406
    assert only_error(response.json())["message"] == f"Accept: only {RESPONSE_TYPE} and {JSON_TYPE} are served."


REQUEST_ERRORS = [
    pytest.param({"query": "{"}, id="document that does not parse"),
    pytest.param({"query": "{ helo }"}, id="unknown field"),
    pytest.param({"query": "query ($n: String!) { hello(name: $n) }"}, id="missing variable"),
    pytest.param({"query": "{ hello }", "operationName": "Nobody"}, id="no operation of that name"),
    pytest.param({"query": "fragment F on Query { hello }"}, id="no operation at all"),
    pytest.param({"query": "query A { hello } query B { hello }"}, id="two operations and no name"),
    pytest.param({"query": "subscription { hello }"}, id="subscription"),
]


@pytest.mark.parametrize("body", REQUEST_ERRORS)
def test_a_request_error_is_400_without_data(body: Mapping[str, object]) -> None:
    response = post(body)
    assert response.status_code == 400
    assert set(response.json()) <= {"errors", "extensions"}
    assert only_error(response.json())["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("body", REQUEST_ERRORS)
def test_a_request_error_is_200_without_data_for_clients_of_plain_json(body: Mapping[str, object]) -> None:
    response = post(body, accept=JSON_TYPE)
    assert response.status_code == 200
    assert "data" not in response.json()


def test_a_field_error_is_200_with_data() -> None:
    response = post({"query": "{ hello refused }"})
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "hello you", "refused": None}


def test_a_field_error_that_reaches_the_root_is_200_with_null() -> None:
    response = post({"query": "{ hello missing }"})
    assert (response.status_code, response.json()["data"]) == (200, None)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "TRACE"])
def test_other_methods_are_told_which_ones_there_are(method: str) -> None:
    response = Client().generic(method, "/graphql", headers=KEY)
    assert (response.status_code, response["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(("name", "answered"), [("A", {"a": "hello A"}), ("B", {"b": "hello B"})])
def test_the_operation_named_is_the_one_that_runs(name: str, answered: object) -> None:
    query = 'query A { a: hello(name: "A") } query B { b: hello(name: "B") }'
    assert post({"query": query, "operationName": name}).json()["data"] == answered


def test_two_operations_without_a_name_say_so() -> None:
    answer = ask("query A { hello } query B { hello }")
    assert only_error(answer)["message"] == "operationName: the document has 2 operations; name the one to run."
    assert OPENED == []


# ------------------------------------------------------------------ bodies


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("null", 'The body must be a JSON object such as {"query": "{ __typename }"}.'),
        ("5", 'The body must be a JSON object such as {"query": "{ __typename }"}.'),
        ('"x"', 'The body must be a JSON object such as {"query": "{ __typename }"}.'),
        ('[{"query": "{ hello }"}]', "The body is a list: send one operation in each request."),
        (" ", "The body is not valid JSON."),
        ('{ "query', "The body is not valid JSON."),
        ('{"query": "{ hello }", "variables": {"n": NaN}}', "The body is not valid JSON."),
        ('{"query": "{ hello }", "variables": {"n": ' + "9" * 5000 + "}}", "The body is not valid JSON."),
        ('{"query": ' + "[" * 100_000 + "]" * 100_000 + "}", "The body is not valid JSON."),
        (b'{"query": "{ hello(name: \\"\xe9\\") }"}', "The body is not UTF-8; encode it as UTF-8."),
        ("{}", "query: a string with a GraphQL document is required."),
        ('{"query": 5}', "query: a string with a GraphQL document is required."),
        ('{"query": "  "}', "query: a string with a GraphQL document is required."),
        ('{"query": "{ hello }", "variables": [1]}', "variables must be an object or null."),
        ('{"query": "{ hello }", "variables": "{}"}', "variables must be an object or null."),
        ('{"query": "{ hello }", "extensions": 0}', "extensions must be an object or null."),
        ('{"query": "{ hello }", "operationName": false}', "operationName must be a string or null."),
        (
            '{"query": "{ hello }", "variables": {"a": [{"b": "\\ud800"}]}}',
            "variables: a string has a NUL or a lone surrogate in it; leave it out.",
        ),
        (
            '{"query": "{ hello }", "variables": {"a\\u0000": 1}}',
            "variables: a string has a NUL or a lone surrogate in it; leave it out.",
        ),
        ('{"query": "{ hello } # \\udfff"}', "query: the document has a lone surrogate in it; send valid Unicode."),
    ],
)
@pytest.mark.parametrize("accept", [JSON_TYPE, RESPONSE_TYPE])
def test_a_malformed_body_is_400_with_one_sentence(body: str | bytes, message: str, accept: str) -> None:
    """The stock view answers 500 to null, 5 and "x"."""
    response = post(body, accept=accept)
    assert response.status_code == 400
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]}
    assert OPENED == []


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json"]
)
def test_a_body_of_another_type_is_415(content_type: str) -> None:
    """Forms are what another site can make a browser send."""
    response = Client().generic("POST", "/graphql", b'{"query": "{ hello }"}', content_type, headers=KEY)
    assert response.status_code == 415
    assert only_error(response.json())["message"] == "Content-Type: a POST must have application/json."


@pytest.mark.parametrize(("charset", "status"), [("utf-8", 200), ('"UTF-8"', 200), ("latin-1", 415), ("utf-16", 415)])
def test_a_body_is_utf_8(charset: str, status: int) -> None:
    content_type = f"application/json; charset={charset}"
    response = Client().generic("POST", "/graphql", b'{"query": "{ hello }"}', content_type, headers=KEY)
    assert response.status_code == status


def test_a_body_that_is_too_large_is_413(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = post({"query": "{ hello }", "variables": {"padding": "x" * 200}})
    assert response.status_code == 413


@pytest.mark.parametrize(
    "query", ['{ hello(name: "a\\u0000b") }', '{ hello(name: "a\\u{0}b") }', '{ hello(name: "a\0b") }']
)
def test_a_nul_in_the_document_is_named(query: str) -> None:
    answer = ask(query)
    assert only_error(answer)["extensions"]["code"] == "BAD_USER_INPUT"
    assert OPENED == []


def test_text_of_any_script_comes_back_unchanged() -> None:
    assert ask("query ($n: String!) { hello(name: $n) }", n="Zoë 🏃 \\u0041")["data"] == {
        "hello": "hello Zoë 🏃 \\u0041"
    }


# ------------------------------------------------------------------ GET


def test_a_query_by_get_with_variables() -> None:
    parameters = {"query": "query ($n: String!) { hello(name: $n) }", "variables": '{"n": "Ada"}', "operationName": ""}
    response = Client().get("/graphql", parameters, headers={"Accept": JSON_TYPE, **KEY})
    assert (response.status_code, response.json()["data"]) == (200, {"hello": "hello Ada"})


@pytest.mark.parametrize("accept", ["*/*", "", "image/avif, */*", JSON_TYPE])
def test_a_get_with_a_session_runs_nothing(accept: str) -> None:
    """An image on another site makes a browser send it, cookies and all."""
    client = Client()
    client.cookies["sessionid"] = "someone"
    response = client.get("/graphql", {"query": "{ hello }"}, headers={"Accept": accept})
    assert response.status_code == 400
    expected = "A GET with a query needs an API key, as Authorization: Bearer <key>. With a session send a POST."
    assert only_error(response.json())["message"] == expected
    assert OPENED == []


@pytest.mark.parametrize("accept", ["*/*", ""])
def test_a_get_with_a_key_may_accept_anything(accept: str) -> None:
    assert Client().get("/graphql", {"query": "{ hello }"}, headers={"Accept": accept, **KEY}).status_code == 200


def test_a_mutation_by_get_is_405_and_says_what_to_use() -> None:
    response = Client().get("/graphql", {"query": "mutation { save }"}, headers={"Accept": JSON_TYPE, **KEY})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert OPENED == []


@pytest.mark.parametrize(
    "parameters", [{}, {"query": "{ hello }", "variables": "{"}, {"query": "{ a }", "variables": "5"}]
)
def test_a_malformed_get_is_400(parameters: dict[str, str]) -> None:
    assert Client().get("/graphql", parameters, headers={"Accept": JSON_TYPE, **KEY}).status_code == 400


def test_a_person_gets_a_page_that_needs_no_other_host() -> None:
    response = Client().get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    page = response.content.decode()
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "://" not in page
    assert "{{" not in page
    assert "default-src 'none'; connect-src 'self'" in response["Content-Security-Policy"]
    assert 'id="query"' in page
    assert 'id="variables"' in page
    assert 'id="key"' in page


# ------------------------------------------------------------------ who is asking


@pytest.mark.parametrize("query", ["{ helo }", "{ hello }", "{ __schema { types { name } } }", "mutation { save }"])
@pytest.mark.parametrize("accept", [JSON_TYPE, RESPONSE_TYPE])
def test_a_stranger_learns_nothing_of_the_schema(query: str, accept: str) -> None:
    """The answer to a wrong field name is the one to a right name."""
    response = post({"query": query}, accept=accept, headers={})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="flowledger"')
    expected = {"message": "Sign in, or send an API key.", "extensions": {"code": "UNAUTHENTICATED"}}
    assert response.json() == {"errors": [expected]}


def test_a_caller_who_is_signed_in_may_introspect() -> None:
    answer = ask("{ __schema { queryType { name } } }")
    assert answer["data"] == {"__schema": {"queryType": {"name": "Query"}}}


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("narrow", 403, "FORBIDDEN"), ("fast", 429, "RATE_LIMITED"), ("broken", 500, "INTERNAL")],
)
def test_a_refusal_has_its_status(key: str, status: int, code: str) -> None:
    response = post({"query": "{ hello }"}, accept=JSON_TYPE, headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == status
    assert only_error(response.json())["extensions"]["code"] == code
    assert SECRET not in response.content.decode()


def test_a_rate_limit_says_when_to_come_back() -> None:
    response = post({"query": "{ hello }"}, headers={"Authorization": "Bearer fast"})
    assert response["Retry-After"] == "7"
    assert only_error(response.json())["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 7}


def test_the_context_sets_headers() -> None:
    assert post({"query": "{ hello }"})["RateLimit"] == '"default";r=50;t=30'


# ------------------------------------------------------------------ names of requests, size of answers


def test_a_mutation_that_was_done_before_is_answered_from_what_was_kept() -> None:
    response = post({"query": "mutation { save }"}, headers={**KEY, "Idempotency-Key": "done"})
    assert (response.json(), response["Idempotency-Replayed"]) == ({"data": {"save": "before"}}, "true")
    assert OPENED[0].kept == {}


def test_an_answer_is_kept_only_when_nothing_in_it_failed() -> None:
    new = {**KEY, "Idempotency-Key": "new"}
    saved = post({"query": "mutation { save }"}, headers=new)
    post({"query": "mutation { fail }"}, headers=new)
    post({"query": "{ hello }"}, headers=new)
    assert [opened.kept for opened in OPENED] == [{"answer": saved.content.decode()}, {}, {}]


def test_an_answer_that_is_too_long_is_refused_inside_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MAX_ANSWER_BYTES", 60)
    response = post({"query": "mutation { save again: save }"})
    assert only_error(response.json()) == {
        "message": "The answer is longer than 60 bytes: ask for shorter pages or fewer fields.",
        "extensions": {"code": "LIMIT_EXCEEDED"},
    }
    assert [opened.failed for opened in OPENED] == [True]


# ------------------------------------------------------------------ CSRF


def session_post(*, token: str | None = None, headers: Mapping[str, str] | None = None, cookie: bool = True) -> Any:
    client = Client(enforce_csrf_checks=True)
    if cookie:
        client.cookies["sessionid"] = "someone"
    if token:
        client.cookies["csrftoken"] = token
    sent = {"Accept": RESPONSE_TYPE, **(headers or {})}
    return client.post("/graphql", {"query": "{ hello }"}, content_type="application/json", headers=sent)


def test_a_session_without_a_csrf_token_is_refused() -> None:
    response = session_post()
    assert response.status_code == 403
    expected = "A session needs its CSRF token: send the csrftoken cookie's value as X-CSRFToken."
    assert only_error(response.json()) == {"message": expected, "extensions": {"code": "FORBIDDEN"}}
    assert OPENED == []


def test_a_session_with_the_wrong_csrf_token_is_refused() -> None:
    assert session_post(token="a" * 32, headers={"X-CSRFToken": "b" * 32}).status_code == 403


def test_a_session_with_its_csrf_token_is_served() -> None:
    assert session_post(token="a" * 32, headers={"X-CSRFToken": "a" * 32}).status_code == 200


@pytest.mark.parametrize("cookie", [False, True])
def test_an_api_key_needs_no_csrf_token(cookie: bool) -> None:
    assert session_post(headers=KEY, cookie=cookie).status_code == 200


def test_a_password_that_the_browser_adds_is_no_api_key() -> None:
    assert session_post(headers={"Authorization": "Basic eDp5"}).status_code == 403


def test_a_stranger_is_asked_to_sign_in_rather_than_for_a_csrf_token() -> None:
    assert session_post(cookie=False).status_code == 401


# ------------------------------------------------------------------ the operation's transaction


def test_the_operation_type_is_known_when_the_transaction_opens() -> None:
    ask("{ hello }")
    ask("mutation { save }")
    assert [opened.kind for opened in OPENED] == [OperationType.QUERY, OperationType.MUTATION]
    assert [(opened.rolled_back, opened.closed) for opened in OPENED] == [(False, True), (False, True)]


def test_a_mutation_with_an_error_is_rolled_back() -> None:
    """ATOMIC_REQUESTS alone would commit: the answer is a 200."""
    ask("mutation { save fail }")
    assert [opened.rolled_back for opened in OPENED] == [True]


@pytest.mark.parametrize("query", ["{ unserialisable }", "{ notANumber }"])
def test_an_answer_that_cannot_be_serialised_fails_inside_the_transaction(query: str) -> None:
    response = post({"query": query})
    assert response.status_code == 500
    assert only_error(response.json())["extensions"]["code"] == "INTERNAL"
    assert [opened.failed for opened in OPENED] == [True]


def test_a_commit_that_fails_is_the_answer() -> None:
    response = post({"query": "mutation { save }"}, headers={"Authorization": "Bearer unlucky"})
    assert response.status_code == 500
    assert "saved" not in response.content.decode()
