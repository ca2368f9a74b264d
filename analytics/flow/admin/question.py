"""Question of a project's charts, a window and from when it is told; and its answer, figure by figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from analytics.engine.graphql.projects import Project
from analytics.engine.pages.asked import choice_asked, fields, instant_asked, local_text, number_asked, zone_asked
from analytics.engine.pages.chart import Choice
from analytics.engine.pages.question import ChartQuestion
from analytics.engine.projects import project_facts
from analytics.engine.reading.knowledge import Knowledge
from analytics.flow.family import TRANSITIONS
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.replay.activity import Feed
from analytics.pure import windows
from analytics.pure.windows import Bucket, Unit, Window, WindowError
from analytics.pure.zones import local_date
from tasks_app.admin.visits import Visit
from tasks_app.models import STATE_KINDS
from tasks_app.refusals import Refused

FORM: Final = ("days", "from", "to", "bucket", "definitions", "knownAt", "timezone")
DEFAULT_DAYS: Final = 90
QUICK_DAYS: Final = (30, 90, 365)
DEFINITIONS: Final = ("THEN", "NOW")


@dataclass(frozen=True, kw_only=True)
class Question(ChartQuestion):
    """One project, one window."""

    families: ClassVar[tuple[str, ...]] = (TRANSITIONS.name,)
    project: Project
    reading: FlowReading


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
