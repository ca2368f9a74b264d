"""Cumulative flow picture: stacked areas.

A bucket is a column from its start to its end, as high as its count. A count of None leaves the column blank. Each band
is named at its right end, in the order in which the bands lie upon each other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from typing import Final

from analytics.pictures.palette import shades
from analytics.pictures.svg import (
    EDGE,
    QUIET,
    WIDTH,
    Counts,
    Plot,
    TimeScale,
    document,
    frame,
    leader,
    line,
    name_text,
    number_axis,
    present,
    shown,
    spread,
    swatch,
    text,
    time_axis,
)
from analytics.pictures.ticks import number_ticks

LEFT: Final = 56
RIGHT: Final = 228
TOP: Final = 40
PLOT_HEIGHT: Final = 330
PLOT_WIDTH: Final = WIDTH - LEFT - RIGHT
LANE_GAP: Final = 48
LANE_HEIGHT: Final = 30
LEGEND_STEP: Final = 21
LONGEST_NAME: Final = 20
RED: Final = "#b3261e"
BROWN: Final = "#8a5a00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One state, and its number at the end of each bucket."""

    name: str
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What to draw. `edges` are the buckets' starts and the last one's end; `bands` the states in workflow order.

    With `stacked` the bands stand upon each other, the last state lowest; without it each is a line of its own height
    that lies before the earlier ones. `marks` are the instants of definition changes, `spans` correction windows, whose
    end is None while they are open.
    """

    title: str
    description: str
    zone: str
    edges: Sequence[datetime]
    bands: Sequence[Band]
    stacked: bool
    marks: Sequence[datetime] = ()
    spans: Sequence[tuple[datetime, datetime | None]] = ()
    now: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A band as it is drawn: in each bucket from `low` up to `high`; None where nothing is known."""

    name: str
    low: Counts
    high: Counts


def flow_svg(chart: Chart) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    drawn = layers(chart)
    legend = LEGEND_STEP * len(drawn)
    scale = _Scale(chart=chart, height=max(PLOT_HEIGHT, legend), largest=_largest(drawn))
    has_lane = bool(chart.marks or chart.spans)
    bottom = scale.plot.bottom + LANE_GAP + (LANE_HEIGHT + 26 if has_lane else 0)
    parts = [
        *number_axis(scale.plot, scale.ticks, y=scale.y, label=lambda tick: f"{tick:,}", name="Items"),
        *_bands(scale, drawn),
        *frame(scale.plot),
        *time_axis(scale.x, zone=chart.zone),
        *_marks(scale),
        *present(scale.x, now=chart.now),
        *_lane(scale),
        *_legend(scale, drawn),
    ]
    return document(slug="flow", title=chart.title, description=chart.description, height=bottom, parts=parts)


def layers(chart: Chart) -> list[Layer]:
    """The bands in the order in which they are painted. Stacked, their heights add up to the total of each bucket."""
    if not chart.stacked:
        return [Layer(name=band.name, low=_floor(band.counts), high=band.counts) for band in chart.bands]
    found: list[Layer] = []
    low = [0] * (len(chart.edges) - 1)
    for band in reversed(chart.bands):
        high = [None if count is None else below + count for below, count in zip(low, band.counts, strict=True)]
        found.append(Layer(name=band.name, low=_known(low, band.counts), high=high))
        low = [below if above is None else above for below, above in zip(low, high, strict=True)]
    return found[::-1]


def overlaps(*, edges: Sequence[datetime], spans: Sequence[tuple[datetime, datetime | None]]) -> list[int]:
    """How many of the spans, half-open, touch each bucket; one without an end touches all after its beginning."""
    changes = [0] * len(edges)
    for begin, until in spans:
        first = max(bisect_right(edges, begin) - 1, 0)
        beyond = len(edges) - 1 if until is None else min(bisect_left(edges, until), len(edges) - 1)
        if first < beyond:
            changes[first] += 1
            changes[beyond] -= 1
    return list(accumulate(changes[:-1]))


def last_known(counts: Counts) -> str:
    """The latest count there is, as people read it."""
    return next((f"{count:,}" for count in reversed(counts) if count is not None), "not known")


def _floor(counts: Counts) -> list[int | None]:
    return _known([0] * len(counts), counts)


def _known(values: Sequence[int], counts: Counts) -> list[int | None]:
    return [None if count is None else value for value, count in zip(values, counts, strict=True)]


def _largest(drawn: Sequence[Layer]) -> int:
    return max((count for layer in drawn for count in layer.high if count is not None), default=0)


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """From instants and counts to places in the picture."""

    chart: Chart
    height: int
    largest: int

    @cached_property
    def plot(self) -> Plot:
        return Plot(left=LEFT, top=TOP, width=PLOT_WIDTH, height=self.height)

    @cached_property
    def ticks(self) -> list[int]:
        return number_ticks(largest=self.largest)

    @cached_property
    def x(self) -> TimeScale:
        return TimeScale(plot=self.plot, start=self.chart.edges[0], end=self.chart.edges[-1])

    def y(self, count: float) -> float:
        return round(TOP + self.height * (1 - count / self.ticks[-1]), 1)


