"""Pages of flow on the auditors' site."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from analytics.engine.pages.chart import ChartKind
from analytics.flow.admin.board import board, board_csv
from analytics.flow.admin.cfd import flow
from analytics.flow.admin.charts import KINDS, chart_csv, chart_svg, charts
from analytics.flow.admin.ledger import ledger, ledger_csv
from analytics.flow.admin.question import Question
from analytics.flow.admin.tasks import task, task_csv
from tasks_app.admin.pages import Page


def _files(kind: ChartKind[Question]) -> Iterator[Page]:
    route = f"projects/<str:project>/{kind.slug}"
    yield Page(route=f"{route}.csv", name=kind.csv_page, view=partial(chart_csv, kind=kind))
    yield Page(route=f"{route}.svg", name=kind.svg_page, view=partial(chart_svg, kind=kind))


PAGES: Final = (
    Page(route="ledger/", name="ledger", view=ledger, label="Ledger"),
    Page(route="ledger.csv", name="ledger_csv", view=ledger_csv),
    Page(route="tasks/<str:key>/", name="task", view=task),
    Page(route="tasks/<str:key>.csv", name="task_csv", view=task_csv),
    Page(route="projects/<str:project>/", name="charts", view=charts, label="Charts", of_project=True),
    Page(route="projects/<str:project>/board/", name="board", view=board, label="Board", of_project=True),
    Page(route="projects/<str:project>/board.csv", name="board_csv", view=board_csv),
    Page(route="projects/<str:project>/flow/", name="flow", view=flow, label="Cumulative flow", of_project=True),
    *(page for kind in KINDS for page in _files(kind)),
)
