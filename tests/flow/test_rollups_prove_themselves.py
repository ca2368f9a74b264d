"""Rollups are really read, they alone where the window is closed, and a wrong cell does not stay unnoticed."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import ProgrammingError, connection

from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.verify import verify_rollups
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.results import FlowMode
from analytics.pure.segments import Grain
from tasks_app.tenancy import entered
from tests.facts_as_text import parse
from tests.flow.loading import Loaded, seeded
from tests.oracle.questions import Question
from tests.spec.postgres import PostgresEngine, fold_some
from tests.spec.runner import LONG_AFTER, days
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db

HISTORY = """
project WEB since=2026-03-01
states Todo:todo Doing:in_progress Done:done
2026-03-02 09:00 WEB-1 created Todo
2026-03-03 09:00 WEB-1 moved Doing
2026-03-03 10:00 WEB-2 created Todo
2026-03-04 09:00 WEB-2 moved Doing
"""
FOUR_DAYS = days("2026-03-01", 4)
A_YEAR = days("2026-03-01", 365)
THIRD_OF_MARCH = datetime(2026, 3, 3, tzinfo=UTC)

CHANGE_A_CELL = """/* tests.change_a_cell */
UPDATE task_rollup SET facts = facts + 4
 WHERE tenant_id = %(tenant)s AND project_id = %(project)s AND grain = %(grain)s AND bucket = %(bucket)s
   AND facet = 0 AND subject = 0 AND before_id = %(before)s AND after_id = %(after)s
RETURNING facts
"""
# A large table, all of it other tenants': each board has 400 days of five cells.
FILL_ROLLUPS = """/* tests.fill_rollups */
INSERT INTO task_rollup (tenant_id, project_id, facet, subject, grain, bucket, before_id, after_id, facts)
SELECT 1000000 + board, board, 0, 0, 4, '2026-01-01'::timestamptz + day * interval '1 day', cell, cell + 1, 1
  FROM generate_series(1, 20) board, generate_series(1, 400) day, generate_series(1, 5) cell
