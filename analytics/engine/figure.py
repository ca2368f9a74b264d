"""Figure, a number or chart that can be asked for: all that the product knows of it, in one record.

Schema, costs, receipts, documents and pages are made from these records, so a figure that is not whole is refused when its
record is made.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from analytics.engine.documents.document import Document
from analytics.engine.pages.chart import ChartKind
from analytics.engine.reading.costs import Weight

Arguments = Mapping[str, Any]
# From the arguments of the field that the figures stand below to rows of a rollup, before anything is read.
Price = Callable[[Arguments], int]


class Measure(StrEnum):
    """How the values of a figure may be put together.

    STOCK is what there is at a bucket's end; FLOW adds up over buckets; RELATIVE is per bucket, but depends on the
    window's end, and so adds up inside one window alone; WHOLE is one answer for the whole window.
    """

    STOCK = "STOCK"
    FLOW = "FLOW"
    RELATIVE = "RELATIVE"
    WHOLE = "WHOLE"


class Unit(StrEnum):
    """What a figure counts. A family may have words of its own: any text will do."""

    ITEMS = "items"
    EVENTS = "events"
    TRANSITIONS = "transitions"
    STATES = "states"
    INSTANTS = "instants"
    SHARE = "share"
    DAYS = "days"
    NUMBER = "number"
    SECONDS = "seconds"
    RATIO = "ratio"
    STATUS = "status"
    POLICY = "policy"
    CALENDAR = "calendar"
    METHOD = "method"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One number of a figure that has several, by the name of its field."""

    name: str
    measure: Measure
    unit: str
    sentence: str


# In the place of what an entry does not say.
LEFT_OUT: Final[Any] = None
# What has to be said of each, and in words what it is.
METRIC_NEEDS: Final[Mapping[str, str]] = {
    "sentence": "the sentence that defines it",
    "unit": "what it counts",
    "measure": "how its values may be put together",
    "family": "the name of the family whose facts it is of",
    "version": "the version of the definitions that it follows",
    "price": "what it costs in rows, told from the question alone",
}
FIGURE_NEEDS: Final[Mapping[str, str]] = {
    "weight": "what it costs by the facts that there are",
    "read": "how it is counted from a reading",
    "canonical": "what of it is hashed",
    "resolver": "what shows it as a field of the schema",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is said of anything that is counted. `version` is that of the definitions.

    `deprecated` says since when and what to use instead. `parts` are its numbers where it has several. `document` is the
    query for it that ships with the product, where there is one.
    """

    name: str
    sentence: str = LEFT_OUT
    unit: str = LEFT_OUT
    measure: Measure = LEFT_OUT
    family: str = LEFT_OUT
    version: str = LEFT_OUT
    price: Price = LEFT_OUT
    parts: tuple[Part, ...] = ()
    deprecated: str | None = None
    document: Document | None = None

    def __post_init__(self) -> None:
        """ValueError names what the record lacks."""
        _check(self, METRIC_NEEDS)
        if not self.sentence.endswith("."):
            raise ValueError(f"The sentence of the figure {self.name!r} has no full stop; end it with one.")

    def described(self) -> Iterator[tuple[str, "Metric | Part"]]:
        """Itself and its parts, by the names that are told apart anywhere."""
        yield self.name, self
        yield from ((f"{self.name}.{part.name}", part) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Metric):
    """A figure of a question: how it is counted, shown and hashed.

    `read` counts it from a reading and its arguments, `canonical` makes of that what is hashed, `resolver` shows it as a
    field. `defaults` are the arguments of a field that is asked for without them; `arguments` makes of those that were
    written the ones that an answer names. `paged`: the resolver takes a `page` of a list, which is hashed as a whole.
    `items`: the field below it that shows its single items, and the argument that is False without them; then it weighs
    `weight`, and with them `weight_with_items`. `drills`: by metric of a drill-down, the numbers that it explains, as paths
    below the figure; "" is the figure itself. `chart` is the one that pages show.
    """

    weight: Weight = LEFT_OUT
    read: Callable[[Any, Arguments], Any] = LEFT_OUT
    canonical: Callable[[Any], Any] = LEFT_OUT
    resolver: Callable[..., Any] = LEFT_OUT
    defaults: Arguments = field(default_factory=dict)
    arguments: Callable[[Arguments], Arguments] = dict
    paged: bool = False
    items: tuple[str, str] | None = None
    weight_with_items: Weight | None = None
    drills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chart: ChartKind[Any] | None = None

    def __post_init__(self) -> None:
        """ValueError names what the record lacks."""
        Metric.__post_init__(self)
        _check(self, FIGURE_NEEDS)

    def in_full(self, given: Arguments) -> Arguments:
        """The arguments as an answer names them, with those that were left out."""
        return self.arguments({**self.defaults, **given})

    def weighs(self, given: Arguments) -> Weight:
        """What it weighs with those arguments."""
        if self.items and self.weight_with_items and given.get(self.items[1], True):
            return self.weight_with_items
        return self.weight

    def hashed(self, reading: Any, given: Arguments) -> Any:
        """The figure in canonical form."""
        return self.canonical(self.read(reading, given))


def as_it_is(found: Any) -> Any:
    """The canonical form of a figure that is plain numbers already."""
    return found


def _check(metric: Metric, needs: Mapping[str, str]) -> None:
    for name, meaning in needs.items():
        if getattr(metric, name) in (LEFT_OUT, ""):
            raise ValueError(f"The figure {metric.name!r} has no {name}; its record has to say {meaning}.")


def explained(figures: Iterable[Figure], *, metrics: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By metric of a drill-down: the numbers that it explains, as paths from the name of the figure on, in its order.

    ValueError for a metric that no figure names.
    """
    found: dict[str, tuple[str, ...]] = {metric: () for metric in metrics}
    for figure in figures:
        for metric, paths in figure.drills.items():
            full = tuple(".".join(filter(None, (figure.name, path))) for path in paths)
            found[metric] = (*found.get(metric, ()), *full)
    for metric, paths in found.items():
        if not paths:
            raise ValueError(
                f"The drill-down {metric} explains no figure; name it in `drills` of the one it does explain."
            )
    return found
