"""Cumulative flow diagram of a project, and the page of its own that explains every surprise in it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from django.http.response import HttpResponseBase

from analytics.engine.graphql.projects import Project
from analytics.engine.pages.asked import answered
from analytics.engine.pages.chart import ChartKind, Choice, Named, Sheet
from analytics.engine.pages.question import check_drawable
from analytics.engine.pages.shown import shown_chart
from analytics.flow.admin.board import project_of_key
from analytics.flow.admin.question import Question, form_frame, last_change, question_asked, window_frame
from analytics.flow.admin.warnings import doubts
from analytics.flow.reading.results import CumulativeFlow, FlowMode
from analytics.pictures.stacked_areas import Band, Chart, flow_svg, last_known
from tasks_app.admin.downloads import Cell
from tasks_app.admin.visits import Visit

MODE: Final = Choice(name="mode", label="Lines", values=[mode.value for mode in FlowMode])
FLOWS: Final = ("arrivals", "departures", "left", "discarded", "work_in_progress", "difference")
MOST_WINDOWS_LISTED: Final = 50


def _figures(visit: Visit) -> Sequence[Named]:
    return [("cumulativeFlow", {"mode": MODE.asked(visit)})]


def _flow(question: Question) -> CumulativeFlow:
    found: CumulativeFlow = question.figure(*_figures(question.visit)[0])
    return found


def _picture(question: Question) -> str:
    check_drawable(question.window)
    window, flow = question.window, _flow(question)
    return flow_svg(
        Chart(
            title=f"Cumulative flow of {question.project.key}: {question.project.name}",
            description=_in_words(question),
            zone=window.zone,
            edges=window.edges,
            bands=[Band(name=each.state.name, counts=each.counts) for each in flow.series],
            stacked=flow.mode is FlowMode.OCCUPANCY,
            marks=flow.definition_changes,
            # What is open is so up to now: of later nobody can say.
            spans=[(each.begin, each.end or question.visit.now) for each in flow.correction_windows],
            now=question.visit.now,
        )
    )


def _in_words(question: Question) -> str:
    flow = _flow(question)
    last = ", ".join(f"{each.state.name} {last_known(each.counts)}" for each in flow.series)
    return (
        f"{flow.mode.value.capitalize()} counts. {question.in_words()} Last known: {last or 'no states'}. "
        f"{len(flow.correction_windows)} correction windows, {len(flow.definition_changes)} definition changes."
    )


def _sheet(question: Question) -> Sheet:
    states = [each.state.slug for each in _flow(question).series]
    header = ["bucket_start", "bucket_end", "complete", *states, *FLOWS]
    return Sheet(header=header, things=list(_rows(question)), by_time=True)


def _rows(question: Question) -> Iterator[Sequence[Cell]]:
    flow, window = _flow(question), question.window
    in_progress = question.reading.work_in_progress()
    flows = [flow.arrivals, flow.departures, flow.left, flow.discarded, in_progress, flow.difference]
    counts = (each.counts for each in flow.series)
    return zip(window.starts, window.ends, window.complete, *counts, *flows, strict=True)


def _headline(question: Question) -> Sequence[tuple[str, str]]:
    flow = _flow(question)
    return [
        ("in progress at the end", last_known(question.reading.work_in_progress())),
        ("arrived", _total(flow.arrivals)),
        ("departed", _total(flow.departures)),
        ("correction windows", f"{len(flow.correction_windows):,}"),
    ]


def _total(counts: Sequence[int | None]) -> str:
    known = [count for count in counts if count is not None]
    return f"{sum(known):,}" if known else "not known"


FLOW: Final = ChartKind[Question](
    slug="flow",
    title="Cumulative flow",
    sentence="How many items stood in each state at the end of each bucket; of the line of a state in cumulative mode, "
    "how many had come that far.",
    figures=_figures,
    picture=_picture,
    sheet=_sheet,
    headline=_headline,
    # A band that was skipped is thinner, a line that was gone back from stays where it was.
    doubts=doubts("BACKWARD_MOVE", "CHANGE_AFTER_DONE", "SKIPPED_STATE", "CREATED_BEYOND_FIRST"),
    choices=(MODE,),
)


def flow(visit: Visit, *, project: str) -> HttpResponseBase:
    """The page; NOT_FOUND for a project that the tenant does not have."""
    node = project_of_key(visit, project)
    frame = form_frame(visit, node, choices=[MODE], last=last_change(visit, node))
    title = f"Cumulative flow of {node.key}"
    read = partial(_page, visit, node)
    return answered(visit=visit, template="admin/flow.html", frame={**frame, "title": title}, read=read)


def _page(visit: Visit, node: Project) -> Mapping[str, Any]:
    question = question_asked(visit, node)
    flow = _flow(question)
    listed = [*flow.correction_windows][-MOST_WINDOWS_LISTED:][::-1]
    return {
        **window_frame(question),
        "chart": shown_chart(question, FLOW),
        "mode": flow.mode.value,
        "changes": [question.local(each) for each in flow.definition_changes],
        "corrections": [
            {"task": each.item.key, "begin": question.local(each.begin), "end": question.local(each.end)}
            for each in listed
        ],
        "corrections_count": f"{len(flow.correction_windows):,}",
        "corrections_cut": len(flow.correction_windows) > len(listed),
    }
