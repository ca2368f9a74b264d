"""Which pages there are."""

from collections.abc import Iterator
from functools import partial

from analytics.admin.comparisons import comparisons_csv
from analytics.admin.dual_run import dual_run
from analytics.admin.jobs import jobs
from analytics.admin.levels import service_levels
from analytics.admin.limits import limits
from analytics.admin.months import restated_months
from analytics.drift.tables import COMPARISONS, DIFFERENCES
from analytics.flow.admin.board import board, board_csv
from analytics.flow.admin.cfd import flow
from analytics.flow.admin.charts import KINDS, chart_csv, chart_svg, charts
from analytics.flow.admin.ledger import ledger, ledger_csv
from analytics.flow.admin.question import ChartKind
from analytics.flow.admin.tasks import task, task_csv
from tasks_app.admin.pages import Page


def _files(kind: ChartKind) -> Iterator[Page]:
    route = f"projects/<str:project>/{kind.slug}"
    yield Page(route=f"{route}.csv", name=kind.csv_page, view=partial(chart_csv, kind=kind))
    yield Page(route=f"{route}.svg", name=kind.svg_page, view=partial(chart_svg, kind=kind))


PAGES = (
    Page(route="ledger/", name="ledger", view=ledger, label="Ledger"),
    Page(route="ledger.csv", name="ledger_csv", view=ledger_csv),
    Page(route="levels/", name="service_levels", view=service_levels, label="Service levels"),
    Page(route="limits/", name="limits", view=limits, label="Limits"),
    Page(route="jobs/", name="jobs", view=jobs, label="Jobs"),
    Page(route="dual-run/", name="dual_run", view=dual_run, label="Dual run"),
    Page(route="dual-run/months/", name="restated_months", view=restated_months),
    *(
        Page(route=f"dual-run/{table.name}.csv", name=f"{table.name}_csv", view=partial(comparisons_csv, table=table))
        for table in (COMPARISONS, DIFFERENCES)
    ),
    Page(route="tasks/<str:key>/", name="task", view=task),
    Page(route="tasks/<str:key>.csv", name="task_csv", view=task_csv),
    Page(route="projects/<str:project>/", name="charts", view=charts, label="Charts", of_project=True),
    Page(route="projects/<str:project>/board/", name="board", view=board, label="Board", of_project=True),
    Page(route="projects/<str:project>/board.csv", name="board_csv", view=board_csv),
    Page(route="projects/<str:project>/flow/", name="flow", view=flow, label="Cumulative flow", of_project=True),
    *(page for kind in KINDS for page in _files(kind)),
)
