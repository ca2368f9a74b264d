"""Objectives that an answer counts for, and whether it is good by them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from tasks_app.errors import Code
from tasks_app.observing.objectives import ASYNCHRONOUS, AVAILABILITY, FRESHNESS, SUMMARY, SYNCHRONOUS, Objective

# What an operation is called whose name nobody but its caller has chosen: a label must not be for strangers to fill.
OTHER = "other"
SUMMARIES = frozenset({"summary"})
NOT_OURS = frozenset(Code) - {Code.INTERNAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One answer as it was given: how long it took on a monotonic clock, and how old the oldest data in it is.

    `codes` are those of its errors. `age` is None where nothing was counted that could be old; `timed_out` when the
    database gave up on it. `is_job`: `took` is from a job's acceptance to its being ready.
    """

    took: timedelta
    codes: frozenset[str] = frozenset()
    timed_out: bool = False
    age: timedelta | None = None
    operation: str = OTHER
    is_job: bool = False

    @property
    def failed(self) -> bool:
        """Whether it is no answer, by a fault of ours: also one with a code that no caller's fault has."""
        return self.timed_out or not self.codes <= NOT_OURS

    @property
    def handed_over(self) -> bool:
        """Whether a job answers instead."""
        return Code.ASYNC_REQUIRED in self.codes

    @property
    def refused(self) -> bool:
        """Whether it is no answer, by a fault of the caller's. Not counted, or bad requests would thin out our failures."""
        return bool(self.codes) and not (self.failed or self.handed_over)


class Verdict(NamedTuple):
    """An objective that an answer counts for, whether it is good by it, and the time that says so, where there is one."""

    name: str
    good: bool
    seconds: float | None = None


# By an objective's name: whether the answer is good, None where it does not count.
Rule = Callable[[Served, Objective], bool | None]


def verdicts(served: Served, objectives: Iterable[Objective]) -> Iterator[Verdict]:
    """The objectives that the answer counts for."""
    for objective in objectives:
        good = None if served.refused else RULES[objective.name](served, objective)
        if good is not None:
            yield Verdict(objective.name, good, _measured(served, objective))


# Refusals are counted by their codes, beside the objectives and for none of them.
REFUSED = "refused "


def refusals(served: Served) -> Iterator[Verdict]:
    """One for each code with which a request was refused by a fault of its own, or for its cost; a job was none."""
    codes = frozenset() if served.is_job else served.codes & NOT_OURS - {Code.ASYNC_REQUIRED}
    return (Verdict(f"{REFUSED}{code}", False) for code in sorted(codes))


def _measured(served: Served, objective: Objective) -> float | None:
    """A failed job has no time: it was soon over, and not because it was fast."""
    if objective.within is None or (served.is_job and served.failed):
        return None
    time = served.age if objective.name == FRESHNESS else served.took
    return None if time is None else time.total_seconds()


def _available(served: Served, _: Objective) -> bool | None:
    return None if served.is_job else not served.failed


def _fresh(served: Served, objective: Objective) -> bool | None:
    if served.age is None or served.failed or served.handed_over:
        return None
    return objective.within is None or served.age <= objective.within


def _summarised(served: Served, objective: Objective) -> bool | None:
    return _in_time(served, objective) if served.operation in SUMMARIES and not served.is_job else None


def _answered_at_once(served: Served, objective: Objective) -> bool | None:
    return None if served.operation in SUMMARIES or served.is_job else _in_time(served, objective)


def _ready(served: Served, objective: Objective) -> bool | None:
    if not served.is_job:
        return None
    return not served.failed and (objective.within is None or served.took <= objective.within)


def _in_time(served: Served, objective: Objective) -> bool | None:
    """A failure is soon told, and says nothing of how fast answers are; one that timed out says that they are slow."""
    if served.handed_over or (served.failed and not served.timed_out):
        return None
    return not served.timed_out and (objective.within is None or served.took <= objective.within)


RULES: Mapping[str, Rule] = {
    AVAILABILITY: _available,
    FRESHNESS: _fresh,
    SUMMARY: _summarised,
    SYNCHRONOUS: _answered_at_once,
    ASYNCHRONOUS: _ready,
}
