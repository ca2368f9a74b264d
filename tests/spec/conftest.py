"""Runs every spec test on every engine."""

import pytest

from tests.spec.runner import ENGINES, Engine


@pytest.fixture(params=ENGINES, ids=lambda factory: factory.__name__)
def engine(request: pytest.FixtureRequest) -> Engine:
    """A fresh engine of each registered kind in turn."""
    fresh: Engine = request.param()
    return fresh
