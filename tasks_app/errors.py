"""Errors of the API that are expected, and their codes. No GraphQL: who counts answers or shows pages does without it."""

from collections.abc import Mapping
from enum import StrEnum

TOO_LONG = "This takes longer than a request may: ask for a narrower window, or for one project."


class Code(StrEnum):
    """Every value that `extensions.code` can have."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    RATE_LIMITED = "RATE_LIMITED"
    COST_EXCEEDED = "COST_EXCEEDED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    ASYNC_REQUIRED = "ASYNC_REQUIRED"
    INTERNAL = "INTERNAL"


class ApiError(Exception):
    """An expected failure: its message, code and extensions reach the caller as they are."""

    def __init__(
        self,
        message: str,
        *,
        code: Code = Code.BAD_USER_INPUT,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = Code(code)
        self.extensions = dict(extensions or {})
