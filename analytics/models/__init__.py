"""Derived tables, all of which can be rebuilt from the ledgers, the jobs that read them, and what the dual run keeps."""

from analytics.models.analytics_job import AnalyticsJob, JobState
from analytics.models.drift import DriftComparison, DriftCount, DriftDue, DriftRest, DriftRule, DriftRuleEnd
from analytics.models.drift_stages import DriftDrill, DriftGate, DriftStage, DriftStageChange, StageCause
from analytics.models.folded import Folded, Heartbeat, KeptSince, Retention, RollupBasis
from analytics.models.items import TaskCorrection, TaskFact, TaskItem
from analytics.models.legacy import CutoffRule, LegacyDailyMetric, LegacyEndpoint
from analytics.models.task_rollup import TaskRollup

__all__ = [
    "AnalyticsJob",
    "CutoffRule",
    "DriftComparison",
    "DriftCount",
    "DriftDrill",
    "DriftDue",
    "DriftGate",
    "DriftRest",
    "DriftRule",
    "DriftRuleEnd",
    "DriftStage",
    "DriftStageChange",
    "Folded",
    "Heartbeat",
    "JobState",
    "KeptSince",
    "LegacyDailyMetric",
    "LegacyEndpoint",
    "Retention",
    "RollupBasis",
    "StageCause",
    "TaskCorrection",
    "TaskFact",
    "TaskItem",
    "TaskRollup",
]
