"""Alerting rules for Prometheus, made from what is promised: budgets that go too fast, and things that are too old.

A budget's alert needs both a long and a short window to be bad, so that it comes for what lasts and ends soon after it;
and so many answers in the long one, for one failure in 12 is not worth waking anybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tasks_app.observing.objectives import Alarm, Objective, ServiceLevels

Rule = dict[str, Any]

GOOD: Final = "flowledger_service_level_good_total"
VALID: Final = "flowledger_service_level_valid_total"
UNITS: Final = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "m"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """Within `long` the given part of the whole window's budget was used up, and it goes on within `short`."""

    pace: str
    long: timedelta
    short: timedelta
    part: float
    severity: str

    def threshold(self, objective: Objective) -> float:
        """The share of bad answers that does that."""
        rate = self.part * (timedelta(days=objective.window_days) / self.long)
        return rate * objective.budget


BURNS: Final = (
    Burn(pace="Fast", long=timedelta(hours=1), short=timedelta(minutes=5), part=0.02, severity="page"),
    Burn(pace="Steadily", long=timedelta(hours=6), short=timedelta(minutes=30), part=0.05, severity="page"),
    Burn(pace="Slowly", long=timedelta(days=3), short=timedelta(hours=6), part=0.1, severity="ticket"),
)


def rules(promised: ServiceLevels) -> dict[str, Any]:
    """A rule file, as plain data. Written as JSON it is YAML, too."""
    records = [*_ratios(), *_amounts()]
    burns = [rule for objective in promised.objectives for rule in _burn_alerts(objective)]
    alarms = [*(_alarm(alarm) for alarm in promised.alarms), DROPPED]
    return {
        "groups": [
            {"name": "flowledger-answers", "rules": records},
            {"name": "flowledger-objectives", "rules": burns},
            {"name": "flowledger-alarms", "rules": alarms},
        ]
    }


def _ratios() -> Iterator[Rule]:
    for window in sorted({window for burn in BURNS for window in (burn.long, burn.short)}):
        name = _written(window)
        good, valid = (f"sum by (objective) (rate({metric}[{name}]))" for metric in (GOOD, VALID))
        yield {"record": _ratio(window), "expr": f"1 - {good} / {valid}"}


def _amounts() -> Iterator[Rule]:
    for burn in BURNS:
        yield {"record": _amount(burn.long), "expr": f"sum by (objective) (increase({VALID}[{_written(burn.long)}]))"}


def _burn_alerts(objective: Objective) -> Iterator[Rule]:
    """A budget so large that no failure could use it up at that pace has no alert for the pace."""
    of_it = f'{{objective="{objective.name}"}}'
    for burn in BURNS:
        threshold = round(burn.threshold(objective), 6)
        if threshold >= 1:
            continue
        bad = [f"{_ratio(window)}{of_it} > {threshold:g}" for window in (burn.long, burn.short)]
        enough = f"{_amount(burn.long)}{of_it} >= {objective.min_events}"
        words = "".join(word.capitalize() for word in objective.name.split("_"))
        yield {
            "alert": f"Flowledger{words}Burns{burn.pace}",
            "expr": " and ".join([*bad, enough]),
            "labels": {"severity": burn.severity, "objective": objective.name},
            "annotations": {
                "summary": f"{objective.name}: {burn.part:.0%} of the budget of {objective.window_days} days went in"
                f" {_written(burn.long)}.",
                "description": f"{objective.sentence} At least {objective.share:.2%} are to be good{_limit(objective)}.",
            },
        }


def _limit(objective: Objective) -> str:
    return f", within {objective.within.total_seconds():g} s" if objective.within else ""


def _alarm(alarm: Alarm) -> Rule:
    return {
        "alert": f"Flowledger{alarm.name.capitalize()}TooOld",
        "expr": f"max({alarm.gauge}) > {alarm.after.total_seconds():g}",
        "labels": {"severity": "ticket", "alarm": alarm.name},
        "annotations": {
            "summary": f"{alarm.name}: older than {_written(alarm.after)}.",
            "description": alarm.sentence,
        },
    }


DROPPED: Final[Rule] = {
    "alert": "FlowledgerCountsDropped",
    "expr": "increase(flowledger_counts_dropped_total[1h]) > 0",
    "labels": {"severity": "ticket"},
    "annotations": {
        "summary": "Counts of answers were dropped.",
        "description": "They could not be written to the database for long; the service levels lack them.",
    },
}


def _ratio(window: timedelta) -> str:
    return f"flowledger:bad:ratio_{_written(window)}"


def _amount(window: timedelta) -> str:
    return f"flowledger:valid:increase_{_written(window)}"


def _written(length: timedelta) -> str:
    """As Prometheus has it: 3d, 6h, 5m; else in seconds."""
    return next(
        (f"{length // unit}{sign}" for unit, sign in UNITS if not length % unit), f"{length.total_seconds():.0f}s"
    )
