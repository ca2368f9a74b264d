"""Cycle time scatter picture: a point per finished item at its finish, and percentiles as lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from analytics.pictures.svg import (
    INK,
    SOLID,
    WIDTH,
    Plot,
    TimeScale,
    document,
    frame,
    leader,
    line,
    nothing,
    number_axis,
    present,
    shown,
    spread,
    text,
    time_axis,
)
from analytics.pure.lengths import DAY, duration_text, duration_ticks, short_duration

LEFT: Final = 66
RIGHT: Final = 138
TOP: Final = 40
PLOT_HEIGHT: Final = 330
BELOW: Final = 76
# So many points have a name each; more of them are drawn in one stroke, one for all of the same place.
MOST_NAMED: Final = 1_000
# An axis that reaches to a few far ones would press all others into one line.
FAR: Final = 3.0
REACH: Final = 1.5
DASHES: Final = ("2 3", "7 4", "12 4 2 4")


class Dot(NamedTuple):
    """A finished item and its time in seconds; a `hollow` one holds more than work."""

    name: str
    at: datetime
    seconds: float
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A percentile: so many per cent took no longer."""

    percent: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """What to draw: the items that finished from `start` up to `end`, and the percentiles of all of them, rising."""

    title: str
    description: str
    zone: str
    start: datetime
    end: datetime
    dots: Sequence[Dot]
    levels: Sequence[Level]
    now: datetime | None = None


def axis_end(*, seconds: Sequence[float], levels: Sequence[Level]) -> float:
    """How far the axis of times reaches: to the longest, or, where that is far beyond, to what most need."""
    longest = max(seconds, default=0.0)
    most = levels[-1].seconds if levels else longest
    return most * REACH if most and longest > most * FAR else longest


def scatter_svg(chart: Scatter) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    scale = _Scale(chart=chart)
    parts = [
        *number_axis(scale.plot, scale.ticks, y=scale.y, label=duration_text, name="Time taken"),
        *frame(scale.plot),
        *time_axis(scale.x, zone=chart.zone),
        *present(scale.x, now=chart.now),
        *_dots(scale),
        *_levels(scale),
        *_signs(scale),
    ]
    if not chart.dots:
        parts.append(nothing(scale.plot, "Nothing that finished in this window has a time to show"))
    height = scale.plot.bottom + BELOW
    return document(slug="cycle-time", title=chart.title, description=chart.description, height=height, parts=parts)


@dataclass(frozen=True, kw_only=True)
class _Scale:
    chart: Scatter

    @cached_property
    def plot(self) -> Plot:
        return Plot(left=LEFT, top=TOP, width=WIDTH - LEFT - RIGHT, height=PLOT_HEIGHT)

    @cached_property
    def ticks(self) -> list[int]:
        chart = self.chart
        end = axis_end(seconds=[dot.seconds for dot in chart.dots], levels=chart.levels)
        return duration_ticks(largest=end if chart.dots else DAY)

    @cached_property
    def x(self) -> TimeScale:
        return TimeScale(plot=self.plot, start=self.chart.start, end=self.chart.end)

    @cached_property
    def beyond(self) -> list[Dot]:
        """The items that are longer than the axis."""
        return [dot for dot in self.chart.dots if dot.seconds > self.ticks[-1]]

    def y(self, seconds: float) -> float:
        return round(TOP + PLOT_HEIGHT * (1 - seconds / self.ticks[-1]), 1)

    def place(self, dot: Dot) -> tuple[float, float]:
        return self.x(dot.at), self.y(min(dot.seconds, self.ticks[-1]))


def _dots(scale: _Scale) -> Iterator[str]:
    dots = [dot for dot in scale.chart.dots if dot.seconds <= scale.ticks[-1]]
    for hollow in (True, False):
        chosen = [dot for dot in dots if dot.hollow is hollow]
        if len(dots) <= MOST_NAMED:
            yield from (_named(scale, dot) for dot in chosen)
        elif chosen:
            yield _stroke(scale, chosen, hollow=hollow)
    for dot in scale.beyond if len(scale.beyond) <= MOST_NAMED else scale.beyond[:MOST_NAMED]:
        x, y = scale.place(dot)
        yield f'<path d="M{x} {y - 6}l5 9h-10z" fill="{INK}">{_words(dot)}</path>'


def _named(scale: _Scale, dot: Dot) -> str:
    x, y = scale.place(dot)
    look = f'fill="#ffffff" stroke="{SOLID}" stroke-width="1.4"' if dot.hollow else f'fill="{SOLID}" fill-opacity="0.6"'
    return f'<circle cx="{x}" cy="{y}" r="3.6" {look}>{_words(dot)}</circle>'


def _words(dot: Dot) -> str:
    return f"<title>{shown(dot.name)}: {duration_text(dot.seconds)}</title>"


def _stroke(scale: _Scale, dots: Sequence[Dot], *, hollow: bool) -> str:
    """All in one: a round stroke of no length at each place, and a white one upon it where they are hollow."""
    places = sorted({(round(x), round(y)) for x, y in map(scale.place, dots)})
    path = "".join(f"M{x} {y}h0" for x, y in places)
    dotted = (
        f'<path d="{path}" stroke="{SOLID}" stroke-width="5" stroke-linecap="round" stroke-opacity="0.55" fill="none"/>'
    )
    inner = f'<path d="{path}" stroke="#ffffff" stroke-width="2.4" stroke-linecap="round" fill="none"/>'
    return dotted + inner if hollow else dotted


def _levels(scale: _Scale) -> Iterator[str]:
    plot, levels = scale.plot, scale.chart.levels
    drawn = [min(level.seconds, scale.ticks[-1]) for level in levels]
    places = spread([scale.y(each) for each in drawn][::-1], step=17, low=plot.top, high=plot.bottom)[::-1]
    for level, seconds, y, dash in zip(levels, drawn, places, DASHES, strict=False):
        at = scale.y(seconds)
        yield line(plot.left, at, plot.right, at, dash=dash, width=1.3)
        yield leader(f"M{plot.right} {at}L{plot.right + 12} {y}h4")
        yield text(
            plot.right + 20, y + 4, f"p{level.percent}  {short_duration(level.seconds)}", extra=' xml:space="preserve"'
        )


def _signs(scale: _Scale) -> Iterator[str]:
    """What the points are, and how many."""
    dots, y = scale.chart.dots, scale.plot.bottom + 62
    hollow = sum(dot.hollow for dot in dots)
    x = scale.plot.left
    yield f'<circle cx="{x + 4}" cy="{y - 4}" r="3.6" fill="{SOLID}" fill-opacity="0.6"/>'
    yield text(x + 14, y, f"{_items(len(dots) - hollow)}")
    if hollow:
        yield f'<circle cx="{x + 124}" cy="{y - 4}" r="3.6" fill="#ffffff" stroke="{SOLID}" stroke-width="1.4"/>'
        yield text(x + 134, y, f"{_items(hollow)} with a way back or a time away")
    if scale.beyond:
        longest = short_duration(max(dot.seconds for dot in scale.beyond))
        yield f'<path d="M{x + 436} {y - 9}l5 9h-10z" fill="{INK}"/>'
        yield text(x + 448, y, f"{len(scale.beyond):,} above the axis, the longest {longest}")


def _items(count: int) -> str:
    return f"{count:,} item" if count == 1 else f"{count:,} items"
