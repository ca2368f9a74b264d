"""Which pages there are: those of the wings, and those that are no family's."""

from functools import partial

from analytics.admin.comparisons import comparisons_csv
from analytics.admin.dual_run import dual_run
from analytics.admin.jobs import jobs
from analytics.admin.levels import service_levels
from analytics.admin.limits import limits
from analytics.admin.months import restated_months
from analytics.drift.tables import COMPARISONS, DIFFERENCES
from analytics.engine.wings import wings
from tasks_app.admin.pages import Page

PAGES = (
    *(page for wing in wings() for page in wing.pages),
    Page(route="levels/", name="service_levels", view=service_levels, label="Service levels"),
    Page(route="limits/", name="limits", view=limits, label="Limits"),
    Page(route="jobs/", name="jobs", view=jobs, label="Jobs"),
    Page(route="dual-run/", name="dual_run", view=dual_run, label="Dual run"),
    Page(route="dual-run/months/", name="restated_months", view=restated_months),
    *(
        Page(route=f"dual-run/{table.name}.csv", name=f"{table.name}_csv", view=partial(comparisons_csv, table=table))
        for table in (COMPARISONS, DIFFERENCES)
    ),
)
