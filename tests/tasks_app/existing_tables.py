"""Tables of the product that are older than LedgeredTable, as it would make them, and where they differ, with the reason."""

from collections.abc import Mapping

from tasks_app.ledgered_table import GROWS, Kind, LedgeredTable
from tasks_app.policies import LEDGER_ROLE, Reference

READ_BY_LEDGER = {LEDGER_ROLE: "SELECT"}
CHANGED_BY_REQUESTS = {"fl_tenant": "INSERT, UPDATE", "fl_worker": "INSERT, UPDATE", **READ_BY_LEDGER}
CHANGED_BY_TRIGGERS_TOO = {**CHANGED_BY_REQUESTS, LEDGER_ROLE: "SELECT, INSERT, UPDATE"}
FORGETTABLE = {"fl_tenant": "INSERT, UPDATE, DELETE", "fl_worker": "INSERT, UPDATE, DELETE"}
MADE_BY_WORKER = {"fl_worker": "INSERT, UPDATE, DELETE"}
SIGNED_BY_NAME = {"fl_tenant": "INSERT, UPDATE (name)", "fl_worker": "INSERT, UPDATE (name)"}
STAGES_CHANGED = "UPDATE (stage, percent, version, changed_at, cause, overridden, reason)"

TABLES: Mapping[str, tuple[LedgeredTable, ...]] = {
    "tasks_app": (
        LedgeredTable("ApiKey", Kind.PLAIN, grants=CHANGED_BY_REQUESTS),
        LedgeredTable("Actor", Kind.PLAIN, grants={**SIGNED_BY_NAME, LEDGER_ROLE: "SELECT, INSERT, UPDATE"}),
        LedgeredTable("Membership", Kind.PLAIN, grants=CHANGED_BY_REQUESTS),
        LedgeredTable("Project", Kind.PLAIN, grants=CHANGED_BY_TRIGGERS_TOO),
        LedgeredTable("WorkflowState", Kind.PLAIN, grants=CHANGED_BY_REQUESTS),
        LedgeredTable(
            "Task",
            Kind.PLAIN,
            grants=CHANGED_BY_TRIGGERS_TOO,
            references=(
                Reference("task", "project_id", "project"),
                Reference("task", "project_id, state_id", "workflow_state", "project_id, id", at_once=True),
                Reference("task", "assignee_id", "actor", at_once=True),
            ),
        ),
        LedgeredTable("TaskWords", Kind.WORDS, grants={LEDGER_ROLE: "SELECT, INSERT"}),
        LedgeredTable("DeletedTask", Kind.WORDS, grants={LEDGER_ROLE: "SELECT, INSERT"}),
        LedgeredTable(
            "FactNote",
            Kind.WORDS,
            grants={"fl_tenant": "INSERT", "fl_worker": "INSERT", **READ_BY_LEDGER},
            checks_tenant=False,
        ),
        LedgeredTable("TaskLedger", Kind.STATE_LEDGER, tail="TaskTail", feed=True),
        LedgeredTable("DefinitionLedger", Kind.STATE_LEDGER, feed=True),
        LedgeredTable("AccessLedger", Kind.STATE_LEDGER),
        LedgeredTable("ReportedEvent", Kind.APPEND_ONLY, grants=READ_BY_LEDGER, settings=GROWS, checks_tenant=False),
        LedgeredTable("ClientMutation", Kind.PLAIN, grants={**FORGETTABLE, **READ_BY_LEDGER}),
        LedgeredTable("KeptResponse", Kind.PLAIN, grants=FORGETTABLE),
        LedgeredTable("TenantPlan", Kind.PLAIN),
        LedgeredTable("ServiceDay", Kind.DERIVED, settings={"fillfactor": 50}),
        LedgeredTable("ServiceMinute", Kind.DERIVED, settings={"fillfactor": 50}),
    ),
    "analytics": (
        LedgeredTable("Folded", Kind.DERIVED, checks_tenant=True),
        LedgeredTable("RollupBasis", Kind.DERIVED, checks_tenant=True),
        LedgeredTable("KeptSince", Kind.DERIVED, checks_tenant=True),
        LedgeredTable("Retention", Kind.DERIVED, checks_tenant=True),
        LedgeredTable("TaskRollup", Kind.DERIVED, settings={"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.05}),
        LedgeredTable("TaskFact", Kind.DERIVED),
        LedgeredTable("TaskCorrection", Kind.DERIVED),
        LedgeredTable("TaskItem", Kind.DERIVED),
        LedgeredTable(
            "AnalyticsJob", Kind.PLAIN, grants={"fl_tenant": "UPDATE (state, finished_at)", **MADE_BY_WORKER}
        ),
        LedgeredTable("DriftDue", Kind.PLAIN, grants=MADE_BY_WORKER),
        LedgeredTable("DriftComparison", Kind.DERIVED, checks_tenant=True),
        LedgeredTable("DriftCount", Kind.DERIVED, checks_tenant=True),
        LedgeredTable("DriftRest", Kind.DERIVED, checks_tenant=True),
        LedgeredTable("DriftRule", Kind.APPEND_ONLY),
        LedgeredTable(
            "DriftRuleEnd", Kind.APPEND_ONLY, references=(Reference("drift_rule_end", "rule_id", "drift_rule"),)
        ),
        LedgeredTable("LegacyDailyMetric", Kind.DERIVED, checks_tenant=True),
        LedgeredTable(
            "LegacyEndpoint", Kind.PLAIN, grants={"fl_worker": "UPDATE (called_on, calls, failures, open_until)"}
        ),
        LedgeredTable("DriftStage", Kind.PLAIN, grants={"fl_tenant": STAGES_CHANGED, "fl_worker": "INSERT, UPDATE"}),
        LedgeredTable("DriftGate", Kind.APPEND_ONLY, grants={"fl_worker": "INSERT"}),
        LedgeredTable("DriftDrill", Kind.APPEND_ONLY, grants={"fl_worker": "INSERT"}),
        LedgeredTable("DriftStageChange", Kind.STATE_LEDGER),
    ),
}

# What the operation refuses to make, though it is there: a trigger draws an int as identity (see citus_exceptions.toml).
REFUSED = {"Actor": "id", "Project": "id", "Task": "id", "TaskWords": "id", "DeletedTask": "id"}

# Where a table is otherwise than its copy: (aspect, the beginning of the text). What triggers a model has of its own comes by
# AddTrigger, as makemigrations writes it.
Difference = tuple[str, str]
# On Citus such a grant fails (see citus_exceptions.toml): the operation refuses to write one.
BY_COLUMNS: Difference = ("grants of columns", "fl_tenant INSERT ")
DIFFERENCES: Mapping[str, frozenset[Difference]] = {
    "reported_event": frozenset(
        {
            BY_COLUMNS,
            ("grants of columns", "fl_worker INSERT "),
            # Checks that the model does not declare; a new model would.
            ("constraints", "reported_event_kind CHECK "),
            ("constraints", "reported_event_target CHECK "),
            ("constraints", "reported_event_instant CHECK "),
        }
    ),
    "analytics_job": frozenset({BY_COLUMNS}),
    "drift_due": frozenset({BY_COLUMNS}),
    "drift_gate": frozenset({BY_COLUMNS}),
    "drift_stage": frozenset({BY_COLUMNS}),
    # UNLOGGED, for a crash may take it: the one table of its kind.
    "service_minute": frozenset({("security", "t t ")}),
}
