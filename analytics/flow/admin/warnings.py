"""Warnings beside charts: which checks of the data touch which chart, and what is said when one of them fails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.engine.pages.chart import Warned
from analytics.engine.pages.question import ChartQuestion
from analytics.flow.reading.quality import DataQuality, QualityCheck
from analytics.flow.replay.quality import MOST_KEYS

MOST_NAMED: Final = 5

# What is wrong with any chart: an item may be in another state than the one that it is shown in, or at another time.
ANY_CHART: Final = ("IMPOSSIBLE_ORDER", "MISSING_BASELINE", "CHAIN_BREAK", "REPLAY_DIFFERS", "FUTURE_TIMESTAMP")

# What the items did, after their number.
DID: Final[Mapping[str, str]] = {
    "FINISH_WITHOUT_START": "came to done and never were in progress",
    "CHANGE_AFTER_DONE": "left done again",
    "BACKWARD_MOVE": "moved back",
    "SKIPPED_STATE": "skipped a state",
    "CREATED_BEYOND_FIRST": "began beyond the first state",
    "IMPOSSIBLE_ORDER": "had a fact that cannot follow the one before it",
    "EQUAL_TIMESTAMPS": "changed state twice at one instant",
    "MISSING_BASELINE": "had no fact that says where they began",
    "CHAIN_BREAK": "had a fact whose old value is not the new one before it",
    "REPLAY_DIFFERS": "had a row that is not what its facts say",
    "FUTURE_TIMESTAMP": "had a fact that was recorded before it happened",
}


@dataclass(frozen=True, slots=True)
class Doubts:
    """What is to be known of a chart's data: of the checks that touch it, those that found something."""

    codes: Sequence[str]

    def __call__(self, question: ChartQuestion) -> list[Warned]:
        """The lines beside the chart."""
        quality: DataQuality = question.figure("dataQuality", {})
        return list(_warned(self.codes, {check.code: check for check in quality.checks}))


def doubts(*codes: str) -> Doubts:
    """Of a chart that these checks touch, beside those that touch any."""
    return Doubts((*ANY_CHART, *codes))


def _warned(codes: Sequence[str], checks: Mapping[str, QualityCheck]) -> Iterator[Warned]:
    for check in (checks[code] for code in codes if checks[code].failures):
        count = len(check.items)
        items = f"{count:,} items" if count > 1 else "1 item"
        # The check names so many at most; how many more there are is not known here.
        number = f"{items} or more" if count >= MOST_KEYS else items
        keys = [item.key for item in check.items]
        yield Warned(words=f"{number} {DID[check.code]}", keys=keys[:MOST_NAMED], more=count > MOST_NAMED)
