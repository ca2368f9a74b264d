"""How kept comparisons are read: parity from the counts alone, a page from as many rows as it has."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection

from analytics.drift import store
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import company
from tests.tasks_app.recording import sql

FILL = """
INSERT INTO drift_comparison (tenant_id, capability, stratum, verdict, definition, basis, stage, flag_version, asked_at,
       compared_at, legacy_ms, candidate_ms, ours_first)
SELECT %(tenant)s, (ARRAY['CUMULATIVE_FLOW', 'BILLING'])[1 + n %% 2], 'days<=31', (ARRAY['MATCH', 'DRIFT'])[1 + n %% 50 / 49],
       'flow/1', 'KNOWN', 'SHADOW', 1, at, at, 1, 1, true
  FROM (SELECT n, '2026-03-01'::timestamptz - n * interval '10 minutes' AS at FROM generate_series(1, 30000) n) made
"""
COUNT = """
INSERT INTO drift_count (tenant_id, capability, day, stratum, basis, verdict, signature, comparisons, last_at)
SELECT %(tenant)s, (ARRAY['CUMULATIVE_FLOW', 'BILLING'])[1 + n %% 2], '2026-03-01'::date - n / 60, 'stratum ' || n %% 30 / 6,
       (ARRAY['KNOWN', 'ASSUMED'])[1 + n / 2 %% 2], (ARRAY['MATCH', 'DRIFT'])[1 + n / 30 %% 2], (n %% 60)::text, 1, now()
  FROM generate_series(1, 24000) n
"""
DAYS = [date(2026, 2, day) for day in range(1, 8)]
WEEK = {"first": DAYS[0], "last": DAYS[-1]}


@pytest.fixture
def tenant_id(db: Any) -> int:
    """Two tenants with 30,000 comparisons each, over seven months, and counts of 400 days, sixty a day."""
    tenants = [company(slug=slug).tenant.id for slug in ("acme", "globex")]
    for each in tenants:
        sql(FILL, {"tenant": each})
        sql(COUNT, {"tenant": each})
    sql("ANALYZE drift_comparison")
    sql("ANALYZE drift_count")
    return tenants[0]


def scans(statement: str, **values: Any) -> list[dict[str, Any]]:
    """The nodes that read a table, with what they read of it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
        ((plan,),) = cursor.fetchall()
    return list(_scans((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in node:
        yield node
    for below in node.get("Plans", ()):
        yield from _scans(below)


def read(node: dict[str, Any]) -> float:
    """How many rows were looked at."""
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float(node["Actual Rows"] + dropped) * float(node["Actual Loops"])


@pytest.mark.parametrize("statement", ["COUNTS", "SIGNATURES", "DAYS"])
def test_parity_is_read_from_the_counts_of_its_days(tenant_id: int, statement: str) -> None:
    """A million comparisons cost no more than their days: none of them is looked at, nor another tenant's counts."""
    values = {
        "tenant": tenant_id,
        "capability": "CUMULATIVE_FLOW",
        "basis": "KNOWN",
        "left_out": ["INCONCLUSIVE"],
        **WEEK,
    }
    with entered(tenant_id=tenant_id, role=DatabaseRole.TENANT, read_only=True):
        (node,) = scans(getattr(store, statement), **values)
    assert node["Relation Name"] == "drift_count"
    assert read(node) <= 60 * len(DAYS)


@pytest.mark.parametrize("verdict", [None, "DRIFT"])
@pytest.mark.parametrize("below", [None, 20_000])
def test_a_page_is_read_from_where_it_begins(tenant_id: int, verdict: str | None, below: int | None) -> None:
    """Wherever it begins, and of whatever verdict."""
    ((first,),) = sql("SELECT min(id) FROM drift_comparison WHERE tenant_id = %s", [tenant_id])
    values = {"tenant": tenant_id, "capability": "CUMULATIVE_FLOW", "verdict": verdict, "most": 20, "above": None}
    text = store.PAGE.format(columns=store.COLUMNS, order="DESC")
    with entered(tenant_id=tenant_id, role=DatabaseRole.TENANT, read_only=True):
        (node,) = scans(text, **values, below=None if below is None else first + below)
    assert (node["Relation Name"], "Index" in node["Node Type"]) == ("drift_comparison", True)
    assert read(node) <= (50 if verdict is None else 4_000)