def _bands(scale: _Scale, drawn: Sequence[Layer]) -> Iterator[str]:
    # An early line lies behind a later one, which is never higher while the order of the states holds.
    for layer, colour in zip(drawn, shades(len(drawn)), strict=True):
        path = " ".join(_outline(scale, layer, run) for run in _runs(layer.high))
        if path:
            yield (
                f'<path d="{path}" fill="{colour}" stroke="#333333" stroke-width="0.5">'
                f"<title>{shown(layer.name)}</title></path>"
            )


def _runs(counts: Counts) -> list[list[int]]:
    """The places of counts that are known, cut where one is not."""
    numbered = groupby(enumerate(counts), key=lambda pair: pair[1] is not None)
    return [[place for place, _ in run] for known, run in numbered if known]


def _outline(scale: _Scale, layer: Layer, run: Sequence[int]) -> str:
    edges, x, y = scale.chart.edges, scale.x, scale.y
    above = [f"V{y(layer.high[place] or 0)}H{x(edges[place + 1])}" for place in run]
    below = [f"V{y(layer.low[place] or 0)}H{x(edges[place])}" for place in reversed(run)]
    return f"M{x(edges[run[0]])} {y(layer.low[run[0]] or 0)}" + "".join([*above, *below]) + "Z"


def _marks(scale: _Scale) -> Iterator[str]:
    """Definition changes as dashed lines, one for all that fall on the same place; and what they are."""
    plot = scale.plot
    for place in sorted({round(scale.x(mark)) for mark in scale.chart.marks}):
        yield (
            f'<path d="M{place} {plot.top - 4}V{plot.bottom}" stroke="{RED}" stroke-width="1.4" stroke-dasharray="5 4"'
            ' fill="none"><title>Definition change</title></path>'
        )
        yield _pointer(place, plot.top - 11)
    if scale.chart.marks:
        x, y = plot.right + 20, plot.bottom + LANE_GAP + LANE_HEIGHT + 13
        yield f'<path d="M{x + 5} {y - 1}v-13" stroke="{RED}" stroke-width="1.4" stroke-dasharray="5 4"/>'
        yield _pointer(x + 5, y - 17)
        yield text(x + 20, y, "Definition change")


def _pointer(x: float, y: float) -> str:
    return f'<path d="M{x - 5} {y}h10l-5 8z" fill="{RED}"/>'


def _lane(scale: _Scale) -> Iterator[str]:
    """Below the plot: how many correction windows touch each bucket."""
    plot, edges = scale.plot, scale.chart.edges
    counts = overlaps(edges=edges, spans=scale.chart.spans)
    most = max(counts, default=0)
    base = plot.bottom + LANE_GAP + LANE_HEIGHT
    if not most:
        return
    for count, (start, end) in zip(counts, pairwise(edges), strict=True):
        if count:
            height = round(max(LANE_HEIGHT * count / most, 1.5), 1)
            width = round(max(scale.x(end) - scale.x(start), 0.5), 1)
            yield (
                f'<rect x="{scale.x(start)}" y="{round(base - height, 1)}" width="{width}" height="{height}"'
                f' fill="{BROWN}" shape-rendering="crispEdges"/>'
            )
    yield line(plot.left, base, plot.right, base, stroke=QUIET)
    yield text(plot.left - 8, base - LANE_HEIGHT + 9, f"{most:,}", anchor="end", fill=QUIET)
    yield text(plot.left - 8, base + 3, "0", anchor="end", fill=QUIET)
    yield text(plot.left, base + 17, "Open correction windows per bucket", fill=QUIET)


def _legend(scale: _Scale, drawn: Sequence[Layer]) -> Iterator[str]:
    """The bands from top to bottom, each beside its right end, and tied to it where it had to give way."""
    plot, x = scale.plot, scale.plot.right + 40
    yield text(x, plot.top - 18, "State", fill=QUIET)
    yield text(WIDTH - EDGE, plot.top - 18, "Last count", anchor="end", fill=QUIET)
    ends = [_end(scale, drawn, number) for number in range(len(drawn))]
    wanted = [plot.top + 8 if end is None else end[1] for end in ends]
    places = spread(wanted, step=LEGEND_STEP, low=plot.top + 8, high=plot.bottom - 6)
    for band, colour, end, y in zip(scale.chart.bands, shades(len(drawn)), ends, places, strict=True):
        if end:
            yield leader(f"M{end[0]} {end[1]}L{plot.right + 14} {y}H{x - 4}")
        yield swatch(x, y + 4, fill=colour, stroke=QUIET)
        yield name_text(x + 20, y + 4, band.name, longest=LONGEST_NAME)
        yield text(WIDTH - EDGE, y + 4, last_known(band.counts), anchor="end")


def _end(scale: _Scale, drawn: Sequence[Layer], number: int) -> tuple[float, float] | None:
    """The middle of the band's right end, as far as no later band hides it; None where nothing of it is known."""
    layer = drawn[number]
    bucket = next((place for place in range(len(layer.high) - 1, -1, -1) if layer.high[place] is not None), None)
    if bucket is None:
        return None
    high = layer.high[bucket] or 0
    hidden = [each.high[bucket] or 0 for each in drawn[number + 1 :]]
    low = min(max([layer.low[bucket] or 0, *hidden]), high)
    return scale.x(scale.chart.edges[bucket + 1]), round((scale.y(low) + scale.y(high)) / 2, 1)
