"""Latency histogram: times as a few counts, in bins that are the same for ever, so that any two can be added up."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, zip_longest
from typing import Final

# Seconds. A time counts in the first step that is not below it; the last count is of what is beyond all of them.
STEPS: Final = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)

# Counts by step. Nothing counted is an empty one.
Spread = tuple[int, ...]


def of(seconds: float) -> Spread:
    """One time."""
    return (*(0,) * bisect_left(STEPS, seconds), 1)


def plus(one: Sequence[int], other: Sequence[int]) -> Spread:
    """Both together."""
    return tuple(left + right for left, right in zip_longest(one, other, fillvalue=0))


def within(spread: Sequence[int], *, share: float) -> float | None:
    """The least step within which at least that share of the times is: never too low. None beyond the last, or of nothing."""
    total = sum(spread)
    if not total:
        return None
    reached = (step for step, count in zip(STEPS, accumulate(spread), strict=False) if count >= share * total)
    return next(reached, None)
