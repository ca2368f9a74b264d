"""Lost connections: a server that went away, told from everything else that may go wrong."""

from collections.abc import Iterator

import psycopg
from django.db import Error, InterfaceError, OperationalError

from tasks_app.tenancy import ContextRefused

# What the database's going away may be raised as, and much else.
DATABASE_ERRORS = (Error, psycopg.Error, ContextRefused)


class ServerLost(Exception):
    """The database went away under a job. It is no fault of the job's."""


def is_lost(error: BaseException) -> bool:
    """Whether the connection went: libpq knows no SQLSTATE then, or the server gave one of its own going or coming."""
    return any(_went(each) for each in _causes(error))


def _went(error: BaseException) -> bool:
    if isinstance(error, ServerLost | ContextRefused | InterfaceError | psycopg.InterfaceError):
        return True
    if not isinstance(error, OperationalError | psycopg.OperationalError):
        return False
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "57P"))


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = getattr(found, "original_error", None) or found.__cause__
