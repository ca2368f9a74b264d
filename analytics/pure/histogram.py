"""Histogram percentiles of many values: each within 1 % of the one of them that it stands for. No clock, no database.

Bins are as wide as their values are long (DDSketch, VLDB 2019), so that counts of different times and places can be added up.
Values are whole microseconds; what is rounded to them may be off by one more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, exp, log
from typing import Final

import numpy as np

from analytics.pure.spans import Numbers

# Up to so many values each percentile is one of them.
MOST_EXACT: Final = 20_000
ERROR: Final = 0.01
WIDTH: Final = log((1 + ERROR) / (1 - ERROR))
# The first is of 0; the last holds the longest time that there is.
BINS: Final = 2 + ceil(log(2**63) / WIDTH)


class PercentileMethod(StrEnum):
    """EXACT: one of the values. HISTOGRAM: within 1 % of one of them, where there are more than 20,000."""

    EXACT = "EXACT"
    HISTOGRAM = "HISTOGRAM"


def method_of(count: int) -> PercentileMethod:
    """How percentiles of so many values are told."""
    return PercentileMethod.EXACT if count <= MOST_EXACT else PercentileMethod.HISTOGRAM


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How many values fell in each bin, and the longest of all."""

    counts: Numbers
    longest: int

    def merged(self, other: "Histogram") -> "Histogram":
        """That of the values of both."""
        return Histogram(self.counts + other.counts, max(self.longest, other.longest))

    def percentile(self, percent: int) -> int | None:
        """The value at the nearest rank; None of none."""
        below = np.cumsum(self.counts)
        rank = max(-(-percent * int(below[-1]) // 100), 1)
        if rank > below[-1]:
            return None
        return min(_value_in(int(np.searchsorted(below, rank))), self.longest)


def histogram(values: Numbers) -> Histogram:
    """That of the values, none of them negative."""
    longer = values[values > 0]
    bins = 1 + np.ceil(np.log(longer) / WIDTH).astype(np.int64)
    counts = np.bincount(bins, minlength=BINS)
    counts[0] = len(values) - len(longer)
    return Histogram(counts, int(values.max(initial=0)))


def counted(*, bins: Sequence[int], counts: Sequence[int], longest: int) -> Histogram:
    """From the numbers of bins, as BIN of analytics.flow.replay.durations has them, and how many values are in each."""
    whole = np.zeros(BINS, dtype=np.int64)
    whole[list(bins)] = counts
    return Histogram(whole, longest)


def _value_in(number: int) -> int:
    """What stands for the values of a bin: no further from its lower than from its upper end, in proportion."""
    return round(2 * exp(WIDTH * (number - 1)) / (1 + exp(WIDTH))) if number else 0
