"""Masking of errors: what a caller is told, and what only the log is told."""

import logging
import re
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import OperationalError
from graphql import GraphQLError
from psycopg.errors import QueryCanceled
from strawberry.exceptions import StrawberryInputCoercionError

from tasks_app.errors import TOO_LONG, ApiError, Code

logger = logging.getLogger("flowledger.graphql")

MAX_ERRORS = 5
INTERNAL_MESSAGE = "Something went wrong on the server. Report the errorId, so that it can be found in the log."
SUGGESTION = re.compile(r" Did you mean [^?]*\?")


class RequestErrors(Exception):
    """What is wrong with a request before it runs: all that validation found."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = list(errors)


def mask_errors(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """At most five errors in the shape of the GraphQL answer, with nothing in them but what the caller may read.

    Faults of the server are logged here, with their traceback, under the `errorId` that the caller gets.
    """
    return [_masked(error) for error in errors[:MAX_ERRORS]]


def mask_exception(error: Exception) -> list[dict[str, Any]]:
    """The same for an exception raised outside execution."""
    return mask_errors(error.errors if isinstance(error, RequestErrors) else [as_graphql_error(error)])


def as_graphql_error(error: Exception) -> GraphQLError:
    """The error as graphql-core would carry it: unchanged if it is one of its own."""
    if isinstance(error, GraphQLError):
        return error
    return GraphQLError(str(error), original_error=error)


def error_code(error: GraphQLError) -> Code:
    """Whose fault it is, as the code that the caller will see."""
    cause = _root_cause(error)
    if isinstance(cause, ApiError):
        return cause.code
    if not isinstance(cause, GraphQLError):
        return Code.INTERNAL
    declared = (cause.extensions or {}).get("code")
    if isinstance(declared, str) and declared in Code.__members__:
        return Code(declared)
    return Code.BAD_USER_INPUT if _is_callers_fault(cause, in_a_field=error.path is not None) else Code.INTERNAL


def _masked(error: GraphQLError) -> dict[str, Any]:
    code = error_code(error)
    masked: dict[str, Any] = {"message": _message(error, code)}
    if error.locations:
        masked["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        masked["path"] = error.path
    masked["extensions"] = {**_extensions(error, code), "code": code.value}
    return masked


def _message(error: GraphQLError, code: Code) -> str:
    if code is Code.INTERNAL:
        return INTERNAL_MESSAGE
    cause = _root_cause(error)
    if isinstance(cause, ApiError):
        return cause.message
    return SUGGESTION.sub("", error.message)


def _extensions(error: GraphQLError, code: Code) -> dict[str, object]:
    cause = _root_cause(error)
    if code is Code.INTERNAL:
        return {"errorId": _log(cause)}
    if isinstance(cause, ApiError):
        return cause.extensions
    return dict(error.extensions or {})


def _log(cause: Exception) -> str:
    error_id = uuid.uuid4().hex
    logger.error("Unexpected error %s", error_id, exc_info=cause, extra={"error_id": error_id})
    return error_id


def _root_cause(error: Exception) -> Exception:
    """The exception at the bottom: graphql-core wraps once per stage, so one step down is not enough."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    took_too_long = isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled)
    return ApiError(TOO_LONG, code=Code.COST_EXCEEDED) if took_too_long else error


def _is_callers_fault(cause: GraphQLError, *, in_a_field: bool) -> bool:
    """Whether graphql-core blames the request.

    While a field runs, only the coercion of its arguments speaks of the request; the rest, such as an
    integer of ours that does not fit into Int, is a fault of the server.
    """
    coercion = isinstance(cause, StrawberryInputCoercionError) or cause.message.startswith("Argument '")
    return coercion or not in_a_field
