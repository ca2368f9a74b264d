"""Every audit by its name. A new one is a function from a Request to its finding, and a line here."""

from tests.audits.cross_tenant_fuzz import cross_tenant_fuzz
from tests.audits.demotion import demotion
from tests.audits.drill_rollback import drill_rollback
from tests.audits.findings import Audit
from tests.audits.graphql_http import graphql_http
from tests.audits.kill_compactor import kill_compactor
from tests.audits.kill_jobs import kill_jobs
from tests.audits.legacy_days import legacy_days
from tests.audits.legacy_log import legacy_log
from tests.audits.load import load
from tests.audits.schemathesis_run import schemathesis

AUDITS: dict[str, Audit] = {
    "kill_compactor": kill_compactor,
    "kill_jobs": kill_jobs,
    "graphql_http": graphql_http,
    "cross_tenant_fuzz": cross_tenant_fuzz,
    "schemathesis": schemathesis,
    "load": load,
    "legacy_days": legacy_days,
    "legacy_log": legacy_log,
    "drill_rollback": drill_rollback,
    "demotion": demotion,
}
