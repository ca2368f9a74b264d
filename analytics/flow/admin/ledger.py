"""Ledger page, newest recording first: every row of tasks and of definitions, as a sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http.response import HttpResponseBase

from analytics.engine.asked_names import plain, project_id
from analytics.engine.pages.asked import answered, fields, instant_asked, number_asked, zone_asked
from analytics.flow.admin.lines import HEADER, every_line, lines_of
from analytics.flow.admin.tasks import task_of_key
from analytics.flow.replay.activity import Feed, FeedRow
from tasks_app.admin.downloads import Cell, csv_response
from tasks_app.admin.visits import Visit
from tasks_app.http.scalars import INT_LIMIT
from tasks_app.models import Actor, Kind, Project
from tasks_app.refusals import Refused, not_found
from tasks_app.tenancy import DatabaseRole, entered

PAGE_ROWS = 100
MOST_PROJECTS = 500
MOST_NAMESAKES = 10
FORM = ("project", "task", "actor", "kind", "from", "to", "correlation", "timezone")


def ledger(visit: Visit) -> HttpResponseBase:
    """One page of it. Pages follow each other by position, so one costs the same at either end of the ledger."""
    projects = Project.objects.filter(tenant_id=visit.tenant.id).order_by("key").values_list("key", flat=True)
    frame = {
        "title": "Ledger",
        "form": fields(visit, *FORM),
        "kinds": Kind.names,
        "projects": list(projects[:MOST_PROJECTS]),
    }
    return answered(visit=visit, template="admin/ledger.html", frame=frame, read=lambda: _page(visit))


def ledger_csv(visit: Visit) -> HttpResponseBase:
    """All rows that the form asks for, not one page alone."""
    feed = _feed(visit, zone_name=zone_asked(visit, default=visit.tenant.timezone))
    return csv_response(name=f"{visit.tenant.slug}-ledger", header=HEADER, rows=_cells(feed))


def _cells(feed: Feed) -> Iterator[Sequence[Cell]]:
    with entered(tenant_id=feed.tenant_id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=600):
        for line in every_line(feed=feed):
            yield line.cells


def _page(visit: Visit) -> Mapping[str, Any]:
    zone_name = zone_asked(visit, default=visit.tenant.timezone)
    feed = _feed(visit, zone_name=zone_name)
    older = number_asked(visit, "older", label="Older than")
    newer = number_asked(visit, "newer", label="Newer than")
    rows, more = _rows(feed, older=older, newer=newer)
    backwards = newer is not None
    return {
        "zone": zone_name,
        "lines": lines_of(tenant_id=visit.tenant.id, rows=rows, zone_name=zone_name),
        "count": f"{feed.count():,}" if visit.asked("count") else None,
        "first": rows[0].seq if rows and (older is not None or (backwards and more)) else None,
        "last": rows[-1].seq if rows and (more or backwards) else None,
    }


def _rows(feed: Feed, *, older: int | None, newer: int | None) -> tuple[list[FeedRow], bool]:
    """The page's rows, newest first, and whether there are more in the direction of reading."""
    if newer is not None:
        found = feed.read(where="l.seq > %s", params=[newer], direction="ASC", limit=PAGE_ROWS + 1)
        return found[:PAGE_ROWS][::-1], len(found) > PAGE_ROWS
    where, params = ("l.seq < %s", [older]) if older is not None else ("TRUE", [])
    found = feed.read(where=where, params=params, direction="DESC", limit=PAGE_ROWS + 1)
    return found[:PAGE_ROWS], len(found) > PAGE_ROWS


def _feed(visit: Visit, *, zone_name: str) -> Feed:
    """What the form asks for. A name that is not there is refused, and reads the same as another tenant's."""
    asked = {
        "project_id": _project(visit),
        "task_id": _task(visit),
        "actor_id": _actor(visit),
        "kinds": _kinds(visit),
        "from_at": instant_asked(visit, "from", label="Happened from", zone_name=zone_name),
        "to_at": instant_asked(visit, "to", label="Happened before", zone_name=zone_name),
        "correlation": number_asked(visit, "correlation", label="Operation"),
    }
    return Feed(tenant_id=visit.tenant.id, filters={name: value for name, value in asked.items() if value is not None})


def _project(visit: Visit) -> int | None:
    key = visit.asked("project")
    return project_id(key, tenant=visit.tenant, argument="Project") if key else None


def _task(visit: Visit) -> int | None:
    key = visit.asked("task")
    return task_of_key(tenant_id=visit.tenant.id, key=key).task_id if key else None


def _kinds(visit: Visit) -> list[int] | None:
    name = visit.asked("kind")
    if not name:
        return None
    if name not in Kind.names:
        raise Refused(f"Kind: there is no kind {name[:40]!r}; the kinds are {', '.join(Kind.names)}.", path=("kind",))
    return [Kind[name].value]


def _actor(visit: Visit) -> int | None:
    """An actor by name, or as #number, which tells those of one name apart."""
    text = plain(visit.asked("actor"), argument="Actor")
    if not text:
        return None
    actors = Actor.objects.filter(tenant_id=visit.tenant.id)
    number = text.removeprefix("#")
    if text.startswith("#") and number.isascii() and number.isdigit() and len(number) <= len(str(INT_LIMIT)):
        found = list(actors.filter(id=min(int(number), INT_LIMIT - 1)))
    else:
        found = list(actors.filter(name__iexact=text).order_by("id")[:MOST_NAMESAKES])
    if len(found) > 1:
        told = ", ".join(f"#{actor.id} ({actor.kind})" for actor in found)
        raise Refused(f"Actor: several are called {text!r}; name one by its number: {told}.", path=("actor",))
    if not found:
        raise not_found(what="actor", name=text, path=("actor",))
    return found[0].id
