"""Charts page of a project: each over one window, as a picture, a table, CSV and SVG, from the same figures."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from analytics.engine.graphql.projects import Project
from analytics.engine.pages.asked import answered
from analytics.engine.pages.chart import ChartKind
from analytics.engine.pages.shown import shown_chart
from analytics.flow.admin.board import project_of_key
from analytics.flow.admin.question import Question, form_frame, last_change, question_asked, window_frame
from analytics.flow.catalogue import FIGURES
from tasks_app.admin.downloads import csv_response
from tasks_app.admin.visits import Visit

# In the order of the page.
KINDS: Final[tuple[ChartKind[Question], ...]] = tuple(each.chart for each in FIGURES if each.chart)
CHOICES: Final = tuple(choice for kind in KINDS for choice in kind.choices)
# A digest is 64 signs; these tell files apart.
DIGEST_IN_NAMES: Final = 12


def charts(visit: Visit, *, project: str) -> HttpResponseBase:
    """The page; NOT_FOUND for a project that the tenant does not have."""
    node = project_of_key(visit, project)
    last = last_change(visit, node)
    frame = {
        **form_frame(visit, node, choices=CHOICES, last=last),
        "title": f"{node.key}: {node.name}",
        "tenant_slug": visit.tenant.slug,
        "kinds": KINDS,
        "is_empty": last is None,
    }
    read = partial(_page, visit, node, last=last)
    return answered(visit=visit, template="admin/charts.html", frame=frame, read=read)


def chart_csv(visit: Visit, *, project: str, kind: ChartKind[Question]) -> HttpResponseBase:
    """The numbers of the chart. The digest in its header and its name is that of these very numbers."""
    question = question_asked(visit, project_of_key(visit, project))
    sheet = kind.sheet(question)
    digest = question.receipt(kind.figures(visit)).digest
    return csv_response(
        name=f"{visit.tenant.slug}-{question.project.key}-{kind.slug}-{digest[:DIGEST_IN_NAMES]}",
        header=sheet.header,
        rows=list(sheet.rows()),
        digest=digest,
    )


def chart_svg(visit: Visit, *, project: str, kind: ChartKind[Question]) -> HttpResponseBase:
    """The picture as a file."""
    question = question_asked(visit, project_of_key(visit, project))
    response = HttpResponse(kind.picture(question), content_type="image/svg+xml; charset=utf-8")
    response["X-Flowledger-Digest"] = question.receipt(kind.figures(visit)).digest
    return response


def _page(visit: Visit, node: Project, *, last: datetime | None) -> Mapping[str, Any]:
    question = question_asked(visit, node)
    if last is None:
        return {}
    return {
        **window_frame(question),
        "charts": [shown_chart(question, kind) for kind in KINDS],
        "quality_score": f"{question.figure('dataQuality', {}).score:.1%}",
        "is_before": last < question.window.start,
        "facts_read": f"{question.reading.raw_rows:,}",
    }
