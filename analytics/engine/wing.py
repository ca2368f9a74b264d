"""Wing, a family of facts as the product shows it: its figures, fields, mutations, nodes, prices, pages, in one record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analytics.engine.documents.document import Document
from analytics.engine.family import Family
from analytics.engine.figure import Figure, Metric, Part
from analytics.engine.graphql.extending import AddedFields
from analytics.engine.reading.wing_reading import OpenReading
from tasks_app.admin.pages import Page
from tasks_app.graphql.mutation_fields import MutationEntry
from tasks_app.http.costs import Price
from tasks_app.http.node import NodeLoader


@dataclass(frozen=True, kw_only=True, eq=False)
class Wing:
    """What one folder of `analytics` declares, as `WING` in its module `wing`.

    `open_reading` opens a question of its figures that was asked before. `metrics` are what is counted and is no figure of a
    window: a board, a drill-down. `queries` are GraphQL types whose fields become root fields, `mutations` the fields of
    Mutation, `adds` those of types that wings share; `nodes` load what has an id, `prices` are by the name of the type that
    a field is of, `documents` are of several figures, or of none.
    """

    name: str
    families: tuple[Family, ...]
    figures: tuple[Figure, ...] = ()
    open_reading: OpenReading | None = None
    metrics: tuple[Metric, ...] = ()
    queries: tuple[type, ...] = ()
    mutations: tuple[MutationEntry, ...] = ()
    adds: tuple[AddedFields, ...] = ()
    nodes: Mapping[str, NodeLoader] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    pages: tuple[Page, ...] = ()

    def __post_init__(self) -> None:
        """ValueError for a figure that is of none of the wing's families, and for figures that nothing reads again."""
        if self.figures and self.open_reading is None:
            raise ValueError(
                f"The wing {self.name!r} has figures and no `open_reading`; without it no receipt of theirs can be replayed."
            )
        known = {family.name for family in self.families}
        for metric in self.every_metric():
            if metric.family not in known:
                raise ValueError(
                    f"The figure {metric.name!r} is of the family {metric.family!r}, which the wing {self.name!r} does not"
                    f" have; it has {', '.join(sorted(known))}."
                )

    def every_metric(self) -> Iterator[Metric]:
        """The figures, and what else is counted."""
        yield from (*self.figures, *self.metrics)

    def every_document(self) -> Iterator[Document]:
        """Those of single figures, and those of several."""
        yield from (each.document for each in self.every_metric() if each.document)
        yield from self.documents

    def described(self) -> Iterator[tuple[str, Metric | Part]]:
        """All that is counted, parts too, by full name."""
        for metric in self.every_metric():
            yield from metric.described()
