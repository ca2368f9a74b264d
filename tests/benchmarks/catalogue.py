"""Every benchmark by its name. A new one is a function from a Request to its outcomes, and a line here."""

from tests.benchmarks.bulk import ledger_bulk_fresh, ledger_bulk_warmed
from tests.benchmarks.cfd import cfd_growth, cfd_rollup
from tests.benchmarks.doors import auth_context, http_throughput
from tests.benchmarks.dual_run import compare, drift_recall, parity_read
from tests.benchmarks.figures import dashboard, flow_figures
from tests.benchmarks.folding import compact_rate
from tests.benchmarks.forecasts import forecast
from tests.benchmarks.forms.run import ledger_forms
from tests.benchmarks.jobs import job_decisions, jobs_rate
from tests.benchmarks.limiter import limiter_rate
from tests.benchmarks.logs import cfd_raw, import_rate
from tests.benchmarks.memory import web_memory
from tests.benchmarks.outcomes import Benchmark
from tests.benchmarks.overhead import graphql_overhead
from tests.benchmarks.pages import deep_page
from tests.benchmarks.pinned import pinned_days
from tests.benchmarks.saving import ledger_save
from tests.benchmarks.shadow import shadow_overhead
from tests.benchmarks.sizes import ledger_bytes
from tests.benchmarks.summaries import user_summary
from tests.benchmarks.tails import tail_cost

BENCHMARKS: dict[str, Benchmark] = {
    "ledger_save": ledger_save,
    "ledger_bulk_fresh": ledger_bulk_fresh,
    "ledger_bulk_warmed": ledger_bulk_warmed,
    "ledger_bytes": ledger_bytes,
    "import_rate": import_rate,
    "cfd_raw": cfd_raw,
    "deep_page": deep_page,
    "ledger_forms": ledger_forms,
    "cfd_rollup": cfd_rollup,
    "cfd_growth": cfd_growth,
    "compact_rate": compact_rate,
    "graphql_overhead": graphql_overhead,
    "user_summary": user_summary,
    "tail_cost": tail_cost,
    "web_memory": web_memory,
    "forecast": forecast,
    "job_decisions": job_decisions,
    "jobs_rate": jobs_rate,
    "flow_figures": flow_figures,
    "dashboard": dashboard,
    "compare": compare,
    "parity_read": parity_read,
    "shadow_overhead": shadow_overhead,
    "pinned_days": pinned_days,
    "drift_recall": drift_recall,
    "limiter_rate": limiter_rate,
    "auth_context": auth_context,
    "http_throughput": http_throughput,
}