"""
ANALYZE = "/* tests.analyze */ ANALYZE task_rollup"
BY_KEY = {("Index Scan", "task_rollup", "task_rollup_pkey")}
BY_BITMAP = {("Bitmap Heap Scan", "task_rollup", None), ("Bitmap Index Scan", None, "task_rollup_pkey")}


@pytest.fixture
def folded() -> Loaded:
    """A board of which everything is folded."""
    return folded_up_to(facts=4)


def folded_up_to(*, facts: int) -> Loaded:
    """The board with so many of its facts folded, in the order in which they were recorded."""
    told = seeded(parse(HISTORY))
    fold_some(tenant_id=told.tenant_id, facts=facts)
    return told


def reading(told: Loaded, read_from: ReadFrom, question: Question = FOUR_DAYS) -> FlowReading:
    """The question, to be asked inside the tenant."""
    engine = PostgresEngine(told)
    engine.read_from = read_from
    return engine.reading(question)


def in_progress(told: Loaded, read_from: ReadFrom) -> tuple[ReadFrom, list[int | None]]:
    """Where the figure came from, and the figure."""
    asked = reading(told, read_from)
    with entered(tenant_id=told.tenant_id, read_only=True):
        return asked.read_from, asked.work_in_progress()


def unsound(told: Loaded) -> list[tuple[str, int, str | None]]:
    """What verify finds."""
    (owner,) = owners(tenant_id=told.tenant_id)
    found = verify_rollups(owner=owner, now=LONG_AFTER)
    return [(check.code, check.failures, check.first) for check in found if check.failures]


def test_a_cell_that_was_changed_by_hand_shows_wherever_rollups_are_read() -> None:
    """With a tail of two facts. The ledger does not know of the change, and verify names the cell and no other."""
    told = folded_up_to(facts=2)
    project, todo, doing = told.projects["WEB"], told.states["WEB", "todo"], told.states["WEB", "doing"]
    cell = {"project": project, "grain": Grain.DAY, "bucket": THIRD_OF_MARCH, "before": todo, "after": doing}
    assert sql(CHANGE_A_CELL, {"tenant": told.tenant_id, **cell}) == [(5,)]

    assert in_progress(told, ReadFrom.ROLLUP) == (ReadFrom.ROLLUP, [0, 0, 5, 5])
    assert in_progress(told, ReadFrom.MERGED) == (ReadFrom.MERGED, [0, 0, 5, 6])
    assert in_progress(told, ReadFrom.RAW) == (ReadFrom.RAW, [0, 0, 1, 2])
    (owner,) = owners(tenant_id=told.tenant_id)
    sentence = (
        f"task_rollup of {owner.slug}, project_id {project}, grain 4, bucket 2026-03-03T00:00:00+00:00, facet 0, "
        f"subject 0, before_id {todo}, after_id {doing}: facts is (5) and must be (1)."
    )
    assert unsound(told) == [("task_rollup", 1, sentence)]


FIGURES: dict[str, Callable[[FlowReading], object]] = {
    "workInProgress": lambda asked: asked.work_in_progress(),
    "throughput": lambda asked: asked.throughput(),
    "transitions": lambda asked: asked.transitions(),
    "OCCUPANCY": lambda asked: asked.cumulative_flow(mode=FlowMode.OCCUPANCY).series,
    "CUMULATIVE": lambda asked: asked.cumulative_flow(mode=FlowMode.CUMULATIVE).series,
}


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("read_from", [ReadFrom.ROLLUP, ReadFrom.MERGED])
def test_a_closed_window_needs_no_right_to_read_the_ledger(folded: Loaded, read_from: ReadFrom, figure: str) -> None:
    """The figures are those that the ledger gave, and no ledger row was read for them."""
    replayed = reading(folded, ReadFrom.RAW)
    with entered(tenant_id=folded.tenant_id, read_only=True):
        wanted = FIGURES[figure](replayed)
    asked = reading(folded, read_from)
    sql("/* tests.no_ledger */ REVOKE SELECT ON task_ledger FROM fl_tenant")
    with entered(tenant_id=folded.tenant_id, read_only=True):
        assert FIGURES[figure](asked) == wanted
        assert (asked.read_from, asked.fallback, asked.raw_rows, asked.tail_rows) == (read_from, None, 0, 0)


@pytest.mark.parametrize("figure", FIGURES)
def test_the_replay_needs_that_right(folded: Loaded, figure: str) -> None:
    """The test above would prove nothing if the right were not gone."""
    asked = reading(folded, ReadFrom.RAW)
    sql("/* tests.no_ledger */ REVOKE SELECT ON task_ledger FROM fl_tenant")
    with (
        pytest.raises(ProgrammingError, match="permission denied for table task_ledger"),
        entered(tenant_id=folded.tenant_id, read_only=True),
    ):
        FIGURES[figure](asked)


def scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table."""
    if "Relation Name" in node or "Index Name" in node:
        yield node
    for child in node.get("Plans", ()):
        yield from scans(child)


def plan_of_a_year(told: Loaded) -> dict[str, Any]:
    """The plan of the one statement that the year's lines are read by."""
    found: list[tuple[str, Any]] = []

    def noted(execute: Callable[..., Any], text: str, values: Any, many: bool, context: Any) -> Any:
        if text.startswith("/* windows.rollup */"):
            found.append((text, values))
        return execute(text, values, many, context)

    asked = reading(told, ReadFrom.ROLLUP, A_YEAR)
    with entered(tenant_id=told.tenant_id, read_only=True):
        with connection.execute_wrapper(noted):
            asked.cumulative_flow(mode=FlowMode.CUMULATIVE)
        ((text, values),) = found
        ((plan,),) = sql(f"EXPLAIN (FORMAT JSON) {text}", values)
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


@pytest.mark.parametrize("in_statistics", [True, False])
def test_a_year_is_read_by_the_key_of_the_rollups(*, in_statistics: bool) -> None:
    """Nothing else is looked at, whether or not the statistics know the tenant: its cells lie together in the index."""
    sql(FILL_ROLLUPS)
    sql(ANALYZE)
    told = folded_up_to(facts=4)
    if in_statistics:
        sql(ANALYZE)
    read = list(scans(plan_of_a_year(told)))
    found = {(node["Node Type"], node.get("Relation Name"), node.get("Index Name")) for node in read}
    assert found in (BY_KEY, BY_BITMAP)
    (condition,) = [node["Index Cond"] for node in read if "Index Name" in node]
    asked_by = ("tenant_id", "project_id", "facet", "subject", "grain", "bucket")
    assert [column for column in asked_by if f"({column} " not in condition] == []
