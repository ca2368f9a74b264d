"""Identities find what is wrong: rollups and folded facts that do not tell the same."""

import pytest
from django.db import connection

from analytics.flow.figures.identities import Identity
from tasks_app.tenancy import entered
from tests.facts_as_text import parse
from tests.spec.postgres import FoldedEngine
from tests.spec.runner import days

pytestmark = pytest.mark.django_db

TABLE = """
project WEB
states  Todo:todo  Doing:in_progress  Done:done
facts
2026-03-01 09:00  -  WEB-1  created Todo
2026-03-02 06:00  -  WEB-1  moved Doing
2026-03-03 00:00  -  WEB-1  moved Done
2026-03-02 12:00  -  WEB-2  created Doing
2026-03-01 18:00  -  WEB-3  created Doing
"""
HOUR = 3_600_000_000
NEVER_BEGAN = "DELETE FROM task_fact WHERE tenant_id = %s AND kind = 1 AND happened_at = '2026-03-02 12:00+00'"
NEVER_WAS = "DELETE FROM task_fact WHERE tenant_id = %s AND kind = 1 AND happened_at = '2026-03-01 18:00+00'"
TWICE = "UPDATE task_rollup SET facts = 2 * facts WHERE tenant_id = %s AND facet = 0 AND before_id = 0"
BROKEN_CHAIN = "UPDATE task_fact SET before_id = 0 WHERE tenant_id = %s AND happened_at = '2026-03-02 06:00+00'"


def unlike(change: str | None) -> dict[str, int]:
    """The identities of March 2nd that are broken once the statement has run, and by how much."""
    engine = FoldedEngine()
    engine.load(history=parse(TABLE))
    if change:
        with connection.cursor() as cursor:
            cursor.execute(change, [engine.told.tenant_id])
    with entered(tenant_id=engine.told.tenant_id, read_only=True):
        found: list[Identity] = engine.reading(days("2026-03-02", 1)).identities()
    assert [each.name for each in found] == ["conservation", "workConservation", "littlesLaw", "lifetime"]
    return {each.name: each.difference for each in found if each.difference}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (None, {}),
        (NEVER_BEGAN, {"conservation": 1, "workConservation": 1}),
        (NEVER_WAS, {"littlesLaw": 24 * HOUR}),
        (TWICE, {"conservation": 1, "workConservation": 1, "littlesLaw": 24 * HOUR}),
        (BROKEN_CHAIN, {"lifetime": 18 * HOUR}),
    ],
    ids=["sound", "a fact is missing", "an item is missing", "a rollup is wrong", "a chain is broken"],
)
def test_what_is_wrong_is_found(change: str | None, broken: dict[str, int]) -> None:
    """P13, P20: each by as much as it is wrong."""
    assert unlike(change) == broken
