"""Story, as data: who is there, how items travel, what is set by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks_app.models import Kind
from tasks_app.operations.projects import StateSpec

STAYS = ""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A login of the tenant. `works` is whether items are assigned to this person."""

    email: str
    name: str
    role: str
    works: bool = False


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """When people work. `arrivals` is how many items a day brings on average, Monday to Sunday; 0: nobody is there.

    The quiet week lies `quiet_weeks_ago` whole weeks before this one, Monday to Sunday.
    """

    arrivals: tuple[float, ...]
    opens: int
    closes: int
    quiet_weeks_ago: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """One way out of a state: where to, how often out of all ways' shares, after how many working hours.

    `to=STAYS` ends the journey. `project` names the board of a transfer. `at_hour` waits for that hour of the day, as a
    nightly job does. `approved` has a manager validate the state before it is left.
    """

    to: str
    share: int
    hours: tuple[float, float] = (0, 0)
    kind: Kind = Kind.MOVED
    project: str = ""
    at_hour: int | None = None
    approved: bool = False


@dataclass(frozen=True, kw_only=True)
class Board:
    """A project and the ways of its items, by the slug of the state that they leave. Items arrive in the first state.

    Titles are made of one word of each list. `share` is the board's part of the tenant's arrivals.
    """

    key: str
    name: str
    share: float
    states: Sequence[StateSpec]
    ways: Mapping[str, Sequence[Step]]
    titles: tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """An item whose way is written down: (state, days ago) in order, each at ten in the morning."""

    case: str
    title: str
    visits: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something done live, through the doors that requests use. `days_ago` makes it a late report.

    `what` names the entry of tasks_app.demo.today.DOORS; `to` is a state, a project, an email or a title, as it needs.
    """

    what: str
    by: str
    cases: tuple[str, ...]
    to: str = ""
    days_ago: int = 0
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Redefinition:
    """The workflow of a board as it is from the last live change on."""

    project: str
    by: str
    states: Sequence[StateSpec]


@dataclass(frozen=True, kw_only=True)
class Story:
    """One tenant of the demo. The scripted items are on the first board."""

    slug: str
    name: str
    timezone: str
    days: int
    people: Sequence[Person]
    rhythm: Rhythm
    boards: Sequence[Board]
    scripted: Sequence[Scripted]
    changes: Sequence[Change]
    redefinition: Redefinition
