"""The question that a project's charts are about: a window, and from when it is told; and its answer, figure by figure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from analytics.engine.pages.asked import choice_asked, fields, instant_asked, local_text, number_asked, zone_asked
from analytics.engine.projects import project_facts
from analytics.engine.reading import receipts
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.questions import label
from analytics.engine.wings import figures_by_name
from analytics.flow.family import TRANSITIONS
from analytics.flow.graphql.projects import Project
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.replay.activity import Feed
from analytics.pure import windows
from analytics.pure.windows import Bucket, Unit, Window, WindowError
from analytics.pure.zones import local_date
from tasks_app.admin.downloads import Cell
from tasks_app.admin.visits import Visit
from tasks_app.models import STATE_KINDS
from tasks_app.refusals import Refused

FORM: Final = ("days", "from", "to", "bucket", "definitions", "knownAt", "timezone")
DEFAULT_DAYS: Final = 90
QUICK_DAYS: Final = (30, 90, 365)
DEFINITIONS: Final = ("THEN", "NOW")
# A screen has no more columns than this. The file has no such limit.
MOST_DRAWN: Final = 2000

# A figure of the API, by the name of its field, with the arguments of the field.
Named = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The numbers of a chart, as its file has them. A column whose name ends in `_seconds` has lengths of time.

    `line` makes a row of the file of each of the `things`, of which a page shows a few: the latest where they are `by_time`.
    """

    header: Sequence[str]
    things: Sequence[Any]
    line: Callable[[Any], Sequence[Cell]] = list
    by_time: bool = False

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


