"""Stages, the gate before them, and the breach that leads back: decided without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.drift.arithmetic.breaches import COOL_DOWN, Recent, breach, may_step_back
from analytics.drift.arithmetic.gating import Inputs, gate, needed
from analytics.drift.arithmetic.stages import (
    COMPARED,
    LIVE,
    ORDER,
    STALE_AFTER,
    Flag,
    Side,
    is_stale,
    next_stage,
    place_of,
    refused_step,
    stage_below,
    takes_proof,
)
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.pure.stages import Stage

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
# A Tuesday; the eight days before it have a weekend.
TODAY = date(2026, 3, 10)
WEEK = [TODAY - timedelta(days=number) for number in range(8)]
FLOW = "CUMULATIVE_FLOW"
flags = st.builds(Flag, stage=st.sampled_from(Stage), percent=st.integers(0, 100), version=st.integers(0, 9))


@given(tenant_id=st.integers(1, 2**62), low=st.integers(0, 100), more=st.integers(0, 100))
@settings(max_examples=100)
def test_a_higher_percentage_only_adds_tenants(tenant_id: int, low: int, more: int) -> None:
    """Whoever is answered by us at 10 % is so at 20 %: no tenant is dealt anew."""
    place = place_of(capability=FLOW, tenant_id=tenant_id)
    assert 0 <= place <= 99
    for stage in LIVE:
        lower, higher = (
            Flag(stage=stage, percent=each).answered_by(place=place) for each in (low, min(100, low + more))
        )
        assert (lower, higher) != (Side.CANONICAL, Side.LEGACY)


def test_places_are_spread_evenly_and_told_apart_by_capability() -> None:
    """30 % of the tenants are about 30 % of them, and not the same ones for each capability."""
    flow = [place_of(capability=FLOW, tenant_id=each) < 30 for each in range(1, 10_001)]
    billing = [place_of(capability="BILLING", tenant_id=each) < 30 for each in range(1, 10_001)]
    assert 2_850 <= sum(flow) <= 3_150
    both = sum(one and other for one, other in zip(flow, billing, strict=True))
    assert 750 <= both <= 1_050
    assert place_of(capability=FLOW, tenant_id=1) == place_of(capability=FLOW, tenant_id=1)


def test_a_place_is_what_the_hash_says() -> None:
    """SHA-256 of salt:capability:tenant, so that any process, and any other program, finds the same."""
    assert place_of(capability=FLOW, tenant_id=7) == int("5ac9e01d9081dddc", 16) * 100 // 2**64 == 35


@pytest.mark.parametrize(
    ("stage", "percent", "inside", "outside"),
    [
        (Stage.OFF, 100, Side.LEGACY, Side.LEGACY),
        (Stage.SHADOW, 100, Side.LEGACY, Side.LEGACY),
        (Stage.LIVE_WITH_SHADOW, 50, Side.CANONICAL, Side.LEGACY),
        (Stage.RAMPDOWN, 50, Side.CANONICAL, Side.LEGACY),
        (Stage.RAMPDOWN, 0, Side.LEGACY, Side.LEGACY),
        (Stage.COMPLETE, 100, Side.CANONICAL, Side.CANONICAL),
    ],
)
def test_who_answers(stage: Stage, percent: int, inside: Side, outside: Side) -> None:
    """By stage and place: 49 is inside 50 %, 50 is not."""
    flag = Flag(stage=stage, percent=percent)
    assert (flag.answered_by(place=49), flag.answered_by(place=50)) == (inside, outside)
    assert flag.is_compared == (stage not in (Stage.OFF, Stage.COMPLETE))


def test_the_order_of_stages() -> None:
    """One up, one down; COMPLETE has no way back, and where nobody is answered by us there is none to take."""
    assert [next_stage(stage) for stage in ORDER] == [*ORDER[1:], None]
    assert [stage_below(stage) for stage in ORDER] == [None, None, Stage.SHADOW, Stage.LIVE_WITH_SHADOW, None]


@given(before=flags, after=flags, place=st.integers(0, 99))
@settings(max_examples=200)
def test_nobody_comes_to_us_without_proof(before: Flag, after: Flag, place: int) -> None:
    """A change after which we answer, and did not before, always takes proof; a step down never does, unless it moves."""
    sides = [each.answered_by(place=place) for each in (before, after)]
    proof = takes_proof(before, after, place=place)
    if sides == [Side.LEGACY, Side.CANONICAL]:
        assert proof
    if sides[1] is Side.LEGACY and ORDER.index(after.stage) <= ORDER.index(before.stage):
        assert not proof
    assert proof or after.stage is not Stage.COMPLETE or before.stage is Stage.COMPLETE


def test_steps_that_nobody_takes() -> None:
    """COMPLETE is one-way; the same again is no step; stages are not skipped without an override; 101 % is none."""
    off, shadow, live = (Flag(stage=each) for each in ORDER[:3])
    complete = Flag(stage=Stage.COMPLETE)
    for stage in ORDER[:-1]:
        assert "no way back" in str(refused_step(complete, Flag(stage=stage), overrides=True))
    assert "already" in str(refused_step(shadow, shadow, overrides=True))
    assert refused_step(off, live, overrides=False) == "Stages are taken one by one: after OFF comes SHADOW."
    assert refused_step(off, live, overrides=True) is None
    assert str(refused_step(shadow, replace(live, percent=101), overrides=True)).startswith("percent")
    assert str(refused_step(shadow, replace(live, percent=-1), overrides=True)).startswith("percent")
    assert str(refused_step(live, replace(complete, percent=50), overrides=True)).startswith("percent")
    for before, after in pairwise(ORDER):
        assert refused_step(Flag(stage=before), Flag(stage=after), overrides=False) is None
    for stage in ORDER[1:-1]:
        assert refused_step(Flag(stage=stage), off, overrides=False) is None


def test_a_flag_half_way_grows_stale() -> None:
    """After 90 days; the two ends never."""
    for stage in Stage:
        flag = Flag(stage=stage)
        assert not is_stale(flag, changed_at=NOW - STALE_AFTER, now=NOW)
        old = is_stale(flag, changed_at=NOW - STALE_AFTER - timedelta(seconds=1), now=NOW)
        assert old == (stage in COMPARED)


PROVEN = Inputs(
    capability=FLOW,
    definition="flow/1",
    stage=Stage.SHADOW,
    today=TODAY,
    strata={"days<=7": {Verdict.MATCH: 1_500}, "days<=31": {Verdict.MATCH: 1_400, Verdict.EXPECTED_DIFFERENCE: 100}},
    days=WEEK,
    signatures={},
    drilled_on=TODAY - timedelta(days=29),
    demoted_on=None,
)


def test_three_thousand_without_a_difference_open_the_gate() -> None:
    """The rule of three: at most 0.1 % is proven by some 3,000, at most 1 % by some 300."""
    found = gate(PROVEN)
    assert (found.passes, found.reasons, found.next_stage) == (True, [], Stage.LIVE_WITH_SHADOW)
    assert (needed(most_wrong=1_000), needed(most_wrong=10_000)) == (2_995, 299)


def counted(**verdicts: int) -> Inputs:
    """The proven inputs with other comparisons."""
    return replace(PROVEN, strata={"days<=7": {Verdict(name): count for name, count in verdicts.items()}})


WITHOUT_WEEKEND = [day for day in WEEK + [TODAY - timedelta(days=each) for each in range(8, 14)] if day.weekday() < 5]
CLOSED = {
    "too few": (counted(MATCH=2_994), "2,994 conclusive comparisons"),
    "none": (replace(PROVEN, strata={}), "0 conclusive comparisons"),
    "one differs": (counted(MATCH=3_000, DRIFT=1), "with 1 that differ"),
    "ours failed once": (counted(MATCH=3_000, CANDIDATE_ERROR=1), "with 1 that differ"),
    "both failed once": (counted(MATCH=3_000, BOTH_ERROR=1), "with 1 that differ"),
    "spoiled ones prove nothing": (counted(LEGACY_ERROR=9_000, INCONCLUSIVE=9_000), "0 conclusive comparisons"),
    "one stratum has the differences": (
        replace(
            PROVEN,
            strata={"days<=7": {Verdict.MATCH: 20_000}, "days>92": {Verdict.MATCH: 300, Verdict.DRIFT: 4}},
        ),
        "Least is proven of answers of more than 92 days: 300 of 304",
    ),
    "six days": (replace(PROVEN, days=WEEK[:6]), "comparisons of 6 days"),
    "the same day again": (replace(PROVEN, days=WEEK[:1] * 9), "comparisons of 1 day;"),
    "no weekend": (replace(PROVEN, days=WITHOUT_WEEKEND), "no weekend"),
    "Sunday and the next Saturday": (
        replace(PROVEN, days=[date(2026, 3, 1) + timedelta(days=each) for each in range(7)]),
        "no weekend",
    ),
    "an open cause": (
        replace(PROVEN, signatures={"CUMULATIVE_FLOW flow/1 days[].done VALUE": TODAY - timedelta(days=6)}),
        "days[].done VALUE",
    ),
    "never drilled": (replace(PROVEN, drilled_on=None), "there was none yet"),
    "drilled long ago": (replace(PROVEN, drilled_on=TODAY - timedelta(days=30)), "2026-02-08"),
    "taken back yesterday": (replace(PROVEN, demoted_on=TODAY - timedelta(days=1)), "taken back for a breach"),
    "complete": (replace(PROVEN, stage=Stage.COMPLETE), "no further stage"),
}


@pytest.mark.parametrize("case", CLOSED)
def test_what_keeps_the_gate_closed(case: str) -> None:
    """Each alone is enough, and is said in one sentence."""
    inputs, words = CLOSED[case]
    found = gate(inputs)
    assert not found.passes
    assert len(found.reasons) == 1, found.reasons
    assert words in found.reasons[0]
    assert found.reasons[0].endswith(".")


def test_what_does_not_keep_the_gate_closed() -> None:
    """An older side that is broken, a cause long unseen, one difference in 4,800, an earlier demotion."""
    opened = [
        counted(MATCH=3_000, LEGACY_ERROR=50_000),
        counted(MATCH=4_800, DRIFT=1),
        replace(PROVEN, strata={"days<=7": {Verdict.MATCH: 9_000}, "AT_REST": {Verdict.MATCH: 29}}),
        replace(PROVEN, signatures={"x": TODAY - timedelta(days=7)}),
        replace(PROVEN, demoted_on=TODAY - timedelta(days=2)),
    ]
    assert [gate(each).reasons for each in opened] == [[], [], [], [], []]


def test_shadow_takes_no_proof_and_says_all_that_is_missing_for_more() -> None:
    """From OFF nothing is asked; in SHADOW without anything, all of it."""
    nothing = replace(PROVEN, strata={}, days=[], drilled_on=None)
    assert gate(replace(nothing, stage=Stage.OFF)).passes
    assert len(gate(nothing).reasons) == 3


def test_the_digest_is_of_all_inputs() -> None:
    """Equal inputs, in any order, have the same one; each change another."""
    turned = replace(PROVEN, strata=dict(reversed(list(PROVEN.strata.items()))), days=WEEK[::-1] + WEEK)
    assert gate(turned).inputs_digest == gate(PROVEN).inputs_digest
    others = [gate(inputs).inputs_digest for inputs, _ in CLOSED.values()]
    assert len({gate(PROVEN).inputs_digest, *others}) == len(others) + 1


def recent(*, good: int, wrong: int, lately: int, good_lately: int = 0) -> Recent:
    """Comparisons of an hour, and of its last five minutes."""
    return Recent(
        long={Verdict.MATCH: good, Verdict.DRIFT: wrong, Verdict.LEGACY_ERROR: 7},
        short={Verdict.MATCH: good_lately, Verdict.DRIFT: lately, Verdict.INCONCLUSIVE: 3},
    )


def test_a_breach_is_large_and_still_going_on() -> None:
    """Two are none, nor 1 % of many, nor what was over five minutes ago, nor what the older side spoiled."""
    said = breach(recent(good=9, wrong=3, lately=1))
    assert said == "3 of 12 answers compared within an hour differ, the latest within five minutes."
    assert breach(recent(good=0, wrong=2, lately=2)) is None
    assert breach(recent(good=297, wrong=3, lately=3)) is None
    assert breach(recent(good=296, wrong=3, lately=3)) is not None
    assert breach(recent(good=9, wrong=3, lately=0, good_lately=5)) is None
    assert breach(recent(good=0, wrong=0, lately=0)) is None
    errors = {Verdict.CANDIDATE_ERROR: 3}
    assert breach(Recent(long=errors, short=errors)) is not None
    spoiled = {Verdict.LEGACY_ERROR: 99, Verdict.INCONCLUSIVE: 99}
    assert breach(Recent(long=spoiled, short=spoiled)) is None


def test_steps_back_are_apart() -> None:
    """Where nobody is answered by us there is nothing to take back; else one step, and the next one not at once."""
    for stage in Stage:
        assert may_step_back(Flag(stage=stage), demoted_at=None, now=NOW) == (stage in LIVE)
    live = Flag(stage=Stage.LIVE_WITH_SHADOW)
    assert may_step_back(live, demoted_at=NOW - COOL_DOWN, now=NOW)
    assert not may_step_back(live, demoted_at=NOW - COOL_DOWN + timedelta(seconds=1), now=NOW)
