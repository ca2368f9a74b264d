"""Fixtures of the engine's tests: the tables of the family that a test is about."""

from typing import Any

import pytest

from tests.engine.families.random_facts import SHAPES
from tests.engine.families.tables import created


@pytest.fixture(autouse=True)
def tables_of_the_family(request: pytest.FixtureRequest) -> None:
    """Made once for a test that has the family's name as a parameter: its examples undo their rows alone."""
    parameters: dict[str, Any] = getattr(getattr(request.node, "callspec", None), "params", {})
    if shape := SHAPES.get(parameters.get("name", "")):
        request.getfixturevalue("db")
        created(shape)
