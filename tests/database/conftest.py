"""Companies for the tests of the database."""

from typing import Any

import pytest

from tests.cast import Cast, cast, tasks
from tests.database.recording import sql


@pytest.fixture
def people(db: Any) -> Cast:
    """Alice, Bob and Audrey of Acme, Carol of Globex."""
    return cast()


@pytest.fixture
def board_with_a_task(people: Cast) -> Cast:
    """WEB-1 of Acme, to do; Globex has a WEB-1, too."""
    tasks(board=people.acme.board, count=1)
    tasks(board=people.globex.board, count=1)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("SET CONSTRAINTS ALL DEFERRED")
    return people
