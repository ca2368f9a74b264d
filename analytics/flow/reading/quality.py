"""Data quality, how far the record of a window can be trusted: its odd facts by check, and the share of items without any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.flow.figures.workflow import Workflows
from analytics.flow.replay import quality as replay
from analytics.flow.replay.flow import Scope
from analytics.flow.replay.task_names import ItemName, names_of


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCheck:
    """What was looked for, how often it was found, and the first items in which it was, by their names."""

    code: str
    title: str
    failures: int
    items: Sequence[ItemName]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """Of `items` with a fact in the window `failing` have a failure."""

    items: int
    failing: int
    checks: Sequence[QualityCheck]

    @property
    def score(self) -> float:
        """The share of items without a failure; 1 where there are none."""
        return 1.0 - self.failing / self.items if self.items else 1.0


def data_quality(*, scope: Scope, begin: datetime, workflows: Workflows) -> tuple[DataQuality, int]:
    """The checks, and how many facts were read for them."""
    counted = replay.quality(scope=scope, begin=begin, workflows=workflows)
    ids = {task for found in counted.checks.values() for task in found.task_ids}
    names = names_of(tenant_id=scope.tenant_id, task_ids=sorted(ids))
    checks = [
        QualityCheck(
            code=check.code,
            title=check.title,
            failures=counted.checks[check.code].failures,
            items=sorted(
                (names[task] for task in counted.checks[check.code].task_ids if task in names),
                key=lambda name: name.identity,
            ),
        )
        for check in replay.CHECKS
    ]
    return DataQuality(items=counted.items, failing=counted.failing, checks=checks), counted.facts
