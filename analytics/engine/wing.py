"""Wing, a family of facts as the product shows it: its figures, fields, nodes, prices, documents and pages, in one record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analytics.engine.family import Family
from analytics.engine.figure import Figure, Metric, Part
from tasks_app.admin.pages import Page
from tasks_app.http.costs import Price
from tasks_app.http.node import NodeLoader


@dataclass(frozen=True, kw_only=True, eq=False)
class Wing:
    """What one folder of `analytics` declares, as `WING` in its module `wing`.

    `metrics` are what is counted and is no figure of a window: a board, a drill-down. `queries` are GraphQL types whose
    fields become root fields, `nodes` load what has an id, `prices` are by the name of the type that a field is of.
    """

    name: str
    families: tuple[Family, ...]
    figures: tuple[Figure, ...] = ()
    metrics: tuple[Metric, ...] = ()
    queries: tuple[type, ...] = ()
    nodes: Mapping[str, NodeLoader] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    pages: tuple[Page, ...] = ()

    def __post_init__(self) -> None:
        """ValueError for a figure that is of none of the wing's families."""
        known = {family.name for family in self.families}
        for metric in (*self.figures, *self.metrics):
            if metric.family not in known:
                raise ValueError(
                    f"The figure {metric.name!r} is of the family {metric.family!r}, which the wing {self.name!r} does not"
                    f" have; it has {', '.join(sorted(known))}."
                )

    def described(self) -> Iterator[tuple[str, Metric | Part]]:
        """All that is counted, parts too, by full name."""
        for metric in (*self.figures, *self.metrics):
            yield from metric.described()
