"""Overlay picture of two daily series: ours as a line, theirs as rings, and a hatched band on each day that differs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Final

from analytics.pictures.svg import (
    INK,
    QUIET,
    SOLID,
    WIDTH,
    Counts,
    Plot,
    document,
    frame,
    hatching,
    line,
    nothing,
    number_axis,
    shown,
    text,
)
from analytics.pictures.ticks import number_ticks

LEFT: Final = 56
RIGHT: Final = 28
TOP: Final = 40
PLOT_HEIGHT: Final = 150
BELOW: Final = 40
MOST_LABELS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What to draw: both counts of each day, None where there is none. `slug` names the picture on its page."""

    slug: str
    title: str
    description: str
    days: Sequence[date]
    ours: Counts
    theirs: Counts

    @property
    def differing(self) -> list[int]:
        """The places of the days on which both have a count, and not the same, or only one has."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [place for place, (ours, theirs) in enumerate(pairs) if ours != theirs]


def overlay_svg(chart: Overlay) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    scale = _Scale(chart=chart)
    plot, pattern = scale.plot, f"{chart.slug}-differs"
    parts = [
        hatching(pattern, colour=QUIET),
        *number_axis(plot, scale.ticks, y=scale.y, label=lambda tick: f"{tick:,}", name="Items"),
        *_bands(scale, pattern),
        *_line(scale),
        *_rings(scale),
        *frame(plot),
        *_dates(scale),
        text(plot.right, plot.top - 18, "line: ours, rings: theirs, hatched: they differ", anchor="end", fill=QUIET),
    ]
    if not chart.days:
        parts.append(nothing(plot, "No day was compared."))
    height = plot.bottom + BELOW
    return document(slug=chart.slug, title=chart.title, description=chart.description, height=height, parts=parts)


@dataclass(frozen=True, kw_only=True)
class _Scale:
    chart: Overlay

    @cached_property
    def plot(self) -> Plot:
        return Plot(left=LEFT, top=TOP, width=WIDTH - LEFT - RIGHT, height=PLOT_HEIGHT)

    @cached_property
    def ticks(self) -> list[int]:
        known = (count for count in (*self.chart.ours, *self.chart.theirs) if count is not None)
        return number_ticks(largest=max(known, default=0))

    @cached_property
    def step(self) -> float:
        return self.plot.width / max(1, len(self.chart.days))

    def x(self, place: int) -> float:
        """The middle of that day."""
        return round(self.plot.left + self.step * (place + 0.5), 1)

    def y(self, count: float) -> float:
        return round(self.plot.bottom - self.plot.height * count / self.ticks[-1], 1)


def _bands(scale: _Scale, pattern: str) -> Iterator[str]:
    chart = scale.chart
    for place in chart.differing:
        words = f"{chart.days[place]}: ours {_told(chart.ours[place])}, theirs {_told(chart.theirs[place])}"
        yield (
            f'<rect x="{round(scale.x(place) - scale.step / 2, 1)}" y="{scale.plot.top}" width="{round(scale.step, 1)}"'
            f' height="{scale.plot.height}" fill="url(#{pattern})" fill-opacity="0.45"><title>{shown(words)}</title></rect>'
        )


def _line(scale: _Scale) -> Iterator[str]:
    """From day to day, broken where there is no count."""
    ours = scale.chart.ours
    for place, (here, there) in enumerate(pairwise(ours)):
        if here is not None and there is not None:
            yield line(scale.x(place), scale.y(here), scale.x(place + 1), scale.y(there), stroke=SOLID, width=2)


def _rings(scale: _Scale) -> Iterator[str]:
    for place, count in enumerate(scale.chart.theirs):
        if count is not None:
            yield (
                f'<circle cx="{scale.x(place)}" cy="{scale.y(count)}" r="3.2" fill="#ffffff" fill-opacity="0.6"'
                f' stroke="{INK}"/>'
            )


def _dates(scale: _Scale) -> Iterator[str]:
    """A few days by their dates, evenly spread, the first one among them."""
    every = -(-len(scale.chart.days) // MOST_LABELS) or 1
    for place in range(0, len(scale.chart.days), every):
        x = scale.x(place)
        yield line(x, scale.plot.bottom, x, scale.plot.bottom + 5)
        yield text(x, scale.plot.bottom + 19, scale.chart.days[place].isoformat(), anchor="middle")


def _told(count: int | None) -> str:
    return "nothing" if count is None else f"{count:,}"
