"""Comparators, verdicts and parity of the dual run."""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import comb
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.drift.arithmetic.comparing import (
    Comparator,
    Distribution,
    Exact,
    Fields,
    Keyed,
    Kind,
    Listed,
    Numeric,
    Ratio,
    compare,
)
from analytics.drift.arithmetic.parity import lower_bound, parity_of, tail, worst
from analytics.drift.arithmetic.verdicts import Direction, Evidence, Finding, Rule, Verdict, judged, overall, signature

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = Fields({"date": Exact(), "todo": Exact(), "done": Exact()})
DAYS = Fields({"days": Keyed("date", DAY)})


def day(date: str, todo: Any = 1, done: Any = 2) -> dict[str, Any]:
    return {"date": date, "todo": todo, "done": done}


def kinds(ours: Any, theirs: Any, by: Comparator) -> list[tuple[str, str]]:
    return [(each.path, each.kind.value) for each in compare(ours=ours, theirs=theirs, by=by)]


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (1, 2, Kind.VALUE),
        (0, None, Kind.NULL),
        (None, 0, Kind.NULL),
        (1, "1", Kind.TYPE),
        (1, True, Kind.TYPE),
        (math.nan, math.nan, Kind.NOT_FINITE),
        (math.inf, 1, Kind.NOT_FINITE),
        ("a", "b", Kind.VALUE),
    ],
)
def test_null_zero_and_other_types_are_different_things(ours: Any, theirs: Any, kind: Kind) -> None:
    """None is made of another, and what is no number is equal to nothing, itself included."""
    assert kinds({"x": ours}, {"x": theirs}, Fields({"x": Exact()})) == [("x", kind.value)]


def test_a_field_that_is_not_there_is_not_null() -> None:
    """Missing is ours, extra is theirs; null stays null."""
    assert kinds({}, {"x": None}, Fields({"x": Exact()})) == [("x", "MISSING")]
    assert kinds({"x": None}, {}, Fields({"x": Exact()})) == [("x", "EXTRA")]
    assert kinds({"x": None}, {"x": None}, Fields({"x": Exact()})) == []
    assert kinds({"x": 1}, {"x": 1, "y": 2}, Fields({"x": Exact()})) == [("y", "MISSING")]
    assert kinds({"x": 1}, {"x": 1, "y": 2}, Fields({"x": Exact()}, others=True)) == []


def test_numbers_may_differ_by_the_larger_allowance() -> None:
    """With a base of 0 a share is undefined: the absolute allowance is all there is."""
    assert kinds(0, 3, Numeric(relative=0.5)) == [("", "VALUE")]
    assert kinds(0, 3, Numeric(absolute=3)) == []
    assert kinds(100, 110, Numeric(relative=0.1)) == []
    assert kinds(100, 112, Numeric(relative=0.1)) == [("", "VALUE")]
    assert kinds(None, None, Numeric()) == []


def test_equal_quotients_of_other_parts_differ() -> None:
    """1/2 is not 2/4."""
    ours, theirs = ({"numerator": n, "denominator": d} for n, d in ((1, 2), (2, 4)))
    assert kinds(ours, theirs, Ratio()) == [("numerator", "VALUE"), ("denominator", "VALUE")]


def test_elements_are_told_apart_by_their_key() -> None:
    """A day that is missing makes one difference, not one for each day after it; a swap is one of order."""
    first, second, third = day("2026-03-01"), day("2026-03-02", todo=5), day("2026-03-03")
    both: dict[str, Any] = {"days": [first, second, third]}
    assert kinds({"days": [first, third]}, both, DAYS) == [("days[2026-03-02]", "MISSING")]
    assert kinds(both, {"days": [first, third]}, DAYS) == [("days[2026-03-02]", "EXTRA")]
    assert kinds({"days": [second, first, third]}, both, DAYS) == [("days", "ORDER")]
    assert kinds({"days": [first, first, second, third]}, both, DAYS) == [("days", "DOUBLE")]
    changed = compare(ours={"days": [first, day("2026-03-02", todo=6), third]}, theirs=both, by=DAYS)
    assert [(each.path, each.field, each.element, each.by) for each in changed] == [
        ("days[2026-03-02].todo", "days[].todo", "2026-03-02", 1.0)
    ]


def test_lists_and_quantiles() -> None:
    """A list that was cut off is shorter; a quantile may differ by its allowance, the number of observations by none."""
    assert kinds([1, 2], [1, 2, 3], Listed(Exact())) == [("", "LENGTH")]
    assert kinds([1, 3, 2], [1, 2, 3], Listed(Exact())) == [("[1]", "VALUE"), ("[2]", "VALUE")]
    ours, theirs = {"count": 9, "p50": 3, "p85": 7}, {"count": 9, "p50": 4, "p85": 9}
    assert kinds(ours, theirs, Distribution(1)) == [("p85", "VALUE")]
    assert kinds({**theirs, "count": 8}, theirs, Distribution(1)) == [("count", "VALUE")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["date", "todo", "days"]), inner),
    max_leaves=8,
)


@given(ours=json_values, theirs=json_values)
@settings(max_examples=60)
def test_whatever_comes_is_compared_and_nothing_is_raised(ours: Any, theirs: Any) -> None:
    """Bad input is a difference. An answer in the shape never differs from itself; another never equals it."""
    right = {"days": [day("2026-03-01")]}
    compare(ours=ours, theirs=theirs, by=DAYS)
    assert compare(ours=right, theirs=right, by=DAYS) == []
    assert theirs == right or compare(ours=right, theirs=theirs, by=DAYS) != []


