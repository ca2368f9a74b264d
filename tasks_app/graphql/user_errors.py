"""User errors: expected failures of mutations, as data."""

from collections.abc import Iterator
from contextlib import contextmanager

import strawberry
from django.db import DataError, OperationalError, transaction
from psycopg.errors import ProgramLimitExceeded

from tasks_app.refusals import Refused


@strawberry.type(description="Why a mutation did nothing: one sentence for the person who asked.")
class UserError:
    code: str = strawberry.field(description="BAD_USER_INPUT, NOT_FOUND or FORBIDDEN.")
    message: str = strawberry.field(description="What is wrong, and what to do.")
    path: list[str] = strawberry.field(
        description='The argument that it is about, such as ["input", "to"]; empty when it is about no single one.'
    )


def user_error(refused: Refused) -> UserError:
    """The refusal as the API shows it."""
    return UserError(code=refused.code, message=refused.message, path=list(refused.path))


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """A savepoint: when something inside is refused, nothing of it stays. What the database cannot hold is refused."""
    try:
        with transaction.atomic():
            yield
    except DataError:
        raise Refused("A value is too large, or of a form that cannot be kept; nothing was changed.") from None
    except OperationalError as error:
        if not isinstance(error.__cause__, ProgramLimitExceeded):  # a name that does not fit into an index
            raise
        raise Refused("A name is too long to be kept, above all in other scripts than Latin; shorten it.") from None
