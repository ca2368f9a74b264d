"""Refusals, expected failures: what was asked for cannot be done, and nothing was changed."""

from collections.abc import Sequence


class Refused(Exception):
    """One clear sentence for the person who asked, with the place it is about.

    `code` is BAD_USER_INPUT, NOT_FOUND or FORBIDDEN; `path` names the argument, as in ("input", "to").
    """

    def __init__(self, message: str, *, code: str = "BAD_USER_INPUT", path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.path = tuple(path)


def not_found(*, what: str, name: str, path: Sequence[str] = ()) -> Refused:
    """The refusal for a name that is not there, or not this tenant's: both read the same."""
    return Refused(f"There is no {what} {name!r}.", code="NOT_FOUND", path=path)
