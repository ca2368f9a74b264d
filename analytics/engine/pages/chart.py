"""Chart of a page: which figures it shows, and how they become a picture, a table and a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from analytics.engine.pages.asked import choice_asked
from tasks_app.admin.downloads import Cell
from tasks_app.admin.visits import Visit

# A figure of the API, by the name of its field, with the arguments of the field.
Named = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The numbers of a chart, as its file has them. A column whose name ends in `_seconds` has lengths of time.

    `line` makes a row of the file of each of the `things`, of which a page shows a few: the latest where they are `by_time`.
    `links` are pages about what a column names, by the column: each has the name as `key` in its address.
    """

    header: Sequence[str]
    things: Sequence[Any]
    line: Callable[[Any], Sequence[Cell]] = list
    by_time: bool = False
    links: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> Iterator[Sequence[Cell]]:
        """All of them, in the order of the file."""
        return map(self.line, self.things)

    def first_rows(self, most: int) -> list[Sequence[Cell]]:
        """So many at most, in the order of a page."""
        chosen = self.things[-most:][::-1] if self.by_time else self.things[:most]
        return [self.line(thing) for thing in chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a chart can be drawn otherwise: a field of the form, and the values that it takes, the usual one first."""

    name: str
    label: str
    values: Sequence[str]

    def asked(self, visit: Visit) -> str:
        """The value chosen."""
        return choice_asked(visit, self.name, label=self.label, known=self.values)

    def shown(self, visit: Visit) -> Mapping[str, Any]:
        """The field, for the form."""
        sent = visit.asked(self.name)
        options = [(value, value.lower().replace("_", " "), value == sent) for value in self.values]
        return {"name": self.name, "label": self.label, "options": options}


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One line beside a chart: how many items did what, and the first of them by their keys."""

    words: str
    keys: Sequence[str]
    more: bool


# The question that a wing's charts are about.
Q = TypeVar("Q")


@dataclass(frozen=True, kw_only=True)
class ChartKind(Generic[Q]):
    """A chart: which figures it shows, and how they become a picture and a table.

    `slug` is its place in addresses and in the names of files. `headline` is what is to be seen at once, as pairs of words
    and numbers; `doubts` is what is to be known of the data.
    """

    slug: str
    title: str
    sentence: str
    figures: Callable[[Visit], Sequence[Named]]
    picture: Callable[[Q], str]
    sheet: Callable[[Q], Sheet]
    headline: Callable[[Q], Sequence[tuple[str, str]]]
    doubts: Callable[[Q], Sequence[Warned]]
    choices: Sequence[Choice] = ()

    @property
    def csv_page(self) -> str:
        """The name of the page that gives the file of numbers."""
        return f"{self.slug.replace('-', '_')}_csv"

    @property
    def svg_page(self) -> str:
        """The name of the page that gives the picture as a file."""
        return f"{self.slug.replace('-', '_')}_svg"
