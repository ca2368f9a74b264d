"""Which pages there are."""

from analytics.admin.board import board, board_csv
from analytics.admin.charts import flow, flow_csv, flow_svg
from analytics.admin.ledger import ledger, ledger_csv
from analytics.admin.tasks import task, task_csv
from tasks_app.admin.pages import Page

PAGES = (
    Page(route="ledger/", name="ledger", view=ledger, label="Ledger"),
    Page(route="ledger.csv", name="ledger_csv", view=ledger_csv),
    Page(route="tasks/<str:key>/", name="task", view=task),
    Page(route="tasks/<str:key>.csv", name="task_csv", view=task_csv),
    Page(route="projects/<str:project>/board/", name="board", view=board, label="Board", of_project=True),
    Page(route="projects/<str:project>/board.csv", name="board_csv", view=board_csv),
    Page(route="projects/<str:project>/flow/", name="flow", view=flow, label="Cumulative flow", of_project=True),
    Page(route="projects/<str:project>/flow.csv", name="flow_csv", view=flow_csv),
    Page(route="projects/<str:project>/flow.svg", name="flow_svg", view=flow_svg),
)
