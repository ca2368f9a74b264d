"""Verdicts, each with its reason, from the parts of a difference.

Observed difference = computation drift (ours as of the older cut-off against theirs) + freshness delta (ours then against
ours now) + noise (theirs asked twice). Only the first can be a DRIFT.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from analytics.drift.arithmetic.comparing import Difference, Kind


class Verdict(StrEnum):
    """What a comparison says."""

    MATCH = "MATCH"
    WITHIN_TOLERANCE = "WITHIN_TOLERANCE"
    EXPECTED_DIFFERENCE = "EXPECTED_DIFFERENCE"
    DRIFT = "DRIFT"
    LEGACY_ERROR = "LEGACY_ERROR"
    CANDIDATE_ERROR = "CANDIDATE_ERROR"
    BOTH_ERROR = "BOTH_ERROR"
    INCONCLUSIVE = "INCONCLUSIVE"


GOOD: Final = (Verdict.MATCH, Verdict.WITHIN_TOLERANCE, Verdict.EXPECTED_DIFFERENCE)
LEFT_OUT: Final = (Verdict.INCONCLUSIVE, Verdict.LEGACY_ERROR)
# Of an answer of many elements: the first of these that one of them has. A lie outweighs a gap, a gap outweighs a match.
GRAVITY: Final = (
    Verdict.DRIFT,
    Verdict.CANDIDATE_ERROR,
    Verdict.BOTH_ERROR,
    Verdict.LEGACY_ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.EXPECTED_DIFFERENCE,
    Verdict.WITHIN_TOLERANCE,
    Verdict.MATCH,
)


class Direction(StrEnum):
    """In which way ours may differ from theirs."""

    HIGHER = "HIGHER"
    LOWER = "LOWER"
    EITHER = "EITHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A difference that somebody answers for: of that field, that way, by at most `bound`, until it expires."""

    field: str
    direction: Direction
    bound: float
    owner: str
    reason: str
    expires_at: datetime

    def covers(self, difference: Difference, *, at: datetime) -> bool:
        """Whether the difference is expected. One that is no difference of numbers never is."""
        by = difference.by
        if by is None or at >= self.expires_at or difference.field != self.field or abs(by) > self.bound:
            return False
        return {Direction.HIGHER: by > 0, Direction.LOWER: by < 0, Direction.EITHER: True}[self.direction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdict on one element, or on a whole answer. `reason` is None for a MATCH."""

    verdict: Verdict
    reason: str | None
    differences: Sequence[Difference] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one element besides its differences.

    `noisy`: the older side gave two answers. `tolerated`: at some instant of the cut-off's uncertainty ours was theirs.
    `unrecorded`: our record begins later. `empty`: theirs says nothing was there.
    """

    noisy: bool = False
    cutoff_known: bool = True
    tolerated: bool = False
    unrecorded: bool = False
    empty: bool = False


NOTHING_TO_ADD: Final = Evidence()


def judged(
    differences: Sequence[Difference], *, evidence: Evidence = NOTHING_TO_ADD, rules: Collection[Rule], at: datetime
) -> Finding:
    """The verdict on one element that both sides have answered."""
    if evidence.noisy:
        return _inconclusive("The older side answered twice, and not the same.", differences)
    if not evidence.cutoff_known:
        return _inconclusive("Nobody knows up to which instant the older side counted.", differences)
    if not differences:
        return Finding(verdict=Verdict.MATCH, reason=None)
    if evidence.unrecorded and evidence.empty:
        return _inconclusive("Our record begins later, and the older side had nothing either.", differences)
    if evidence.tolerated:
        return Finding(
            verdict=Verdict.WITHIN_TOLERANCE,
            reason="At an instant within the uncertainty of the older cut-off both are the same.",
            differences=differences,
        )
    return _expected(differences, rules=rules, at=at) or _drift(differences)


def missing(difference: Difference) -> Finding:
    """The verdict on an element that the older side should have, and has not."""
    return Finding(
        verdict=Verdict.LEGACY_ERROR,
        reason=f"The older side has nothing for {difference.element}.",
        differences=[difference],
    )


def overall(findings: Mapping[str, Finding]) -> Finding:
    """The verdict on an answer: the gravest of its elements, with what that one says and how many are like it."""
    gravest = min((each.verdict for each in findings.values()), key=GRAVITY.index, default=Verdict.MATCH)
    like = {element: each for element, each in findings.items() if each.verdict is gravest}
    reason = next((each.reason for each in like.values()), None)
    if reason and len(like) > 1:
        reason = f"{reason} So it is for {len(like)} of {len(findings)} elements."
    differences = tuple(difference for each in like.values() for difference in each.differences)
    return Finding(verdict=gravest, reason=reason, differences=differences)


def signature(*, capability: str, definition: str, differences: Iterable[Difference]) -> str | None:
    """What comparisons of one cause have in common: where most differences are, and of which kind. None without any."""
    counted = Counter((each.field, each.kind.value) for each in differences)
    if not counted:
        return None
    (field, kind), _ = min(counted.items(), key=lambda each: (-each[1], each[0]))
    return f"{capability} {definition} {field} {kind}"


def _expected(differences: Sequence[Difference], *, rules: Collection[Rule], at: datetime) -> Finding | None:
    covering = [next((rule for rule in rules if rule.covers(each, at=at)), None) for each in differences]
    found = [rule for rule in covering if rule is not None]
    if len(found) < len(covering):
        return None
    because = "; ".join(dict.fromkeys(f"{rule.reason} ({rule.owner})" for rule in found))
    return Finding(verdict=Verdict.EXPECTED_DIFFERENCE, reason=because, differences=differences)


def _drift(differences: Sequence[Difference]) -> Finding:
    first = differences[0]
    said = f"{first.path}: ours is {_told(first.ours)}, theirs {_told(first.theirs)}"
    if first.kind not in (Kind.VALUE, Kind.NULL):
        said = f"{first.path}: {first.kind.value}"
    more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
    return Finding(verdict=Verdict.DRIFT, reason=f"{said}{more}.", differences=differences)


def _inconclusive(reason: str, differences: Sequence[Difference]) -> Finding:
    return Finding(verdict=Verdict.INCONCLUSIVE, reason=reason, differences=differences)


def _told(value: object) -> str:
    """Numbers are told; whatever else may be somebody's is not."""
    return str(value) if isinstance(value, int | float) else "null" if value is None else type(value).__name__