RULE = Rule(
    field="days[].todo",
    direction=Direction.LOWER,
    bound=2,
    owner="ada@acme.example",
    reason="The old job counts archived states.",
    expires_at=NOW + timedelta(days=1),
)


def differing(ours: int, theirs: int) -> list[Any]:
    return compare(
        ours={"days": [day("2026-03-01", todo=ours)]}, theirs={"days": [day("2026-03-01", todo=theirs)]}, by=DAYS
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "at", "verdict"),
    [
        (5, 5, NOW, Verdict.MATCH),
        (3, 5, NOW, Verdict.EXPECTED_DIFFERENCE),
        (2, 5, NOW, Verdict.DRIFT),
        (6, 5, NOW, Verdict.DRIFT),
        (3, 5, NOW + timedelta(days=1), Verdict.DRIFT),
    ],
)
def test_an_expected_difference_has_a_direction_a_bound_and_an_end(
    ours: int, theirs: int, at: datetime, verdict: Verdict
) -> None:
    """Beyond any of them it is a drift again."""
    assert judged(differing(ours, theirs), rules=[RULE], at=at).verdict is verdict


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (Evidence(), Verdict.DRIFT),
        (Evidence(tolerated=True), Verdict.WITHIN_TOLERANCE),
        (Evidence(noisy=True, tolerated=True), Verdict.INCONCLUSIVE),
        (Evidence(cutoff_known=False), Verdict.INCONCLUSIVE),
        (Evidence(unrecorded=True), Verdict.DRIFT),
        (Evidence(unrecorded=True, empty=True), Verdict.INCONCLUSIVE),
    ],
)
def test_what_is_known_besides_decides_what_a_difference_is(evidence: Evidence, verdict: Verdict) -> None:
    """Noise proves nothing, not even a match."""
    assert judged(differing(1, 2), evidence=evidence, rules=[], at=NOW).verdict is verdict
    assert judged([], evidence=Evidence(noisy=True), rules=[], at=NOW).verdict is Verdict.INCONCLUSIVE


def test_the_gravest_element_is_the_verdict_on_the_answer() -> None:
    """A day that the older side slept through is no match, however many match."""
    match, slept = Finding(verdict=Verdict.MATCH, reason=None), Finding(verdict=Verdict.LEGACY_ERROR, reason="Nothing.")
    assert overall({"a": match, "b": slept}) == slept
    drift = judged(differing(1, 2), rules=[], at=NOW)
    found = overall({"a": drift, "b": slept, "c": drift})
    assert (found.verdict, found.reason) == (
        Verdict.DRIFT,
        "days[2026-03-01].todo: ours is 1, theirs 2. So it is for 2 of 3 elements.",
    )
    assert signature(capability="CUMULATIVE_FLOW", definition="flow/1", differences=found.differences) == (
        "CUMULATIVE_FLOW flow/1 days[].todo VALUE"
    )


def test_parity_counts_our_errors_and_leaves_out_theirs() -> None:
    """1,000 calls, 80 of our errors, 5 mismatches: 91.5 %, not the 99.46 % of those who drop errors."""
    found = parity_of({Verdict.MATCH: 915, Verdict.CANDIDATE_ERROR: 80, Verdict.DRIFT: 5, Verdict.LEGACY_ERROR: 100})
    assert (found.attempts, found.conclusive, found.parity) == (1100, 1000, 0.915)
    assert found.coverage == pytest.approx(1000 / 1100)
    assert found.legacy_errors == pytest.approx(100 / 1100)
    assert parity_of({}).parity is None
    assert parity_of({Verdict.INCONCLUSIVE: 3}).lower_bound is None


def test_the_rule_of_three() -> None:
    """No mismatch in 300, 600, 3,000 proves 1, 0.5, 0.1 % and no more; nor does a million comparisons overflow."""
    assert [round(1 - lower_bound(good=n, of=n), 4) for n in (300, 600, 3000)] == [0.0099, 0.005, 0.001]
    assert lower_bound(good=999_000, of=1_000_000) == pytest.approx(0.99895, abs=1e-5)
    assert worst({"a": {Verdict.MATCH: 10}, "b": {Verdict.MATCH: 9000, Verdict.DRIFT: 9}, "c": {}}) == "a"
    with pytest.raises(ValueError, match="good: 3 of 2 is no share"):
        lower_bound(good=3, of=2)


def exact_tail(at_least: int, of: int, share: Fraction) -> Fraction:
    return sum((comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(at_least, of + 1)), start=Fraction(0))


@given(st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(1, 99))
@settings(max_examples=60)
def test_the_bound_is_that_of_exact_sums(size: tuple[int, int], percent: int) -> None:
    """The tail is that of whole fractions, and at the bound it is the 5 % that may be."""
    good, of = size
    share = Fraction(percent, 100)
    assert tail(at_least=good, of=of, share=float(share)) == pytest.approx(
        float(exact_tail(good, of, share)), abs=1e-12
    )
    bound = lower_bound(good=good, of=of)
    assert 0 <= bound <= good / of
    if good:
        assert float(exact_tail(good, of, Fraction(bound))) == pytest.approx(0.05, abs=1e-9)
