"""What holds for each table of this folder, whatever it is about."""

import pkgutil
from datetime import timedelta
from importlib import import_module

import pytest

import tests.spec
from tests.facts_as_text import formatted, parse
from tests.oracle.facts import History
from tests.oracle.identities import broken_identities
from tests.oracle.questions import AsOf, Question, local_days
from tests.spec.runner import LONG_AFTER

MODULES = [import_module(f"tests.spec.{found.name}") for found in pkgutil.iter_modules(tests.spec.__path__)]
TABLES = {
    module.__name__.removeprefix("tests.spec.test_"): module.TABLE for module in MODULES if hasattr(module, "TABLE")
}


def boards_of(history: History) -> tuple[str | None, ...]:
    """Every board of the history: each project's, and the tenant's."""
    return (*(project.key for project in history.projects), None)


def test_there_are_tables() -> None:
    """Otherwise the tests below would pass on nothing."""
    assert len(TABLES) >= 20


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_it_survives_being_written_out(table: str) -> None:
    """A history as text reads back as the same history."""
    history = parse(table)
    assert parse(formatted(history)) == history


@pytest.mark.parametrize("as_of", AsOf)
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_its_identities_hold(table: str, as_of: AsOf) -> None:
    """P13, P72: bands sum to the items alive, changes are explained by flows, no line falls in an unchanged order."""
    history = parse(table)
    instants = [fact.happened_at for fact in history.facts] or [history.projects[0].workflows[0].happened_at]
    first = min(instants).date() - timedelta(days=1)
    buckets = local_days(first=first, count=8, zone=history.projects[0].zone)
    for project in boards_of(history):
        question = Question(buckets=buckets, now=LONG_AFTER, project=project, as_of=as_of)
        assert broken_identities(history=history, question=question) == []
