"""Percentiles from bins: near enough, and the same whichever way the values were added up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.flow.figures import durations
from analytics.pure import histogram
from analytics.pure.histogram import BINS, ERROR, Histogram, PercentileMethod, counted, method_of

MICROSECONDS_OF_A_CENTURY = 100 * 366 * 86_400 * 1_000_000
VALUES = st.lists(st.one_of(st.integers(0, 3_000), st.integers(0, MICROSECONDS_OF_A_CENTURY)), max_size=40)
# A value that lies at the end of a bin is as far from what stands for it as any, and floats are not exact.
ALLOWED = ERROR + 1e-9


def of(values: list[int]) -> Histogram:
    return histogram.histogram(np.array(values, dtype=np.int64))


def told(found: Histogram) -> tuple[list[int], int]:
    return found.counts.tolist(), found.longest


@given(values=VALUES, percent=st.integers(1, 100))
def test_a_percentile_is_within_one_per_cent_of_the_value_at_its_rank(values: list[int], percent: int) -> None:
    """Or a microsecond, to which it is rounded; and never above all of them."""
    found, exact = of(values).percentile(percent), durations.percentile(sorted(values), percent)
    if exact is None or found is None:
        assert (exact, found) == (None, None)
    else:
        assert abs(found - exact) <= ALLOWED * exact + 1
        assert found <= max(values)


@given(values=st.lists(VALUES, min_size=3, max_size=3))
def test_histograms_add_up_in_any_order(values: list[list[int]]) -> None:
    first, second, third = map(of, values)
    whole = told(of([value for part in values for value in part]))
    assert told(first.merged(second).merged(third)) == whole
    assert told(first.merged(second.merged(third))) == whole
    assert told(third.merged(first).merged(second)) == whole


@given(values=VALUES)
def test_bins_that_are_counted_elsewhere_are_the_same(values: list[int]) -> None:
    found = of(values)
    filled = np.flatnonzero(found.counts)
    counts = found.counts[filled]
    again = counted(bins=filled.tolist(), counts=counts.tolist(), longest=found.longest)
    assert told(again) == told(found)


@pytest.mark.parametrize("value", [0, 1, 2, 999_999, 86_400_000_000, MICROSECONDS_OF_A_CENTURY, 2**63 - 1])
def test_any_time_has_a_bin(value: int) -> None:
    """The number of bins is that of the longest time there can be, whatever the values."""
    found = of([value])
    assert len(found.counts) == BINS
    assert found.counts.sum() == 1


def test_the_limit_is_twenty_thousand_values() -> None:
    assert method_of(20_000) is PercentileMethod.EXACT
    assert method_of(20_001) is PercentileMethod.HISTOGRAM
