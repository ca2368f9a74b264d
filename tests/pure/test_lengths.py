"""Lengths of time in words, and the round ones of an axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pure.lengths import STEPS, duration_text, duration_ticks, short_duration

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (0, "0 s", "0 s"),
        (0.9, "0 s", "0 s"),
        (61, "1 min 1 s", "1 min 1 s"),
        (3_600, "1 h", "1 h"),
        (3 * DAY + 4 * 3_600 + 59, "3 d 4 h", "3 d 4 h"),
        (12 * DAY + 23 * 3_600, "12 d 23 h", "12 d"),
        (23 * 3_600 + 59 * 60, "23 h 59 min", "23 h"),
        (1_234 * DAY, "1,234 d", "1,234 d"),
    ],
)
def test_lengths_in_words(seconds: float, long: str, short: str) -> None:
    """Never more than there is: both are cut, not rounded, so that one number has one text beside another."""
    assert (duration_text(seconds), short_duration(seconds)) == (long, short)


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        (0, [0, 1]),
        (4 * 60, [0, 60, 120, 180, 240]),
        (DAY, [0, 6 * 3_600, 12 * 3_600, 18 * 3_600, DAY]),
        (9 * DAY, [0, 2 * DAY, 4 * DAY, 6 * DAY, 8 * DAY, 10 * DAY]),
    ],
)
def test_axes_have_round_lengths(largest: float, expected: list[int]) -> None:
    assert duration_ticks(largest=largest) == expected


@given(st.floats(0, 10**10), st.integers(3, 9))
def test_an_axis_reaches_what_it_has_to(largest: float, wanted: int) -> None:
    """In even steps of a round length, the last of which is the first at or above it."""
    ticks = duration_ticks(largest=largest, wanted=wanted)
    assert ticks[1] in STEPS
    assert ticks == [ticks[1] * number for number in range(len(ticks))]
    assert len(ticks) <= wanted + 1
    assert ticks[-2] < max(largest, 1) <= ticks[-1]
