"""Service levels: shares of good answers over their windows, and how fast the budget of bad ones goes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tasks_app.observing.counting import Count
from tasks_app.observing.latency_histogram import within
from tasks_app.observing.objectives import Objective
from tasks_app.observing.rows import Counted, days, minutes, totals

NONE: Final = Count(0, 0)
# A rate is that of so long before now. A crash of the server empties the minutes; until then there is none.
RATE_OVER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One objective as it stands. `by_day` has the window's days, the oldest first; `recent` the last hour."""

    objective: Objective
    by_day: tuple[tuple[date, Count], ...]
    recent: Count

    @property
    def count(self) -> Count:
        """Of the whole window."""
        return total(count for _, count in self.by_day)

    @property
    def attained(self) -> float | None:
        """The share of good answers; None where none counted."""
        return share(self.count)

    @property
    def seconds(self) -> float | None:
        """Within so many the promised share of the answers is, by steps: never too low. None where no time was taken."""
        return within(self.count.spread, share=self.objective.share)

    @property
    def burn_rate(self) -> float | None:
        """How fast the last hour used the budget up: see `burn_rate`."""
        return burn_rate(self.recent, objective=self.objective)

    @property
    def budget_left(self) -> float | None:
        """The part of the window's budget that is left, below 0 where it was overdrawn; None where none counted."""
        attained = self.attained
        return None if attained is None else 1 - (1 - attained) / self.objective.budget


def share(count: Count) -> float | None:
    """The share of good ones; None of nothing."""
    return count.good / count.valid if count.valid else None


def burn_rate(count: Count, *, objective: Objective) -> float | None:
    """The share of bad answers as a multiple of what may be bad: at 1 the budget lasts exactly the window.

    None of fewer answers than the objective asks for: one failure in 12 is not an alarm.
    """
    if count.valid < objective.min_events:
        return None
    return (1 - count.good / count.valid) / objective.budget


def total(counts: Iterable[Count]) -> Count:
    """All together."""
    found = NONE
    for count in counts:
        found = found.plus(count)
    return found


def levels(*, tenant_id: int, objectives: Sequence[Objective], now: datetime) -> list[Level]:
    """Each objective for the answers to one tenant; in the tenant's transaction, two statements."""
    recent = _by_objective(minutes(tenant_id=tenant_id, since=now - RATE_OVER))
    counted = _by_objective(days(tenant_id=tenant_id, since=min(_days(each, now=now)[0] for each in objectives)))
    return [
        Level(
            objective=each,
            by_day=_filled(each, counted.get(each.name, ()), now=now),
            recent=total(minute.count for minute in recent.get(each.name, ())),
        )
        for each in objectives
    ]


def overall(*, objectives: Sequence[Objective], now: datetime) -> list[Level]:
    """Each objective for the whole installation, without a recent rate: that one is for what reads /metrics."""
    counted = _by_objective(totals(since=min(_days(each, now=now)[0] for each in objectives)))
    return [
        Level(objective=each, by_day=_filled(each, counted.get(each.name, ()), now=now), recent=NONE)
        for each in objectives
    ]


def _days(objective: Objective, *, now: datetime) -> list[date]:
    today = now.astimezone(UTC).date()
    return [today - timedelta(days=ago) for ago in reversed(range(objective.window_days))]


def _filled(objective: Objective, counted: Iterable[Counted], *, now: datetime) -> tuple[tuple[date, Count], ...]:
    found = {each.at: each.count for each in counted}
    return tuple((day, found.get(day, NONE)) for day in _days(objective, now=now))


def _by_objective(counted: Iterable[Counted]) -> Mapping[str, list[Counted]]:
    found: dict[str, list[Counted]] = {}
    for each in counted:
        found.setdefault(each.objective, []).append(each)
    return found
