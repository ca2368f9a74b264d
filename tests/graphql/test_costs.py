"""What operations cost, told from their documents and arguments alone."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from config.schema import schema
from tasks_app.http.costs import Bill, objects_in

EIGHT_FIGURES = """
    cumulativeFlow { series { state { slug } counts } arrivals departures } throughput { finished } workInProgress
    timeInState { state { slug } visits } leadTime { p50Seconds } cycleTime { p50Seconds }
    flowEfficiency { value } bottlenecks { state { slug } }
"""


def bill(text: str, **variables: Any) -> Bill:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return schema.bill(document, operation, variables=variables)


@pytest.mark.parametrize("bucket", ["AUTO", "DAY", "WEEK"])
def test_a_dashboard_of_eight_figures_over_ninety_days_costs_less_than_100(bucket: str) -> None:
    window = "rolling: {count: 90, unit: DAY}"
    cost = bill(f"{{ analytics(window: {{{window}}}, bucket: {bucket}) {{ {EIGHT_FIGURES} }} }}").estimate
    assert 20 <= cost < 100


@pytest.mark.parametrize(
    ("text", "fixed", "objects"),
    [
        ("{ __typename }", 0, 0),
        ("{ viewer { name } }", 0, 1),
        ("{ viewer { name tenant { slug } rateLimit { limit } } }", 0, 3),
        ("{ projects(first: 7) { edges { node { key } } } }", 0, 1 + 7 + 7),
        ("{ projects(last: 7) { edges { cursor } } }", 0, 1 + 7),
        ("{ projects(first: 7) { totalCount pageInfo { endCursor } } }", 1_000, 2),
        ("{ projects(first: 7) { edges { node { states { slug } } } } }", 0, 1 + 7 + 7 + 70),
        ("{ tasks(first: 5) { edges { node { activity(first: 4) { edges { cursor } } } } } }", 0, 1 + 5 + 5 + 5 + 20),
        ("{ tasks(first: 5) { ...T } } fragment T on TaskConnection { edges { cursor } totalCount }", 1_000, 1 + 5),
        ("{ tasks(first: 5) { ... on TaskConnection { edges { cursor } } ... { totalCount } } }", 1_000, 1 + 5),
        ('{ node(id: "x") { ... on Task { visits { seconds } } } }', 0, 1 + 10),
        ("{ __schema { types { fields { args { name } } } } }", 20_000, 0),
        ('mutation { moveTask(input: {task: "A-1", to: "x"}) { errors { code } } }', 1_000, 1 + 10),
        ('mutation { moveTasks(input: {tasks: ["A-1", "A-2"], to: "x"}) { correlationId } }', 1_040, 1),
    ],
)
def test_lists_cost_by_their_length_and_counts_by_themselves(text: str, fixed: int, objects: int) -> None:
    assert bill(text) == Bill(fixed=fixed, objects=objects)


@pytest.mark.parametrize("first", [-1, 0, 501, 2_000_000_000])
def test_a_page_that_will_be_refused_is_billed_as_one_that_could_be(first: int) -> None:
    query = "query ($n: Int) { tasks(first: $n) { edges { cursor } } }"
    assert bill(query, n=first).objects == 1 + min(500, max(1, first))
    assert bill(query, n=None).objects == 1 + 10


@pytest.mark.parametrize(
    ("window", "bucket", "figure", "rows"),
    [
        ("rolling: {count: 90, unit: DAY}", "DAY", "workInProgress", 500 + 90 * 10),
        ("rolling: {count: 90, unit: DAY}", "AUTO", "workInProgress", 500 + 400 * 10),
        ("rolling: {count: 90, unit: DAY}", "DAY", "flowEfficiency { value }", 500 + 90 * 10 + 90 * 50),
        ("rolling: {count: 2, unit: QUARTER}", "MONTH", "workInProgress", 500 + 7 * 10),
        ("rolling: {count: -5, unit: DAY}", "DAY", "workInProgress", 500),
        ('between: {from: "2026-01-01T00:00:00Z", to: "2026-01-02T12:00:00Z"}', "HOUR", "workInProgress", 500 + 360),
        ('between: {from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z"}', "HOUR", "workInProgress", 500),
        ('between: {from: "1900-01-01T00:00:00Z", to: "2200-01-01T00:00:00Z"}', "MINUTE", "workInProgress", 500_500),
        ("rolling: {count: 1, unit: DAY}", "DAY", "window { from }", 0),
    ],
)
def test_a_figure_costs_by_window_bucket_and_items(window: str, bucket: str, figure: str, rows: int) -> None:
    assert bill(f"{{ analytics(window: {{{window}}}, bucket: {bucket}) {{ {figure} }} }}").fixed == rows


def test_a_filter_makes_items_of_every_figure() -> None:
    window = "window: {rolling: {count: 10, unit: DAY}}, bucket: DAY"
    query = "{{ analytics({}) {{ workInProgress }} }}"
    plain = bill(query.format(window)).fixed
    assert bill(query.format(window + ', filter: {project: "X"}')).fixed == plain + 10 * 50


def test_two_aliases_of_one_field_are_paid_twice() -> None:
    one = "tasks(first: 500) { edges { node { key } } }"
    assert bill(f"{{ a: {one} b: {one} }}").objects == 2 * bill(f"{{ {one} }}").objects


def test_nested_pages_multiply_beyond_what_a_plan_has() -> None:
    query = """{ projects(first: 500) { edges { node { states { slug } } } }
        tasks(first: 500) { edges { node { activity(first: 500) { edges { node { changes { field } } } } } } } }"""
    assert bill(query).estimate > 10_000


def test_what_it_did_cost_is_told_from_the_answer() -> None:
    billed = bill("{ projects(first: 500) { edges { node { key } } totalCount } }")
    assert billed.estimate == 22
    assert billed.actual({"projects": {"edges": [{"node": {"key": "A"}}], "totalCount": 1}}) == 2
    assert billed.actual(None) == 1
    assert Bill(fixed=0, objects=1).actual({"a": [{}] * 5_000}) == 1


def test_columns_of_plain_values_hold_no_objects() -> None:
    assert objects_in({"a": [1, None, 3], "b": [[1, 2], [None, {"c": 1}]], "d": [None, {"e": []}]}) == 3
