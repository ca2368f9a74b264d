"""Runs every spec test on every engine."""

from typing import Any

import pytest

from tests.spec.runner import ENGINES, FULL_ENGINES, Engine, FullEngine


@pytest.fixture(params=ENGINES, ids=lambda factory: factory.__name__)
def engine(request: pytest.FixtureRequest, db: Any) -> Engine:
    """A fresh engine of each registered kind in turn."""
    fresh: Engine = request.param()
    return fresh


@pytest.fixture(params=FULL_ENGINES, ids=lambda factory: factory.__name__)
def full_engine(request: pytest.FixtureRequest, db: Any) -> FullEngine:
    """A fresh engine of each kind that has every figure."""
    fresh: FullEngine = request.param()
    return fresh
