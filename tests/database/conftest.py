"""Companies for the tests of the database."""

from typing import Any

import pytest

from tests.cast import Cast, cast


@pytest.fixture
def people(db: Any) -> Cast:
    """Alice, Bob and Audrey of Acme, Carol of Globex."""
    return cast()
