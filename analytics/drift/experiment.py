"""Experiment, one comparison: the older answer against ours as of its own cut-off. Every failure is a verdict.

Observed difference = computation drift (ours as of the older cut-off against theirs) + freshness delta (ours then against
ours of today) + noise (theirs asked twice). The older side is asked outside of any transaction, ours is counted in one.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from django.db import OperationalError
from psycopg.errors import QueryCanceled

from analytics.drift.arithmetic.comparing import ABSENT, Difference, Kind, Place
from analytics.drift.arithmetic.verdicts import Evidence, Finding, Rule, Verdict, judged, missing, overall, signature
from analytics.drift.capabilities import Declaration
from analytics.drift.controls import Basis, Control, FailureKind, LegacyAnswer, LegacyFailure
from analytics.pure.cutoffs import Cutoff
from analytics.pure.zones import ONE_DAY, dates, local_date
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

# What is nobody's error: nothing was found out.
UNKNOWN_KINDS: Final = (FailureKind.TIMEOUT, FailureKind.STALE, FailureKind.NOT_ASKED)
DEADLINE: Final = timedelta(seconds=60)
# One in so many comparisons asks the older side twice.
NOISE_ONE_IN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, when, and by which stage it was answered. `stratum` names its shape, such as `days=30`.

    `position` is the snapshot in which it was answered, and what was known then; "": all that is known when it is compared.
    """

    tenant_id: int
    slug: str
    zone: str
    days: int
    asked_at: datetime
    stage: str
    flag_version: int
    stratum: str
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison found. `findings` are by element, `figures` ours as of the cut-offs, `freshness` by element and
    field what ours gained until the element's end or today, `noise` the paths in which the older side contradicted itself.
    """

    question: Question
    declaration: Declaration
    finding: Finding
    findings: Mapping[str, Finding] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cutoffs: Mapping[str, Cutoff] = field(default_factory=dict)
    freshness: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    noise: Sequence[str] | None = None
    basis: Basis = Basis.ASSUMED
    legacy_as_of: datetime | None = None
    legacy_ms: float = 0.0
    candidate_ms: float = 0.0
    ours_first: bool = False

    @property
    def signature(self) -> str:
        """What comparisons of the same cause have in common; "" for one that found no drift."""
        if self.finding.verdict is not Verdict.DRIFT:
            return ""
        named = self.declaration
        return (
            signature(capability=named.capability, definition=named.definition, differences=self.finding.differences)
            or ""
        )


def compare(
    *,
    declaration: Declaration,
    control: Control | None,
    question: Question,
    rules: Sequence[Rule] = (),
    chance: Random,
    now: datetime,
    deadline: timedelta = DEADLINE,
) -> Comparison:
    """The comparison. `chance` decides the order of the two sides, and whether the older one is asked twice."""
    run = _Run(declaration=declaration, question=question, rules=rules, now=now, deadline=deadline)
    ours_first, twice = chance.random() < 0.5, chance.random() < 1 / NOISE_ONE_IN
    answer, again = run.asked(control, ours_first=ours_first, twice=twice)
    try:
        found = run.compared(answer, again)
    except Exception as error:
        found = run.failed(answer, error)
    return replace(found, ours_first=ours_first, legacy_ms=run.legacy_ms, candidate_ms=run.candidate_ms)


def dates_asked(*, zone: str, days: int, now: datetime) -> tuple[date, date]:
    """The first and the last local day of a question for so many days."""
    today = local_date(instant=now, zone_name=zone)
    return today - ONE_DAY * (days - 1), today


def unreadable(
    answer: LegacyAnswer, *, declaration: Declaration, slug: str, dates: tuple[date, date] | None
) -> LegacyFailure | None:
    """Why the answer cannot be compared; None when it can. Whatever is in it, nothing is raised.

    Elements beyond `dates` may be as many as there are, and those of days to come are made up.
    """
    if answer.status != 200:
        return LegacyFailure(kind=FailureKind.STATUS, reason=f"The older side answered status {answer.status}.")
    try:
        return declaration.refused(answer.body, slug) or _unasked(answer.body, declaration, dates)
    except Exception as error:
        logger.error("An answer for %s cannot be read: %s.", declaration.capability, type(error).__name__)
        return LegacyFailure(kind=FailureKind.CONTENT, reason="The older answer cannot be read.")


def _unasked(
    body: Mapping[str, Any], declaration: Declaration, dates: tuple[date, date] | None
) -> LegacyFailure | None:
    if dates is None:
        return None
    first, last = (day.isoformat() for day in dates)
    keys = (str(each[declaration.key]) for each in body[declaration.elements])
    strange = next((key for key in keys if not first <= key <= last), None)
    if strange is None:
        return None
    reason = f"The older answer has {strange}, and was asked for {first} to {last}."
    return LegacyFailure(kind=FailureKind.SHAPE, reason=reason)


@dataclass(slots=True, kw_only=True)
class _Run:
    """One comparison while it is made."""

    declaration: Declaration
    question: Question
    rules: Sequence[Rule]
    now: datetime
    deadline: timedelta
    legacy_ms: float = 0.0
    candidate_ms: float = 0.0
    warmed: Exception | None = None

    def asked(
        self, control: Control | None, *, ours_first: bool, twice: bool
    ) -> tuple[LegacyAnswer | LegacyFailure, LegacyAnswer | LegacyFailure | None]:
        """The older side's answer, and its second one where it was asked twice. Ours of today is counted before or after."""
        if ours_first:
            self._warm()
        answer = self._ask(control)
        return answer, self._ask(control) if twice and isinstance(answer, LegacyAnswer) else None

    def _warm(self) -> None:
        """Ours first: so neither side always finds what the other has read in the server's memory."""
        try:
            self._ours({"now": Cutoff(happened_before=self.question.asked_at)})
        except Exception as error:
            self.warmed = error

    def _ask(self, control: Control | None) -> LegacyAnswer | LegacyFailure:
        if control is None:
            return LegacyFailure(kind=FailureKind.NOT_ASKED, reason="No older side is registered for this capability.")
        begun = time.perf_counter()
        asked = self.question
        try:
            answer = control.answer(tenant_id=asked.tenant_id, days=asked.days, now=asked.asked_at)
        except Exception:
            logger.exception("The older side of %s raised.", self.declaration.capability)
            answer = LegacyFailure(kind=FailureKind.UNREACHABLE, reason="The older side could not be asked.")
        self.legacy_ms += _since(begun)
        if isinstance(answer, LegacyFailure):
            return answer
        return self._refused(answer) or answer

    def _refused(self, answer: LegacyAnswer) -> LegacyFailure | None:
        """A question for no days is about days that were looked at before."""
        asked = self.question
        dates = dates_asked(zone=asked.zone, days=asked.days, now=asked.asked_at) if asked.days else None
        return unreadable(answer, declaration=self.declaration, slug=asked.slug, dates=dates)

    def compared(self, answer: LegacyAnswer | LegacyFailure, again: LegacyAnswer | LegacyFailure | None) -> Comparison:
        """The three parts, element by element."""
        if isinstance(answer, LegacyFailure):
            return self._spoiled(answer)
        theirs = self._by_key(answer.body)
        cutoffs, known = self._cutoffs(theirs, answer)
        ours = self._ours(cutoffs)
        today = self._ours({key: self._as_answered(Cutoff(happened_before=self._end_of(key))) for key in cutoffs})
        noisy = self._noise(theirs, again)
        findings = {
            key: self._judged(key, ours.get(key), theirs[key], answer, cutoffs.get(key), noisy=key in noisy)
            for key in theirs
        } | {key: missing(_nothing(key, self.declaration)) for key in self._slept(theirs)}
        return Comparison(
            question=self.question,
            declaration=self.declaration,
            finding=overall(findings),
            findings=findings,
            figures=ours,
            cutoffs=cutoffs,
            freshness=_gained(ours, today),
            noise=None if again is None else sorted(noisy),
            basis=answer.basis if known else Basis.ASSUMED,
            legacy_as_of=answer.as_of or max((each.happened_before for each in cutoffs.values()), default=None),
        )

    def failed(self, answer: LegacyAnswer | LegacyFailure, error: Exception) -> Comparison:
        """Ours could not be counted. What took too long says nothing of anybody."""
        if isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled):
            return self._found(Verdict.INCONCLUSIVE, "Our side took too long.")
        logger.error("%s could not be counted for a comparison.", self.declaration.capability, exc_info=error)
        both = isinstance(answer, LegacyFailure) and answer.kind not in UNKNOWN_KINDS
        return self._found(
            Verdict.BOTH_ERROR if both else Verdict.CANDIDATE_ERROR, f"Our side failed: {type(error).__name__}."
        )

    def _spoiled(self, failure: LegacyFailure) -> Comparison:
        if self.warmed is not None:
            return self.failed(failure, self.warmed)
        unknown = failure.kind in UNKNOWN_KINDS
        return self._found(Verdict.INCONCLUSIVE if unknown else Verdict.LEGACY_ERROR, failure.reason)

    def _found(self, verdict: Verdict, reason: str) -> Comparison:
        return Comparison(
            question=self.question, declaration=self.declaration, finding=Finding(verdict=verdict, reason=reason)
        )

    def _by_key(self, body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        return {str(each[self.declaration.key]): each for each in body[self.declaration.elements]}

    def _cutoffs(self, theirs: Mapping[str, Any], answer: LegacyAnswer) -> tuple[dict[str, Cutoff], bool]:
        """By key, and whether each is the older side's own word. Without any word at all there are none."""
        told = {key: self._as_answered(answer.cutoffs[key]) for key in theirs if key in answer.cutoffs}
        if answer.as_of is None:
            return told, len(told) == len(theirs)
        rule, zone = self.declaration.cutoff, self.question.zone
        by_rule = {key: _counted_then(rule(key, zone)) for key in theirs if key not in told}
        return {**told, **by_rule}, not by_rule

    def _as_answered(self, cutoff: Cutoff) -> Cutoff:
        """What is not known as of an instant of its own is known as of the answer, whenever it is compared."""
        if cutoff.known_at is not None or cutoff.snapshot is not None:
            return cutoff
        return replace(cutoff, snapshot=self.question.position or None)

    def _end_of(self, key: str) -> datetime:
        return min(self.declaration.ends(key, self.question.zone), self.question.asked_at)

    def _ours(self, cutoffs: Mapping[str, Cutoff]) -> Mapping[str, Mapping[str, Any]]:
        if not cutoffs:
            return {}
        found: Mapping[str, Mapping[str, Any]] = self._counted(
            lambda: self.declaration.ours.as_of_cutoffs(
                tenant_id=self.question.tenant_id, zone=self.question.zone, cutoffs=cutoffs, now=self.now
            )
        )
        return found

    def _counted(self, count: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        seconds = max(1, int(self.deadline.total_seconds()))
        try:
            with entered(
                tenant_id=self.question.tenant_id, role=DatabaseRole.WORKER, read_only=True, timeout_seconds=seconds
            ):
                return count()
        finally:
            self.candidate_ms += _since(begun)

    def _noise(self, theirs: Mapping[str, Mapping[str, Any]], again: LegacyAnswer | LegacyFailure | None) -> set[str]:
        """The elements of which the older side said two things."""
        if not isinstance(again, LegacyAnswer):
            return set()
        second = self._by_key(again.body)
        return {key for key in theirs if key in second and dict(second[key]) != dict(theirs[key])}

    def _judged(
        self,
        key: str,
        ours: Mapping[str, Any] | None,
        theirs: Mapping[str, Any],
        answer: LegacyAnswer,
        cutoff: Cutoff | None,
        *,
        noisy: bool,
    ) -> Finding:
        if cutoff is None:
            return judged((), evidence=Evidence(noisy=noisy, cutoff_known=False), rules=self.rules, at=self.now)
        if ours is None:
            lost = Place().into(self.declaration.elements).at(key).differs(Kind.MISSING, None, None)
            return judged([lost], evidence=Evidence(noisy=noisy), rules=self.rules, at=self.now)
        differences = self._differences(key, ours, theirs)
        evidence = Evidence(
            noisy=noisy,
            tolerated=bool(differences) and self._tolerated(key, theirs, cutoff, answer.uncertain_by),
            unrecorded=all(value is None for value in ours.values()),
            empty=not any(theirs[name] for name in ours),
        )
        return judged(differences, evidence=evidence, rules=self.rules, at=self.now)

    def _differences(self, key: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
        place = Place().into(self.declaration.elements).at(key)
        return list(self.declaration.each.differences({self.declaration.key: key, **ours}, theirs, place))

    def _tolerated(self, key: str, theirs: Mapping[str, Any], cutoff: Cutoff, uncertain_by: timedelta) -> bool:
        if not uncertain_by:
            return False
        found = self._counted(
            lambda: self.declaration.ours.around_cutoff(
                tenant_id=self.question.tenant_id,
                zone=self.question.zone,
                cutoff=cutoff,
                uncertain_by=uncertain_by,
                now=self.now,
            )
        )
        return any(not self._differences(key, each, theirs) for each in found)

    def _slept(self, theirs: Mapping[str, Any]) -> list[str]:
        """The days that the older side owes and has not: from its first one in the answer up to the last that is due."""
        asked = self.question
        last = local_date(instant=asked.asked_at - self.declaration.grace, zone_name=asked.zone)
        first = min((date.fromisoformat(key) for key in theirs), default=last)
        first = max(first, last - ONE_DAY * (asked.days - 1))
        days = dates(first=first, last=last, zone_name=asked.zone)
        return [day.isoformat() for day in days if day.isoformat() not in theirs]


def _counted_then(cutoff: Cutoff) -> Cutoff:
    """Whoever counts at an instant knows what was told by then."""
    return replace(cutoff, known_at=cutoff.happened_before)


def _nothing(key: str, declaration: Declaration) -> Difference:
    return Place().into(declaration.elements).at(key).differs(Kind.EXTRA, None, None)


def _gained(
    then: Mapping[str, Mapping[str, Any]], today: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """What changed, where both are known."""
    found: dict[str, dict[str, float]] = {}
    for key, figures in then.items():
        now = today.get(key, {})
        gains = {name: _less(now.get(name, ABSENT), value) for name, value in figures.items()}
        if changed := {name: by for name, by in gains.items() if by}:
            found[key] = changed
    return found


def _less(now: Any, then: Any) -> float:
    return now - then if isinstance(now, int | float) and isinstance(then, int | float) else 0


def _since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 3)
