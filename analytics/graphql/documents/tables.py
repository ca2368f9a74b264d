"""The data of a document as a table for CSV: the same numbers, a row for each bucket, state, item or event."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks_app.admin.downloads import Cell

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Names of columns, and rows of that length."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def _by_bucket(analytics: Data, columns: Mapping[str, Sequence[Cell]]) -> Table:
    window = analytics["window"]
    every = {"start": window["starts"], "complete": window["complete"], **columns}
    return Table(header=list(every), rows=list(zip(*every.values(), strict=True)))


def _by_row(rows: Sequence[Data], columns: Sequence[str]) -> Table:
    """A column `state.slug` is the slug of each row's state; null where there is no state."""
    return Table(header=columns, rows=[[_within(row, column.split(".")) for column in columns] for row in rows])


def _within(row: Any, path: Sequence[str]) -> Cell:
    for name in path:
        row = None if row is None else row[name]
    found: Cell = ", ".join(map(str, row)) if isinstance(row, list) else row
    return found


def _nodes(connection: Data) -> list[Data]:
    return [edge["node"] for edge in connection["edges"]]


def _cumulative_flow(data: Data) -> Table:
    chart = data["analytics"]["cumulativeFlow"]
    lines = {each["state"]["slug"]: each["counts"] for each in chart["series"]}
    flows = {name: chart[name] for name in ("arrivals", "departures", "left", "discarded", "difference")}
    # A state may have any name; one of a flow's would hide it.
    states = {f"state:{slug}" if slug in flows else slug: counts for slug, counts in lines.items()}
    return _by_bucket(data["analytics"], {**states, **flows, "workInProgress": data["analytics"]["workInProgress"]})


def _throughput(data: Data) -> Table:
    found = data["analytics"]
    return _by_bucket(found, {**found["throughput"], "workInProgress": found["workInProgress"]})


def _churn(data: Data) -> Table:
    found = data["analytics"]["churn"]
    return _by_bucket(data["analytics"], {name: found[name] for name in ("reverts", "scopeAdded", "scopeRemoved")})


STATE = ("state.slug", "state.name")
DURATION = ("items", "neverStarted", "inferred", "meanSeconds", "p50Seconds", "p85Seconds", "p95Seconds")
FIGURES: Mapping[str, Sequence[str]] = {
    "cycleTime": DURATION,
    "leadTime": DURATION,
    "flowEfficiency": ("status", "value", "numerator", "denominator"),
    "churn": ("finishEvents", "reopened", "reopenRate", "backflow", "firstPassYield", "abandoned", "churnRate"),
}


def _summary(data: Data) -> Table:
    """One figure a row. Counts by bucket are added up; work in progress is that of the last bucket in which it is known."""
    found = data["analytics"]
    known = [count for count in found["workInProgress"] if count is not None]
    rows: list[tuple[str, Cell]] = [("workInProgress", known[-1] if known else None)]
    rows += [(f"throughput.{name}", _total(counts)) for name, counts in found["throughput"].items()]
    rows += [(f"{name}.{part}", found[name][part]) for name, parts in FIGURES.items() for part in parts]
    rows += [(f"bottlenecks.{each['state']['slug']}", each["totalSeconds"]) for each in found["bottlenecks"]]
    oldest = _nodes(found["aging"])
    rows += [("aging.items", found["aging"]["totalCount"])]
    rows += [("aging.oldestSeconds", oldest[0]["ageSeconds"] if oldest else None)]
    return Table(header=("figure", "value"), rows=rows)


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


VISITS = ("visits", "totalSeconds", "meanSeconds", "p50Seconds", "p85Seconds", "p95Seconds", "maxSeconds")
POINTS = ("taskKey", "startedAt", "finishedAt", "seconds", "days", "episodes", "flags")
EDGES = ("from.slug", "to.slug", "count", "medianSeconds")
WAITS = ("validator.name", "validated", "unapproved", "waiting", "p50Seconds", "p85Seconds", "meanSeconds")
EVENTS = (
    *("position", "kind", "taskKey", "project.key", "fromState.slug", "toState.slug", "secondsInFromState"),
    *("actor.name", "actor.kind", "correlationId", "happenedAt", "recordedAt", "sentence"),
)

EDGE = (
    *("node.key", "node.title", "node.project.key", "node.state.slug", "happenedAt", "seconds", "ledgerId"),
    *("node.createdAt", "node.startedAt", "node.finishedAt"),
)
JOB = ("state", "progress", "submittedAt", "finishedAt", "expiresAt", "retryAfterMs", "estimatedCost", "actualCost")

# How each document's data is read as a table.
TABLES: Mapping[str, Callable[[Data], Table]] = {
    "activity": lambda data: _by_row(_nodes(data["activity"]), EVENTS),
    "aging": lambda data: _by_row(
        _nodes(data["analytics"]["aging"]), ("taskKey", *STATE, "startedAt", "ageSeconds", "ageDays", "percentile")
    ),
    "churn": _churn,
    "cumulative-flow": _cumulative_flow,
    "cycle-time": lambda data: _by_row(_nodes(data["analytics"]["cycleTime"]["points"]), POINTS),
    "data-quality": lambda data: _by_row(
        data["analytics"]["dataQuality"]["checks"], ("code", "title", "failures", "taskKeys")
    ),
    "drilldown": lambda data: _by_row(data["analytics"]["drillDown"]["edges"], EDGE),
    "forecast": lambda data: _by_row(data["analytics"]["forecast"]["percentiles"], ("probability", "items", "date")),
    "job": lambda data: _by_row([data["analyticsJob"]] if data["analyticsJob"] else [], (*JOB, "error.code")),
    "lead-time": lambda data: _by_row(_nodes(data["analytics"]["leadTime"]["points"]), POINTS),
    "summary": _summary,
    "throughput": _throughput,
    "time-in-state": lambda data: _by_row(
        data["analytics"]["timeInState"],
        (*STATE, "state.category", "state.waiting", *VISITS, "ongoingVisits", "ongoingSeconds"),
    ),
    "transitions": lambda data: _by_row(data["analytics"]["transitions"], EDGES),
    "validation": lambda data: _by_row(data["analytics"]["validation"], (*STATE, *WAITS)),
}
