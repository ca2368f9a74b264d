"""Service levels page: how far they are kept in what was answered to the tenant, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString, mark_safe

from analytics.engine.reading.fold_lag import folded_families
from analytics.pictures.sparkline import Sparkline, percent, sparkline
from tasks_app.admin.visits import Visit
from tasks_app.observing.levels import Level, levels, share
from tasks_app.observing.objectives import TAIL, Objective

NOTHING = "nothing counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One objective, as people read it."""

    level: Level

    @property
    def name(self) -> str:
        """Its name in words."""
        return self.level.objective.name.replace("_", " ").capitalize()

    @property
    def promised(self) -> str:
        """The share, the time and the window."""
        objective = self.level.objective
        return f"at least {percent(objective.share)} over {objective.window_days} days{_within(objective)}"

    @property
    def attained(self) -> str:
        """The share of good answers."""
        return percent(self.level.attained) if self.level.attained is not None else ""

    @property
    def verdict(self) -> str:
        """Whether the promise is kept, in a word: not by a colour."""
        if self.level.attained is None:
            return NOTHING
        return "kept" if self.level.attained >= self.level.objective.share else "missed"

    @property
    def seconds(self) -> str:
        """Within which time the promised share was given, where there are times."""
        found, objective = self.level.seconds, self.level.objective
        return f"{objective.share:.0%} within {found:g} s" if found is not None else ""

    @property
    def good(self) -> str:
        """Good answers."""
        return f"{self.level.count.good:,}"

    @property
    def valid(self) -> str:
        """Answers that count."""
        return f"{self.level.count.valid:,}"

    @property
    def budget_left(self) -> str:
        """Of the answers that may be bad."""
        left = self.level.budget_left
        if left is None:
            return ""
        return f"{left:.0%} left" if left >= 0 else f"{1 - left:.1f} times as many were"

    @property
    def burn_rate(self) -> str:
        """Of the last hour."""
        rate = self.level.burn_rate
        if rate is None:
            return f"fewer than {self.level.objective.min_events} answers"
        return f"{rate:.1f} times the pace"

    @property
    def picture(self) -> SafeString:
        """The days."""
        return mark_safe(sparkline(self._chart()))  # noqa: S308 - drawn here, its words are escaped

    @property
    def days(self) -> Sequence[tuple[str, int, int, str]]:
        """The same as numbers, the latest first, days without answers left out."""
        found = [
            (day.isoformat(), count.good, count.valid, percent(count.good / count.valid))
            for day, count in self.level.by_day
            if count.valid
        ]
        return found[::-1]

    def _chart(self) -> Sparkline:
        by_day = self.level.by_day
        return Sparkline(
            title=self.name,
            days=[day.isoformat() for day, _ in by_day],
            shares=[share(count) for _, count in by_day],
            target=self.level.objective.share,
        )


def service_levels(visit: Visit) -> HttpResponseBase:
    """The page. What was answered to other tenants is not in it."""
    promised = settings.FLOWLEDGER_SERVICE_LEVELS
    found = levels(tenant_id=visit.tenant.id, objectives=promised.objectives, now=visit.now)
    return visit.page(
        "admin/levels.html",
        title="Service levels",
        levels=[Shown(level=each) for each in found],
        tail=_tail(visit, limit_minutes=promised.alarm(TAIL).after.total_seconds() / 60),
    )


def _tail(visit: Visit, *, limit_minutes: float) -> list[dict[str, object]]:
    found = folded_families(tenant_id=visit.tenant.id)
    return [
        {
            "family": each.family,
            "rows": each.tail_rows,
            "minutes": _minutes_since(each.oldest_tail_at, now=visit.now),
            "late": each.oldest_tail_at is not None
            and _minutes_since(each.oldest_tail_at, now=visit.now) > limit_minutes,
            "limit": f"{limit_minutes:g}",
        }
        for each in found
    ]


def _minutes_since(instant: datetime | None, *, now: datetime) -> float:
    return max((now - instant).total_seconds() / 60, 0) if instant else 0


def _within(objective: Objective) -> str:
    return f", within {objective.within.total_seconds():g} s" if objective.within else ""
