"""Parity with its bound, coverage, and how much of it the older side spoiled: what many comparisons prove."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p
from typing import Final

from analytics.drift.arithmetic.verdicts import GOOD, LEFT_OUT, Verdict

CONFIDENCE: Final = 0.95
# Halvings of [0, 1]: beyond these a float has no more digits.
HALVINGS: Final = 60
TERMS: Final = 10_000
TINY: Final = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """`parity` and `lower_bound` are None while nothing is conclusive. `lower_bound`: one-sided, 95 %, Clopper-Pearson."""

    attempts: int
    conclusive: int
    good: int
    parity: float | None
    lower_bound: float | None
    coverage: float
    legacy_errors: float
    by_verdict: Mapping[Verdict, int]


def parity_of(counts: Mapping[Verdict, int]) -> Parity:
    """Of comparisons by their verdicts. Our errors count against us; what the older side spoiled is left out and shown."""
    attempts = sum(counts.values())
    conclusive = attempts - sum(counts.get(each, 0) for each in LEFT_OUT)
    good = sum(counts.get(each, 0) for each in GOOD)
    return Parity(
        attempts=attempts,
        conclusive=conclusive,
        good=good,
        parity=good / conclusive if conclusive else None,
        lower_bound=lower_bound(good=good, of=conclusive) if conclusive else None,
        coverage=conclusive / attempts if attempts else 0.0,
        legacy_errors=counts.get(Verdict.LEGACY_ERROR, 0) / attempts if attempts else 0.0,
        by_verdict={verdict: counts.get(verdict, 0) for verdict in Verdict},
    )


def worst(strata: Mapping[str, Mapping[Verdict, int]]) -> str | None:
    """The stratum with the lowest bound, so that a few comparisons prove little; None where nothing is conclusive."""
    bounds = {name: parity_of(counts).lower_bound for name, counts in strata.items()}
    known = [(bound, name) for name, bound in bounds.items() if bound is not None]
    return min(known)[1] if known else None


def added(counts: Iterable[tuple[Verdict, int]]) -> dict[Verdict, int]:
    """The counts by verdict, summed up."""
    found: dict[Verdict, int] = {}
    for verdict, count in counts:
        found[verdict] = found.get(verdict, 0) + count
    return found


def lower_bound(*, good: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The least share that is good, with that confidence: `good` or more of `of` would be rarer below it.

    Exact for any size: found by halving, on the binomial's tail.
    """
    if not 0 <= good <= of or of == 0:
        raise ValueError(f"good: {good} of {of} is no share; give 0 to {of} of at least 1.")
    if good == 0:
        return 0.0
    rare = 1 - confidence
    if good == of:
        return float(rare ** (1 / of))
    low, high = 0.0, good / of
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if tail(at_least=good, of=of, share=middle) < rare:
            low = middle
        else:
            high = middle
    return low


def tail(*, at_least: int, of: int, share: float) -> float:
    """How likely at least so many of so many are, each with that share: the regularised incomplete beta function."""
    if at_least <= 0:
        return 1.0
    if share <= 0 or share >= 1:
        return float(share >= 1)
    a, b = float(at_least), float(of - at_least + 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(share) + b * log1p(-share))
    # The fraction converges fast on one side of the peak; on the other the complement is summed.
    if share < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, share) / a
    return 1 - front * _fraction(b, a, 1 - share) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found, before = d, inf
    for term in range(1, TERMS):
        even = term * (b - term) * x / ((a + 2 * term - 1) * (a + 2 * term))
        odd = -(a + term) * (a + b + term) * x / ((a + 2 * term) * (a + 2 * term + 1))
        for part in (even, odd):
            d = 1 / _away(1 + part * d)
            c = _away(1 + part / c)
            found *= d * c
        if abs(found - before) <= 1e-15 * abs(found):
            break
        before = found
    return found


def _away(value: float) -> float:
    """Not 0, which nothing can be divided by."""
    return value if abs(value) > TINY else TINY
