"""Ticks of a chart's axes: round numbers, and round local times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from analytics.pure.zones import first_instant, local_date, zone

MOST_TICKS: Final = 10
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the axis of time. `sub` is a second line, for what did not change since the mark before."""

    at: datetime
    label: str
    sub: str = ""


def number_ticks(*, largest: int, wanted: int = 6) -> list[int]:
    """0 and round whole numbers in even steps, the last at or above `largest` and above 0."""
    step = next(step for step in _round_steps() if step * (wanted - 1) >= max(largest, 1))
    count = -(-max(largest, 1) // step)
    return [step * number for number in range(count + 1)]


def _round_steps() -> Sequence[int]:
    return [factor * 10**power for power in range(18) for factor in (1, 2, 5)]


def time_ticks(*, start: datetime, end: datetime, zone_name: str) -> list[Tick]:
    """At most about ten marks inside [start, end], at round times, midnights, or first days of months of the zone."""
    span = end - start
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720):
        if span <= MOST_TICKS * minutes * MINUTE:
            return _times(start, end, zone_name, step=minutes)
    for days in (1, 2, 5, 10, 15):
        if span <= MOST_TICKS * timedelta(days=days):
            return _dates(start, end, zone_name, choose=_day_steps(days), label=_day_label)
    for months in (1, 2, 3, 6):
        if span <= MOST_TICKS * timedelta(days=31 * months):
            return _dates(start, end, zone_name, choose=_month_steps(months), label=_month_label)
    years = next(step for step in _round_steps() if span <= MOST_TICKS * timedelta(days=366 * step))
    return _dates(start, end, zone_name, choose=_month_steps(12 * years), label=_year_label)


Choose = Callable[[date], bool]
Label = Callable[[date], tuple[str, str]]


def _day_steps(step: int) -> Choose:
    # Counted within the month, so that the first is always marked; the last days of a month would crowd it.
    return lambda day: (day.day - 1) % step == 0 and (step == 1 or day.day + step // 2 <= 31)


def _month_steps(step: int) -> Choose:
    return lambda day: day.day == 1 and (day.year * 12 + day.month - 1) % step == 0


def _day_label(day: date) -> tuple[str, str]:
    return f"{day.day} {day:%b}", str(day.year)


def _month_label(day: date) -> tuple[str, str]:
    return f"{day:%b}", str(day.year)


def _year_label(day: date) -> tuple[str, str]:
    return str(day.year), ""


def _dates(start: datetime, end: datetime, zone_name: str, *, choose: Choose, label: Label) -> list[Tick]:
    first, last = local_date(instant=start, zone_name=zone_name), local_date(instant=end, zone_name=zone_name)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    places = [(first_instant(day=day, zone_name=zone_name), day) for day in days if choose(day)]
    return _marked([(at, *label(day)) for at, day in places if start <= at <= end])


def _times(start: datetime, end: datetime, zone_name: str, *, step: int) -> list[Tick]:
    """Every `step` minutes of the local clock. Steps are of elapsed time, so that no hour is lost or doubled."""
    rules = zone(zone_name)
    midnight = first_instant(day=local_date(instant=start, zone_name=zone_name), zone_name=zone_name)
    stride = min(step, 30) * MINUTE
    instants = [midnight + number * stride for number in range((end - midnight) // stride + 1)]
    places = [(at, at.astimezone(rules)) for at in instants if at >= start]
    return _marked(
        [
            (at, f"{local:%H:%M}", f"{local.day} {local:%b %Y}")
            for at, local in places
            if (local.hour * 60 + local.minute) % step == 0
        ]
    )


def _marked(places: Sequence[tuple[datetime, str, str]]) -> list[Tick]:
    before = [""] + [sub for _, _, sub in places]
    return [
        Tick(at=at, label=label, sub=sub if sub != earlier else "")
        for (at, label, sub), earlier in zip(places, before, strict=False)
    ]
