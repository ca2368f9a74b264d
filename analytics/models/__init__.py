"""Derived tables. All of them can be rebuilt from the ledgers."""

from analytics.models.folded import Folded, Heartbeat, RollupBasis
from analytics.models.items import TaskCorrection, TaskFact, TaskItem
from analytics.models.task_rollup import TaskRollup

__all__ = ["Folded", "Heartbeat", "RollupBasis", "TaskCorrection", "TaskFact", "TaskItem", "TaskRollup"]
