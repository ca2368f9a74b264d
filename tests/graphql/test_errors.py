"""What a caller is told of an error, and what only the log is told."""

import logging

import pytest
from graphql import GraphQLError

from tasks_app.errors import ApiError, Code
from tasks_app.http.masking import INTERNAL_MESSAGE, mask_errors
from tests.graphql.small_schema import SECRET, URLS, ask, only_error, post

pytestmark = pytest.mark.urls(URLS)


def test_an_expected_error_keeps_its_words_and_extensions() -> None:
    assert only_error(ask("{ refused }")) == {
        "message": "No such task.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["refused"],
        "extensions": {"code": "NOT_FOUND", "argument": "key"},
    }


@pytest.mark.parametrize("field", ["broken", "badData", "graphqlError", "tooBig", "missing", "naive"])
def test_an_unexpected_error_says_nothing_but_its_id(field: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="flowledger.graphql"):
        error = only_error(ask(f"{{ {field} }}"))
    assert error["message"] == INTERNAL_MESSAGE
    assert error["path"] == [field]
    assert set(error["extensions"]) == {"code", "errorId"}
    assert error["extensions"]["code"] == "INTERNAL"
    (record,) = [record for record in caplog.records if record.name == "flowledger.graphql"]
    assert error["extensions"]["errorId"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is not None


def test_the_log_has_the_traceback_of_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    ask("{ broken }")
    assert SECRET in caplog.text
    assert "Traceback" in caplog.text


def test_expected_errors_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    ask("{ refused }")
    ask("{ helo }")
    ask("{ instant(at: 5) }")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_rule_outside_resolvers_is_masked() -> None:
    """The stock mask leaks these."""
    response = post({"query": "query Broken { hello }"})
    assert response.status_code == 500
    assert SECRET not in response.content.decode()
    assert only_error(response.json())["extensions"]["code"] == "INTERNAL"


def test_a_rule_outside_resolvers_may_refuse() -> None:
    response = post({"query": "query Dear { hello }"})
    assert response.status_code == 400
    expected = {"message": "This costs too much.", "extensions": {"code": "COST_EXCEEDED", "cost": 9}}
    assert response.json() == {"errors": [expected], "extensions": {"cost": {"actual": 1}}}


def test_at_most_five_errors() -> None:
    fields = " ".join(f"f{number}: refused" for number in range(20))
    assert len(ask(f"{{ {fields} }}")["errors"]) == 5
    assert len(ask("{ " + " ".join(f"nope{number}" for number in range(20)) + " }")["errors"]) == 5


@pytest.mark.parametrize("query", ["{ helo }", '{ hello(nam: "x") }', "{ __schema { typs { name } } }"])
def test_no_error_suggests_names(query: str) -> None:
    assert "Did you mean" not in only_error(ask(query))["message"]


def test_the_cause_is_found_through_every_wrapper() -> None:
    """graphql-core wraps an error once for the variable and once for the place in it."""
    inner = GraphQLError("inner", original_error=ApiError("No such zone.", code=Code.NOT_FOUND))
    (masked,) = mask_errors([GraphQLError("outer", original_error=inner)])
    assert masked == {"message": "No such zone.", "extensions": {"code": "NOT_FOUND"}}


def test_an_extension_cannot_change_the_code() -> None:
    (masked,) = mask_errors([GraphQLError("", original_error=ApiError("No.", extensions={"code": "OTHER"}))])
    assert masked["extensions"] == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize("argument", ["null", "$n"])
def test_an_argument_that_fails_while_its_field_runs_is_the_callers_fault(argument: str) -> None:
    query = f"query ($n: String) {{ hello(name: {argument}) }}"
    error = only_error(ask(query.replace("($n: String) ", "") if argument == "null" else query, n=None))
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
