"""Comparators, verdicts and parity of the dual run against second implementations that are short and slow."""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import comb
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.drift.arithmetic.comparing import (
    Comparator,
    Difference,
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
from analytics.drift.arithmetic.parity import added, lower_bound, parity_of, worst
from analytics.drift.arithmetic.verdicts import Direction, Evidence, Rule, Verdict, judged, overall, signature
from analytics.drift.capabilities import refused_days

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SHAPE = Fields(
    {
        "name": Exact(),
        "share": Ratio(),
        "mean": Numeric(absolute=1, relative=0.1),
        "times": Distribution(2),
        "days": Keyed("date", Fields({"date": Exact(), "todo": Exact(), "done": Exact()})),
        "counts": Listed(Exact()),
    }
)
SHAPES: Mapping[str, Comparator] = {
    "exact": Exact(),
    "numeric": Numeric(absolute=2, relative=0.25),
    "ratio": Ratio(),
    "quantiles": Distribution(1),
    "fields": Fields({"a": Exact(), "b": Numeric(absolute=1)}),
    "others": Fields({"a": Exact()}, others=True),
    "list": Listed(Numeric(relative=0.5)),
    "keyed": Keyed("a", Fields({"a": Exact(), "b": Exact()})),
    "unordered": Keyed("a", Fields({"a": Exact(), "b": Exact()}), in_order=False),
    "all": SHAPE,
}

# ------------------------------------------------------------------ a second opinion on whether two answers are the same

few_numbers = st.sampled_from([0, 1, 2, 3, 10, 1.0, 2.5, -1, 10**400, math.inf, math.nan])
leaves = st.none() | st.booleans() | few_numbers | st.sampled_from(["", "a", "1"])
NAMES = ("a", "b", "numerator", "denominator", "count", "p50", "date", "days")
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
keyed_values = st.lists(st.fixed_dictionaries({"a": st.sampled_from(["x", "y", "z"]), "b": leaves}), max_size=4)


def number(value: Any) -> Fraction | None:
    """None for whatever is no finite number."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return Fraction(value) if plain and (isinstance(value, int) or math.isfinite(value)) else None


def same(by: Comparator, ours: Any, theirs: Any) -> bool:
    """By the words of the comparators, without their places and kinds."""
    match by:
        case Exact():
            return same_json(ours, theirs)
        case Numeric(absolute=absolute, relative=relative):
            if ours is None or theirs is None:
                return ours is theirs
            a, b = number(ours), number(theirs)
            if a is None or b is None:
                return False
            return abs(a - b) <= max(Fraction(absolute), Fraction(relative) * max(abs(a), abs(b)))
        case Ratio():
            return same(Fields({"numerator": Exact(), "denominator": Exact()}, others=True), ours, theirs)
        case Distribution(tolerance=tolerance):
            if not isinstance(ours, dict) or not isinstance(theirs, dict):
                return ours is theirs is None
            names = {*ours, *theirs}
            of = {name: Exact() if name == "count" else Numeric(absolute=tolerance) for name in names}
            return same(Fields(of), ours, theirs)
    return same_parts(by, ours, theirs)


def same_parts(by: Comparator, ours: Any, theirs: Any) -> bool:
    kind, parts = (dict, same_objects) if isinstance(by, Fields) else (list, same_lists)
    if not isinstance(ours, kind) or not isinstance(theirs, kind):
        return ours is theirs is None
    return parts(by, ours, theirs)


def same_objects(by: Any, ours: Any, theirs: Any) -> bool:
    named = all(name in ours and name in theirs and same(by.of[name], ours[name], theirs[name]) for name in by.of)
    rest = [{name: value for name, value in side.items() if name not in by.of} for side in (ours, theirs)]
    return named and (by.others or same_json(*rest))


def same_lists(by: Any, ours: Any, theirs: Any) -> bool:
    if isinstance(by, Keyed):
        ours, theirs = (in_turn(side, by.key, in_order=by.in_order) for side in (ours, theirs))
    return len(ours) == len(theirs) and all(same(by.each, *pair) for pair in zip(ours, theirs, strict=True))


def in_turn(elements: list[Any], key: str, *, in_order: bool) -> list[Any]:
    """Doubles stand with the first of their key, in their order; where order is nothing, keys stand in theirs."""
    names = [str(each[key]) for each in elements]
    places = sorted(set(names)) if not in_order else list(dict.fromkeys(names))
    return sorted(elements, key=lambda each: places.index(str(each[key])))


def same_json(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(same_json(*pair) for pair in zip(ours, theirs, strict=True))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same_json(ours[name], theirs[name]) for name in ours)
    if number(ours) is not None or number(theirs) is not None:
        return number(ours) == number(theirs)
    return type(ours) is type(theirs) and not isinstance(ours, float) and bool(ours == theirs)


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in ("keyed", "unordered")])
@given(ours=values, theirs=values)
@settings(max_examples=150)
def test_there_is_a_difference_where_answers_are_not_the_same(shape: str, ours: Any, theirs: Any) -> None:
    """Whatever comes: infinite and huge numbers, true for 1, lists for objects. Nothing is raised."""
    by = Fields({"it": SHAPES[shape]})
    assert (compare(ours={"it": ours}, theirs={"it": theirs}, by=by) == []) == same(SHAPES[shape], ours, theirs)
    alone = compare(ours=ours, theirs=ours, by=SHAPES[shape])
    assert (alone == []) == same(SHAPES[shape], ours, ours)


@pytest.mark.parametrize("shape", ["keyed", "unordered"])
@given(ours=keyed_values, theirs=keyed_values)
@settings(max_examples=300)
def test_doubles_are_compared_too(shape: str, ours: Any, theirs: Any) -> None:
    """An element that is there twice on both sides is compared twice; one that is twice on one side alone is told."""
    assert (compare(ours=ours, theirs=theirs, by=SHAPES[shape]) == []) == same(SHAPES[shape], ours, theirs)


@pytest.mark.parametrize("shape", SHAPES)
@given(ours=values | keyed_values, theirs=values | keyed_values)
@settings(max_examples=60)
def test_the_other_way_round_the_same_places_differ(shape: str, ours: Any, theirs: Any) -> None:
    """What we lack they have."""
    turned = {Kind.MISSING: Kind.EXTRA, Kind.EXTRA: Kind.MISSING}

    def told(found: list[Difference], turn: Mapping[Kind, Kind]) -> Counter[tuple[str, Kind]]:
        return Counter((each.path, turn.get(each.kind, each.kind)) for each in found)

    there = compare(ours=ours, theirs=theirs, by=SHAPES[shape])
    back = compare(ours=theirs, theirs=ours, by=SHAPES[shape])
    # Of a field that both lack each says that it is missing.
    nobody = [each for each in there if each.kind is Kind.MISSING and each.theirs is None]
    if not nobody:
        assert told(there, {}) == told(back, turned)


days = st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True).map(sorted)


@given(days=days, data=st.data())
@settings(max_examples=120)
def test_one_change_is_one_difference_in_its_place(days: list[int], data: st.DataObject) -> None:
    """Its path, its kind and by how much, however many days stand around it."""
    theirs: list[dict[str, Any]] = [{"date": f"2026-{day:03}", "todo": day, "done": 2 * day} for day in days]
    place = data.draw(st.integers(0, len(theirs) - 1))
    field, by = data.draw(st.sampled_from(["todo", "done"])), data.draw(st.integers(-5, 5).filter(bool))
    ours = [dict(each) for each in theirs]
    ours[place][field] += by
    found = compare(ours=ours, theirs=theirs, by=Keyed("date", Fields({n: Exact() for n in ("date", "todo", "done")})))
    assert [(each.path, each.field, each.element, each.kind, each.by) for each in found] == [
        (f"[{theirs[place]['date']}].{field}", f"[].{field}", theirs[place]["date"], Kind.VALUE, float(by))
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "by", "kinds"),
    [
        (math.inf, math.inf, Fields({"it": Exact()}), ["NOT_FINITE"]),
        ([True], [1], Fields({"it": Exact()}), ["VALUE"]),
        (1, 1, Fields({"it": Keyed("a", Exact())}), ["TYPE"]),
        ("a", "a", Fields({"it": Numeric()}), ["TYPE"]),
        (10**400, 10**400 + 1, Fields({"it": Numeric(absolute=1, relative=0.5)}), []),
        (10**400, 1.5, Fields({"it": Numeric(absolute=1)}), ["VALUE"]),
        ([{"a": 1, "b": 1}] * 2, [{"a": 1, "b": 1}, {"a": 1, "b": 2}], Fields({"it": SHAPES["keyed"]}), ["VALUE"]),
    ],
    ids=[
        "infinity",
        "true in a list",
        "a number for a list",
        "a text for a number",
        "huge",
        "huge and small",
        "doubles",
    ],
)
def test_what_was_taken_for_the_same(ours: Any, theirs: Any, by: Comparator, kinds: list[str]) -> None:
    """Infinity, true in a list, a number in place of a list, huge numbers, the second of two elements of one key."""
    found = compare(ours={"it": ours}, theirs={"it": theirs}, by=by)
    assert [each.kind.value for each in found] == kinds
    assert all(each.by is None or isinstance(each.by, float) for each in found)


def test_a_number_of_too_many_digits_is_no_count() -> None:
    """JSON may have it. It is the older side's error and nobody's exception."""
    day = {"date": "2026-03-01", "todo": 10**400, "in_progress": 0, "review": 0, "done": 0}
    failure = refused_days({"organisation": "acme", "days": [day]}, "acme")
    assert failure is not None
    assert failure.reason == "The older answer has something else than counts for 2026-03-01."


# ------------------------------------------------------------------ verdicts

differences = st.builds(
    Difference,
    path=st.just("days[x].todo"),
    field=st.sampled_from(["days[].todo", "days[].done"]),
    element=st.just("x"),
    kind=st.sampled_from([Kind.VALUE, Kind.NULL, Kind.MISSING]),
    ours=st.integers(0, 9) | st.none(),
    theirs=st.integers(0, 9) | st.none(),
)
rules = st.builds(
    Rule,
    field=st.sampled_from(["days[].todo", "days[].done"]),
    direction=st.sampled_from(Direction),
    bound=st.integers(0, 5),
    owner=st.just("ada"),
    reason=st.sampled_from(["The old job counts twice.", "Archived states."]),
    expires_at=st.sampled_from([NOW, NOW + timedelta(days=1)]),
)
evidences = st.builds(
    Evidence,
    **{name: st.booleans() for name in ("noisy", "cutoff_known", "tolerated", "unrecorded", "empty")},
)


def covered(each: Difference, rule: Rule) -> bool:
    """By the words of a rule."""
    if each.kind is not Kind.VALUE or each.ours is None or each.theirs is None or rule.expires_at <= NOW:
        return False
    by = each.ours - each.theirs
    way = {Direction.HIGHER: by > 0, Direction.LOWER: by < 0, Direction.EITHER: True}[rule.direction]
    return rule.field == each.field and abs(by) <= rule.bound and way


@given(st.lists(differences, max_size=3), evidences, st.lists(rules, max_size=3))
@settings(max_examples=300)
def test_a_verdict_follows_from_a_table(found: list[Difference], known: Evidence, rules: list[Rule]) -> None:
    """The first line that holds: noise and an unknown cut-off prove nothing; then nothing differs; then what excuses it."""
    table = [
        (known.noisy or not known.cutoff_known, Verdict.INCONCLUSIVE),
        (not found, Verdict.MATCH),
        (known.unrecorded and known.empty, Verdict.INCONCLUSIVE),
        (known.tolerated, Verdict.WITHIN_TOLERANCE),
        (all(any(covered(each, rule) for rule in rules) for each in found), Verdict.EXPECTED_DIFFERENCE),
        (True, Verdict.DRIFT),
    ]
    finding = judged(found, evidence=known, rules=rules, at=NOW)
    assert finding.verdict is next(verdict for holds, verdict in table if holds)
    assert (finding.reason is None) == (finding.verdict is Verdict.MATCH)


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.lists(differences, max_size=2), evidences)))
@settings(max_examples=150)
def test_no_match_hides_a_drift(elements: dict[str, tuple[list[Difference], Evidence]]) -> None:
    """An answer is a match where each element is; it drifts where one does; its signature is the commonest cause."""
    findings = {name: judged(found, evidence=known, rules=[], at=NOW) for name, (found, known) in elements.items()}
    whole, verdicts = overall(findings), {each.verdict for each in findings.values()}
    assert (whole.verdict is Verdict.MATCH) == (verdicts <= {Verdict.MATCH})
    assert (whole.verdict is Verdict.DRIFT) == (Verdict.DRIFT in verdicts)
    causes = Counter((each.field, each.kind.value) for each in whole.differences)
    name = signature(capability="C", definition="d", differences=whole.differences)
    assert (name is None) == (not causes)
    if name is not None:
        assert name in {f"C d {' '.join(cause)}" for cause, n in causes.items() if n == max(causes.values())}


# ------------------------------------------------------------------ parity

tallies = st.dictionaries(st.sampled_from(Verdict), st.integers(0, 200))


def at_least(good: int, of: int, share: Fraction) -> Fraction:
    """How likely so many or more are good, as an exact sum."""
    return sum((comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(good, of + 1)), start=Fraction(0))


@given(tallies)
@settings(max_examples=150)
def test_parity_is_a_count_of_single_comparisons(counts: dict[Verdict, int]) -> None:
    """Each comparison by itself: is it left out, is it good."""
    each = [verdict.value for verdict, number in counts.items() for _ in range(number)]
    conclusive = [one for one in each if one not in ("INCONCLUSIVE", "LEGACY_ERROR")]
    good = [one for one in conclusive if one in ("MATCH", "WITHIN_TOLERANCE", "EXPECTED_DIFFERENCE")]
    found = parity_of(counts)
    assert (found.attempts, found.conclusive, found.good) == (len(each), len(conclusive), len(good))
    assert found.parity == (len(good) / len(conclusive) if conclusive else None)
    assert found.coverage == (len(conclusive) / len(each) if each else 0)
    assert found.legacy_errors == (each.count("LEGACY_ERROR") / len(each) if each else 0)
    assert added([*counts.items(), *counts.items()]) == {verdict: 2 * number for verdict, number in counts.items()}


@given(st.integers(1, 400), st.data())
@settings(max_examples=60)
def test_the_bound_brackets_five_per_cent(of: int, data: st.DataObject) -> None:
    """Clopper-Pearson: a hair below the bound so many good ones are rarer than 5 %, a hair above they are not."""
    good = data.draw(st.integers(1, of))
    bound, hair = Fraction(lower_bound(good=good, of=of)), Fraction(1, 10**9)
    assert at_least(good, of, max(bound - hair, Fraction(0))) < Fraction(5, 100) < at_least(good, of, bound + hair)
    assert bound <= Fraction(good, of)


@given(st.integers(1, 5_000), st.data())
@settings(max_examples=100)
def test_more_good_ones_prove_more(of: int, data: st.DataObject) -> None:
    """One more that is good never lowers the bound, one more that is not never raises it."""
    good = data.draw(st.integers(0, of))
    bound = lower_bound(good=good, of=of)
    assert lower_bound(good=good + 1, of=of + 1) >= bound - 1e-12
    assert lower_bound(good=good, of=of + 1) <= bound + 1e-12


@given(st.dictionaries(st.sampled_from("abc"), tallies))
@settings(max_examples=100)
def test_the_worst_stratum_has_the_lowest_bound(strata: dict[str, dict[Verdict, int]]) -> None:
    """Strata in which nothing is conclusive are none."""
    bounds = {name: parity_of(counts).lower_bound for name, counts in strata.items()}
    known = {name: bound for name, bound in bounds.items() if bound is not None}
    found = worst(strata)
    assert (found is None) == (not known)
    assert found is None or known[found] == min(known.values())
