"""Gate decision: whether enough is proven for the next stage, from counts alone. Equal inputs give an equal digest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from analytics.drift.arithmetic.parity import added, lower_bound, parity_of, worst
from analytics.drift.arithmetic.report_sentences import comparisons_of
from analytics.drift.arithmetic.stages import next_stage
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.pure.canonical import digest
from analytics.pure.stages import Stage

SATURDAY: Final = 5
TENTH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is asked for. Per million, so that no float is part of a digest.

    The share that differs is below `most_wrong`, with a confidence of 95 %, over all comparisons of a tenant; below
    `most_wrong_anywhere` in each stratum that has a difference or is a tenth of them. `window_days` are fixed
    beforehand: whoever looks until it fits has proven nothing.
    """

    most_wrong: int = 1_000
    most_wrong_anywhere: int = 10_000
    window_days: int = 30
    least_days: int = 7
    signature_days: int = 7
    drill_days: int = 30
    quiet_days: int = 1


DEFAULT_BOUNDS: Final = Bounds()
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is known on a local day. All dates are the tenant's.

    `strata`: comparisons by shape and verdict whose cut-off the older side told. `days`: those with a conclusive one.
    `signatures`: causes of drift, with the day on which each was last seen.
    """

    capability: str
    definition: str
    stage: Stage
    today: date
    strata: Mapping[str, Mapping[Verdict, int]]
    days: Sequence[date]
    signatures: Mapping[str, date]
    drilled_on: date | None
    demoted_on: date | None
    bounds: Bounds = DEFAULT_BOUNDS

    def told(self) -> dict[str, Any]:
        """All of it in words and whole numbers, as it is kept and digested."""
        return {
            "capability": self.capability,
            "definition": self.definition,
            "stage": self.stage.value,
            "today": self.today,
            "strata": {name: {str(each): n for each, n in counts.items()} for name, counts in self.strata.items()},
            "days": sorted(set(self.days)),
            "signatures": dict(self.signatures),
            "drilledOn": self.drilled_on,
            "demotedOn": self.demoted_on,
            "bounds": {name: getattr(self.bounds, name) for name in Bounds.__dataclass_fields__},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The decision. `reasons` say what is missing, and are empty for one that passes."""

    next_stage: Stage | None
    passes: bool
    reasons: Sequence[str]
    inputs_digest: str


def gate(inputs: Inputs) -> Gate:
    """Whether the next stage may follow."""
    wanted = next_stage(inputs.stage)
    reasons = _missing(inputs, wanted)
    return Gate(next_stage=wanted, passes=not reasons, reasons=reasons, inputs_digest=digest(inputs.told()))


def needed(*, most_wrong: int) -> int:
    """How many comparisons without a difference prove that share, per million: about three divided by it."""
    low, high = 1, 10 * MILLION
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _proves(good=middle, of=middle, most_wrong=most_wrong) else (middle + 1, high)
    return low


def _missing(inputs: Inputs, wanted: Stage | None) -> list[str]:
    if wanted is None:
        return ["The switch is complete: there is no further stage."]
    if wanted is Stage.SHADOW:  # where nobody is answered by us, nothing has to be proven
        return []
    checks = (_bound, _worst, _days, _signatures, _drill, _quiet)
    return [reason for check in checks if (reason := check(inputs)) is not None]


def _bound(inputs: Inputs) -> str | None:
    found = parity_of(added(each for counts in inputs.strata.values() for each in counts.items()))
    most, days = inputs.bounds.most_wrong, inputs.bounds.window_days
    if found.conclusive and _proves(good=found.good, of=found.conclusive, most_wrong=most):
        return None
    least, bad = needed(most_wrong=most), found.conclusive - found.good
    so_far = f"{found.conclusive:,} conclusive comparisons of the last {days} days with {bad:,} that differ"
    return (
        f"That at most {_percent(most)} of the answers differ is not proven by {so_far};"
        f" it takes {least:,} without any, more with some."
    )


def _worst(inputs: Inputs) -> str | None:
    # A small stratum without a difference proves little and hides nothing: one in it would count over all.
    total = sum(parity_of(counts).conclusive for counts in inputs.strata.values())
    known = {name: parity_of(counts) for name, counts in inputs.strata.items()}
    name = worst(
        {
            name: inputs.strata[name]
            for name, found in known.items()
            if found.good < found.conclusive or TENTH * found.conclusive >= total
        }
    )
    if name is None:
        return None
    found, most = parity_of(inputs.strata[name]), inputs.bounds.most_wrong_anywhere
    if _proves(good=found.good, of=found.conclusive, most_wrong=most):
        return None
    return (
        f"Least is proven of {comparisons_of(name)}: {found.good:,} of {found.conclusive:,} are equal;"
        f" {needed(most_wrong=most):,} without a difference would show that at most {_percent(most)} differ."
    )


def _days(inputs: Inputs) -> str | None:
    days = set(inputs.days)
    if len(days) < inputs.bounds.least_days:
        so_far = "1 day" if len(days) == 1 else f"{len(days)} days"
        return f"There are comparisons of {so_far}; it takes {inputs.bounds.least_days}, with a weekend."
    weekend = any(day.weekday() == SATURDAY and day + timedelta(days=1) in days for day in days)
    return None if weekend else "The days with comparisons have no weekend among them, a Saturday with its Sunday."


def _signatures(inputs: Inputs) -> str | None:
    since = inputs.today - timedelta(days=inputs.bounds.signature_days)
    still = sorted(name for name, day in inputs.signatures.items() if day > since)
    if not still:
        return None
    more = f", and {len(still) - 1} more" if len(still) > 1 else ""
    return (
        f"A cause of drift is open: {still[0]}{more}. It is closed once it was not seen for"
        f" {inputs.bounds.signature_days} days."
    )


def _drill(inputs: Inputs) -> str | None:
    if inputs.drilled_on and inputs.drilled_on > inputs.today - timedelta(days=inputs.bounds.drill_days):
        return None
    last = f"the last one was on {inputs.drilled_on}" if inputs.drilled_on else "there was none yet"
    return (
        f"The way back was not drilled within {inputs.bounds.drill_days} days, {last}: run `manage.py drill_rollback`."
    )


def _quiet(inputs: Inputs) -> str | None:
    if inputs.demoted_on is None or inputs.demoted_on < inputs.today - timedelta(days=inputs.bounds.quiet_days):
        return None
    return f"It was taken back for a breach on {inputs.demoted_on}; it stays for {inputs.bounds.quiet_days} day after."


def _proves(*, good: int, of: int, most_wrong: int) -> bool:
    return (1 - lower_bound(good=good, of=of)) * MILLION <= most_wrong


def _percent(per_million: int) -> str:
    return f"{per_million / 10_000:g} %"
