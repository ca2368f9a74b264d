"""Objectives, what is promised of the answers, as data: the API, the admin page and the alerts are made from this.

Knows nothing of Django, for the settings are made with it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

AVAILABILITY: Final = "availability"
FRESHNESS: Final = "freshness"
SUMMARY: Final = "latency_summary"
SYNCHRONOUS: Final = "latency_synchronous"
ASYNCHRONOUS: Final = "latency_asynchronous"
TAIL: Final = "tail"
WORKER: Final = "worker"

LONGEST_WINDOW_DAYS: Final = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """At least `share` of the answers that count are good, over the last `window_days` days of UTC, today included.

    `within` is what makes an answer good, where that is a time. Of fewer than `min_events` answers no rate is told: one
    failure in 12 says nothing. `sentence` tells people which answers count and which are good.
    """

    name: str
    sentence: str
    share: float
    window_days: int = 30
    within: timedelta | None = None
    min_events: int = 100

    @property
    def budget(self) -> float:
        """The share of answers that may be bad."""
        return 1 - self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that must never be older than `after`; `gauge` is the metric, in seconds, that tells its age."""

    name: str
    sentence: str
    gauge: str
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevels:
    """Everything that is promised."""

    objectives: tuple[Objective, ...]
    alarms: tuple[Alarm, ...]

    def objective(self, name: str) -> Objective:
        """The one of that name."""
        return next(each for each in self.objectives if each.name == name)

    @property
    def fresh_within(self) -> timedelta:
        """Data that is older is stale."""
        within = self.objective(FRESHNESS).within
        assert within is not None  # noqa: S101 - the default has one, and an override has another
        return within

    def alarm(self, name: str) -> Alarm:
        """The one of that name."""
        return next(each for each in self.alarms if each.name == name)


DEFAULTS: Final = ServiceLevels(
    objectives=(
        Objective(
            name=AVAILABILITY,
            sentence="Answers that are no failure of ours. What was refused for a fault of the caller's does not count.",
            share=0.995,
        ),
        Objective(
            name=FRESHNESS,
            sentence="Analytics answered with every fact that was recorded up to so long before.",
            share=0.99,
            within=timedelta(seconds=5),
        ),
        Objective(
            name=SUMMARY,
            sentence="Summaries that were answered in time, of those that were answered.",
            share=0.95,
            within=timedelta(milliseconds=300),
        ),
        Objective(
            name=SYNCHRONOUS,
            sentence="Other answers given at once that were given in time. What was handed over to a job is not among them.",
            share=0.95,
            within=timedelta(seconds=2),
        ),
        Objective(
            name=ASYNCHRONOUS,
            sentence="Jobs that were ready in time after they were accepted. One that failed is late.",
            share=0.95,
            within=timedelta(seconds=60),
        ),
    ),
    alarms=(
        Alarm(
            name=TAIL,
            sentence="A fact has waited for longer than it should to be folded. Answers are right, and slower.",
            gauge="flowledger_tail_oldest_seconds",
            after=timedelta(minutes=5),
        ),
        Alarm(
            name=WORKER,
            sentence="The worker has not been heard of. Answers are right; jobs and folding wait.",
            gauge="flowledger_worker_silent_seconds",
            after=timedelta(minutes=5),
        ),
    ),
)


def chosen(text: str) -> ServiceLevels:
    """The defaults with what `text` has otherwise; ValueError with one sentence when it cannot be that.

    `text` is empty or JSON: {"availability": {"share": 0.999, "windowDays": 28}, "tail": {"seconds": 120}}.
    """
    if not text.strip():
        return DEFAULTS
    try:
        asked = json.loads(text)
    except ValueError:
        raise ValueError("this is not JSON") from None
    if not (isinstance(asked, dict) and all(isinstance(each, dict) for each in asked.values())):
        raise ValueError("give an object of objects, by the names of objectives")
    known = [*(each.name for each in DEFAULTS.objectives), *(each.name for each in DEFAULTS.alarms)]
    if unknown := sorted(set(asked) - set(known)):
        raise ValueError(f"there is no {unknown[0]!r}; the names are {', '.join(known)}")
    return ServiceLevels(
        objectives=tuple(_objective(each, asked.get(each.name, {})) for each in DEFAULTS.objectives),
        alarms=tuple(_alarm(each, asked.get(each.name, {})) for each in DEFAULTS.alarms),
    )


def _objective(default: Objective, asked: Mapping[str, Any]) -> Objective:
    known = ["share", "windowDays", "minEvents", *(["seconds"] if default.within else [])]
    _check_words(default.name, asked, known)
    share = _number(default.name, asked, "share", default.share, above=0, below=1)
    days = _number(default.name, asked, "windowDays", default.window_days, above=0, below=LONGEST_WINDOW_DAYS + 1)
    events = _number(default.name, asked, "minEvents", default.min_events, above=0, below=1_000_000)
    within = default.within and _seconds(default.name, asked, default.within)
    return replace(default, share=float(share), window_days=int(days), min_events=int(events), within=within)


def _alarm(default: Alarm, asked: Mapping[str, Any]) -> Alarm:
    _check_words(default.name, asked, ["seconds"])
    return replace(default, after=_seconds(default.name, asked, default.after))


def _check_words(name: str, asked: Mapping[str, Any], known: Sequence[str]) -> None:
    if unknown := sorted(set(asked) - set(known)):
        raise ValueError(f"{name} has no {unknown[0]!r}; it has {', '.join(known)}")


def _seconds(name: str, asked: Mapping[str, Any], default: timedelta) -> timedelta:
    return timedelta(seconds=_number(name, asked, "seconds", default.total_seconds(), above=0, below=86_400))


def _number(name: str, asked: Mapping[str, Any], word: str, default: float, *, above: float, below: float) -> float:
    value = asked.get(word, default)
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not above < value < below:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name}.{word} is {value!r}: give {kind} above {above:g} and below {below:g}")
    return value
