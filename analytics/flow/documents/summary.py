"""Summary, the document of eight figures of a tenant, a project or a person."""

from collections.abc import Mapping, Sequence
from typing import Final

from analytics.engine.documents.tables import Data, Table, nodes
from analytics.flow.documents import shipped
from tasks_app.admin.downloads import Cell

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
    oldest = nodes(found["aging"])
    rows += [("aging.items", found["aging"]["totalCount"])]
    rows += [("aging.oldestSeconds", oldest[0]["ageSeconds"] if oldest else None)]
    return Table(header=("figure", "value"), rows=rows)


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


SUMMARY: Final = shipped("summary", table=_summary)
