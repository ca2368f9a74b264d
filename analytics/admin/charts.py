"""A project's cumulative flow diagram: drawn, as a table, as CSV and as an SVG file, all from the same figures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.safestring import mark_safe

from analytics.admin.asked import answered, fields, instant_asked, local_text, number_asked, zone_asked
from analytics.admin.board import project_of_key
from analytics.graphql.projects import Project
from analytics.pure import svg, windows
from analytics.pure.windows import Bucket, Unit, Window, WindowError
from analytics.pure.zones import local_date
from analytics.replay.activity import Feed
from analytics.replay.definitions import boards
from analytics.windows import canonical, receipts
from analytics.windows.figures import CumulativeFlow, FlowMode
from analytics.windows.flow import FlowReading
from tasks_app.admin.downloads import Cell, csv_response
from tasks_app.admin.visits import Visit
from tasks_app.models import STATE_KINDS
from tasks_app.refusals import Refused

FORM = ("mode", "days", "from", "to", "bucket", "definitions", "knownAt", "timezone")
DEFAULT_DAYS: Final = 90
QUICK_DAYS: Final = (30, 90, 365)
DEFINITIONS: Final = ("THEN", "NOW")
# A screen has no more columns than this. The file has no such limit.
MOST_DRAWN: Final = 2000
MOST_TABLED: Final = 400
MOST_WINDOWS_LISTED: Final = 50


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The diagram that was asked for, and its proof."""

    project: Project
    reading: FlowReading
    mode: FlowMode
    known_at: datetime
    now: datetime

    @cached_property
    def flow(self) -> CumulativeFlow:
        """The figures."""
        return self.reading.cumulative_flow(mode=self.mode)

    @property
    def window(self) -> Window:
        """The window and its buckets."""
        return self.reading.window

    @cached_property
    def receipt(self) -> receipts.Receipt:
        """The receipt that the API gives to a question for the diagram alone."""
        figures = {f"cumulativeFlow mode={self.mode.value}": canonical.cumulative_flow(self.flow)}
        return receipts.receipt(
            figures=figures,
            raw_rows=self.reading.raw_rows,
            known_at=self.known_at,
            timezone=self.window.zone,
        )

    def picture(self) -> str:
        """The diagram as SVG. Refused for more buckets than a screen has columns."""
        window, flow = self.window, self.flow
        if len(window.starts) > MOST_DRAWN:
            raise Refused(
                f"Bucket: this window has {len(window.starts):,} buckets and a picture has at most {MOST_DRAWN:,}; "
                "choose a wider bucket or a shorter window, or take the CSV.",
                path=("bucket",),
            )
        return svg.svg(
            svg.Chart(
                title=f"Cumulative flow of {self.project.key}: {self.project.name}",
                description=self._in_words(),
                zone=window.zone,
                edges=window.edges,
                bands=[svg.Band(name=each.state.name, counts=each.counts) for each in flow.series],
                stacked=self.mode is FlowMode.OCCUPANCY,
                marks=flow.definition_changes,
                # What is open is so up to now: of later nobody can say.
                spans=[(each.begin, each.end or self.now) for each in flow.correction_windows],
                now=self.now,
            )
        )

    def _in_words(self) -> str:
        last = ", ".join(f"{each.state.name} {_last_known(each.counts)}" for each in self.flow.series)
        return (
            f"{self.mode.value.capitalize()} counts from {local_text(self.window.start, zone_name=self.window.zone)} "
            f"up to {local_text(self.window.end, zone_name=self.window.zone)}, {len(self.window.starts)} buckets of "
            f"one {self.window.bucket.value.lower()}. Last known: {last or 'no states'}. "
            f"{len(self.flow.correction_windows)} correction windows, "
            f"{len(self.flow.definition_changes)} definition changes."
        )


def flow(visit: Visit, *, project: str) -> HttpResponseBase:
    """The page; NOT_FOUND for a project that the tenant does not have."""
    node = project_of_key(visit, project)
    frame = {
        "title": f"Cumulative flow of {node.key}",
        "project": node,
        "form": fields(visit, *FORM),
        "modes": [mode.value for mode in FlowMode],
        "buckets": [bucket.value for bucket in Bucket],
        "quick_days": QUICK_DAYS,
        "default_days": DEFAULT_DAYS,
        "begin": local_text(node.recorded_since, zone_name=node.timezone)[:10],
        "latest": _around_latest(visit, node),
    }
    return answered(visit=visit, template="admin/flow.html", frame=frame, read=lambda: _page(visit, node))


def flow_csv(visit: Visit, *, project: str) -> HttpResponseBase:
    """The numbers of the chart, a line per bucket. The digest in the header is that of these very numbers."""
    answer = _answer(visit, project_of_key(visit, project))
    return csv_response(
        name=f"{visit.tenant.slug}-{answer.project.key}-flow-{answer.mode.value.lower()}",
        header=_header(answer),
        rows=list(_rows(answer)),
        digest=answer.receipt.digest,
    )


def flow_svg(visit: Visit, *, project: str) -> HttpResponseBase:
    """The picture as a file."""
    answer = _answer(visit, project_of_key(visit, project))
    response = HttpResponse(answer.picture(), content_type="image/svg+xml; charset=utf-8")
    response["X-Flowledger-Digest"] = answer.receipt.digest
    return response


