"""Derived tables, all of which can be rebuilt from the ledgers, and the jobs that read them."""

from analytics.models.analytics_job import AnalyticsJob, JobState
from analytics.models.folded import Folded, Heartbeat, RollupBasis
from analytics.models.items import TaskCorrection, TaskFact, TaskItem
from analytics.models.task_rollup import TaskRollup

__all__ = [
    "AnalyticsJob",
    "Folded",
    "Heartbeat",
    "JobState",
    "RollupBasis",
    "TaskCorrection",
    "TaskFact",
    "TaskItem",
    "TaskRollup",
]