@dataclass(frozen=True, kw_only=True)
class Question:
    """One project, one window, and the figures of it that were read so far: each is read once, whoever shows it."""

    visit: Visit
    project: Project
    reading: FlowReading
    known_at: datetime
    _found: dict[str, Any] = field(default_factory=dict, init=False)

    @property
    def window(self) -> Window:
        """The window and its buckets."""
        return self.reading.window

    def figure(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """That figure of the API; arguments that are not given are what the API takes them for."""
        known_as, full = _in_full(name, arguments)
        if known_as not in self._found:
            self._found[known_as] = figures_by_name()[name].read(self.reading, full)
        return self._found[known_as]

    def receipt(self, named: Sequence[Named]) -> receipts.Receipt:
        """The receipt that the API gives to a question for these figures alone."""
        figures = {_in_full(*each)[0]: figures_by_name()[each[0]].canonical(self.figure(*each)) for each in named}
        return receipts.receipt(
            figures=figures,
            metric_version=receipts.metric_version(figures, families=(TRANSITIONS.name,)),
            raw_rows=self.reading.raw_rows,
            tail_rows=self.reading.tail_rows,
            read_from=self.reading.read_from,
            known_at=self.known_at,
            timezone=self.window.zone,
        )

    def local(self, instant: datetime | None) -> str:
        """The instant by the clock of the window's zone."""
        return local_text(instant, zone_name=self.window.zone)

    def in_words(self) -> str:
        """The window, for descriptions of pictures."""
        count, bucket = len(self.window.starts), self.window.bucket.value.lower()
        return (
            f"From {self.local(self.window.start)} up to {self.local(self.window.end)}, {count} "
            f"{'bucket' if count == 1 else 'buckets'} of one {bucket}, local time of {self.window.zone}."
        )


@dataclass(frozen=True, kw_only=True)
class ChartKind:
    """A chart of the project's page: which figures it shows, and how they become a picture and a table.

    `slug` is its place in addresses and in the names of files. `headline` is what is to be seen at once, as pairs of words
    and numbers.
    """

    slug: str
    title: str
    sentence: str
    figures: Callable[[Visit], Sequence[Named]]
    picture: Callable[[Question], str]
    sheet: Callable[[Question], Sheet]
    headline: Callable[[Question], Sequence[tuple[str, str]]]
    choices: Sequence[Choice] = ()

    @property
    def csv_page(self) -> str:
        """The name of the page that gives the file of numbers."""
        return f"{self.slug.replace('-', '_')}_csv"

    @property
    def svg_page(self) -> str:
        """The name of the page that gives the picture as a file."""
        return f"{self.slug.replace('-', '_')}_svg"


def question_asked(visit: Visit, node: Project) -> Question:
    """What the page's form asks of that project; Refused names a field that cannot be read."""
    zone_name = zone_asked(visit, default=node.timezone)
    known_at = instant_asked(visit, "knownAt", label="As known at", zone_name=zone_name)
    reading = FlowReading(
        question=FlowQuestion(
            tenant_id=visit.tenant.id,
            window=_window(visit, zone_name=zone_name),
            now=visit.now,
            as_defined_now=choice_asked(visit, "definitions", label="Definitions", known=DEFINITIONS) == "NOW",
        ),
        boards=project_facts(tenant_id=visit.tenant.id, key=node.key, known_at=known_at),
        knowledge=Knowledge(known_at=known_at),
    )
    return Question(visit=visit, project=node, reading=reading, known_at=known_at or visit.now)


def form_frame(visit: Visit, node: Project, *, choices: Sequence[Choice], last: datetime | None) -> Mapping[str, Any]:
    """What the form and the links to other windows show. `last` is `last_change` of the project."""
    return {
        "project": node,
        "form": fields(visit, *FORM),
        "choices": [choice.shown(visit) for choice in choices],
        "buckets": [bucket.value for bucket in Bucket],
        "quick_days": QUICK_DAYS,
        "default_days": DEFAULT_DAYS,
        "begin": local_text(node.recorded_since, zone_name=node.timezone)[:10],
        "latest": around(last, node=node),
    }


def window_frame(question: Question) -> Mapping[str, Any]:
    """The window in words."""
    window = question.window
    return {
        "question": question,
        "window_from": question.local(window.start),
        "window_to": question.local(window.end),
        "known_at": question.local(question.known_at),
        "running": not all(window.complete),
    }


def check_drawable(window: Window) -> None:
    """Refused for more buckets than a screen has columns."""
    if len(window.starts) > MOST_DRAWN:
        raise Refused(
            f"Bucket: this window has {len(window.starts):,} buckets and a picture has at most {MOST_DRAWN:,}; "
            "choose a wider bucket or a shorter window, or take the CSV.",
            path=("bucket",),
        )


def last_change(visit: Visit, node: Project) -> datetime | None:
    """When that happened which was recorded last of the project; None where nothing ever was."""
    feed = Feed(tenant_id=visit.tenant.id, filters={"project_id": node.pk, "kinds": list(STATE_KINDS)})
    rows = feed.read(where="TRUE", params=(), direction="DESC", limit=1)
    return rows[0].happened_at if rows else None


def around(instant: datetime | None, *, node: Project) -> Mapping[str, str] | None:
    """The usual window, but with its end at that instant: an imported log may lie years back."""
    if instant is None:
        return None
    last = local_date(instant=instant, zone_name=node.timezone)
    begin = last - timedelta(days=DEFAULT_DAYS - 1)
    return {"begin": begin.isoformat(), "end": (last + timedelta(days=1)).isoformat(), "last": last.isoformat()}


def _in_full(name: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What the figure is called in an answer, and all of its arguments."""
    full = figures_by_name()[name].in_full(arguments)
    return label(name, full), full


def _window(visit: Visit, *, zone_name: str) -> Window:
    start = instant_asked(visit, "from", label="From", zone_name=zone_name)
    end = instant_asked(visit, "to", label="Up to", zone_name=zone_name)
    days = number_asked(visit, "days", label="Last days", largest=100_000)
    bucket = Bucket(choice_asked(visit, "bucket", label="Bucket", known=[bucket.value for bucket in Bucket]))
    if end is not None and start is None:
        raise Refused("From: a window that has an end needs a beginning: give both, or the last days.", path=("from",))
    if start is not None and days is not None:
        raise Refused("Last days: give either a beginning or the last days, not both.", path=("days",))
    asked: dict[str, Any] = {
        "zone": zone_name,
        "bucket": bucket,
        "now": visit.now,
        "fiscal_year_start_month": visit.tenant.fiscal_year_start_month,
    }
    try:
        if start is not None:
            return windows.between(start=start, end=end or visit.now, **asked)
        return windows.rolling(count=DEFAULT_DAYS if days is None else days, unit=Unit.DAY, **asked)
    except WindowError as error:
        raise Refused(str(error), path=(error.argument,)) from None