def _page(visit: Visit, node: Project) -> Mapping[str, Any]:
    answer = _answer(visit, node)
    zone_name, windows_found = answer.window.zone, answer.flow.correction_windows
    listed = windows_found[-MOST_WINDOWS_LISTED:][::-1]
    return {
        "answer": answer,
        "zone": zone_name,
        # Every text in the picture has been escaped by analytics.pure.svg.
        "picture": mark_safe(answer.picture()),  # noqa: S308
        "window_from": local_text(answer.window.start, zone_name=zone_name),
        "window_to": local_text(answer.window.end, zone_name=zone_name),
        "known_at": local_text(answer.known_at, zone_name=zone_name),
        "changes": [local_text(each, zone_name=zone_name) for each in answer.flow.definition_changes],
        "corrections": [
            {
                "task": each.item.key,
                "begin": local_text(each.begin, zone_name=zone_name),
                "end": local_text(each.end, zone_name=zone_name),
            }
            for each in listed
        ],
        "corrections_count": f"{len(windows_found):,}",
        "corrections_cut": len(windows_found) > len(listed),
        "facts_read": f"{answer.receipt.raw_rows:,}",
        "header": _header(answer)[2:],
        "rows": _table(answer) if len(answer.window.starts) <= MOST_TABLED else None,
        "running": not all(answer.window.complete),
    }


def _around_latest(visit: Visit, node: Project) -> Mapping[str, str] | None:
    """The usual window, but with its end at what was recorded last: an imported log may lie years back."""
    feed = Feed(tenant_id=visit.tenant.id, filters={"project_id": node.pk, "kinds": list(STATE_KINDS)})
    rows = feed.read(where="TRUE", params=(), direction="DESC", limit=1)
    if not rows:
        return None
    last = local_date(instant=rows[0].happened_at, zone_name=node.timezone)
    begin = last - timedelta(days=DEFAULT_DAYS - 1)
    return {"begin": begin.isoformat(), "end": (last + timedelta(days=1)).isoformat()}


def _answer(visit: Visit, node: Project) -> Answer:
    zone_name = zone_asked(visit, default=node.timezone)
    known_at = instant_asked(visit, "knownAt", label="As known at", zone_name=zone_name)
    reading = FlowReading(
        tenant_id=visit.tenant.id,
        boards=boards(tenant_id=visit.tenant.id, key=node.key, known_at=known_at),
        whole_tenant=False,
        window=_window(visit, zone_name=zone_name),
        known_at=known_at,
        as_defined_now=_chosen(visit, "definitions", label="Definitions", known=DEFINITIONS) == "NOW",
        now=visit.now,
    )
    mode = FlowMode(_chosen(visit, "mode", label="Mode", known=[mode.value for mode in FlowMode]))
    return Answer(project=node, reading=reading, mode=mode, known_at=known_at or visit.now, now=visit.now)


def _window(visit: Visit, *, zone_name: str) -> Window:
    start = instant_asked(visit, "from", label="From", zone_name=zone_name)
    end = instant_asked(visit, "to", label="Up to", zone_name=zone_name)
    days = number_asked(visit, "days", label="Last days", largest=100_000)
    bucket = Bucket(_chosen(visit, "bucket", label="Bucket", known=[bucket.value for bucket in Bucket]))
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


def _chosen(visit: Visit, name: str, *, label: str, known: Sequence[str]) -> str:
    """The value of a choice; the first where none was sent."""
    text = visit.asked(name) or known[0]
    if text not in known:
        raise Refused(f"{label}: {text[:40]!r} is none of {', '.join(known)}.", path=(name,))
    return text


def _header(answer: Answer) -> list[str]:
    states = [each.state.slug for each in answer.flow.series]
    flows = ["arrivals", "departures", "left", "discarded", "work_in_progress", "difference"]
    return ["bucket_start", "bucket_end", "complete", *states, *flows]


def _columns(answer: Answer) -> list[Sequence[int | None]]:
    flow = answer.flow
    flows = [flow.arrivals, flow.departures, flow.left, flow.discarded, answer.reading.work_in_progress()]
    return [*(each.counts for each in flow.series), *flows, flow.difference]


def _rows(answer: Answer) -> Iterator[list[Cell]]:
    window = answer.window
    numbers = zip(*_columns(answer), strict=True)
    for start, end, complete, counts in zip(window.starts, window.ends, window.complete, numbers, strict=True):
        yield [start, end, complete, *counts]


def _table(answer: Answer) -> list[dict[str, Any]]:
    """For people: the newest bucket first, by its local beginning."""
    zone_name = answer.window.zone
    return [
        {"start": local_text(row[0], zone_name=zone_name), "complete": row[2], "counts": row[3:]}
        for row in _reversed(_rows(answer))
    ]


def _reversed(rows: Iterable[list[Any]]) -> list[list[Any]]:
    return list(rows)[::-1]


def _last_known(counts: Sequence[int | None]) -> str:
    return next((f"{count:,}" for count in reversed(counts) if count is not None), "not known")
