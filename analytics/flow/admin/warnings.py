"""Which checks of the data touch which chart, and what stands beside a chart when one of them fails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.flow.reading.quality import DataQuality, QualityCheck
from analytics.flow.replay.quality import MOST_KEYS

MOST_NAMED: Final = 5

# What is wrong with any chart: an item may be in another state than the one that it is shown in, or at another time.
ANY_CHART: Final = ("IMPOSSIBLE_ORDER", "MISSING_BASELINE", "CHAIN_BREAK", "REPLAY_DIFFERS", "FUTURE_TIMESTAMP")

# By the slug of the chart.
TOUCHED: Final[Mapping[str, Sequence[str]]] = {
    # A band that was skipped is thinner, a line that was gone back from stays where it was.
    "flow": (*ANY_CHART, "BACKWARD_MOVE", "CHANGE_AFTER_DONE", "SKIPPED_STATE", "CREATED_BEYOND_FIRST"),
    # A finish that was undone moves to another bucket, or to none.
    "throughput": (*ANY_CHART, "CHANGE_AFTER_DONE", "FINISH_WITHOUT_START"),
    # A start that nobody saw has no time; what went back has more than work in it.
    "cycle-time": (
        *ANY_CHART,
        "FINISH_WITHOUT_START",
        "CREATED_BEYOND_FIRST",
        "CHANGE_AFTER_DONE",
        "BACKWARD_MOVE",
        "EQUAL_TIMESTAMPS",
    ),
    # A state that was skipped has no visit, one at the same instant as the next a visit of no length.
    "time-in-state": (*ANY_CHART, "SKIPPED_STATE", "EQUAL_TIMESTAMPS", "CREATED_BEYOND_FIRST", "BACKWARD_MOVE"),
    # An age counts from the first start, whatever was done since.
    "aging": (*ANY_CHART, "CHANGE_AFTER_DONE", "CREATED_BEYOND_FIRST", "BACKWARD_MOVE"),
}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One line beside a chart: how many items did what, and the first of them by their keys."""

    words: str
    keys: Sequence[str]
    more: bool


def warnings_of(slug: str, *, quality: DataQuality) -> list[Warned]:
    """Of the checks that touch the chart of that slug, those that found something."""
    return list(_warned(TOUCHED[slug], {check.code: check for check in quality.checks}))


def _warned(codes: Sequence[str], checks: Mapping[str, QualityCheck]) -> Iterator[Warned]:
    for check in (checks[code] for code in codes if checks[code].failures):
        count = len(check.items)
        items = f"{count:,} items" if count > 1 else "1 item"
        # The check names so many at most; how many more there are is not known here.
        number = f"{items} or more" if count >= MOST_KEYS else items
        keys = [item.key for item in check.items]
        yield Warned(words=f"{number} {DID[check.code]}", keys=keys[:MOST_NAMED], more=count > MOST_NAMED)
