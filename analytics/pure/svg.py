"""A cumulative flow diagram as an SVG picture: no script, readable in print and for who sees few colours.

A bucket is a column from its start to its end, as high as its count. A count of None leaves the column blank.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, groupby, pairwise
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from analytics.pure.palette import shades
from analytics.pure.ticks import number_ticks, time_ticks

WIDTH: Final = 1180
LEFT: Final = 66
RIGHT: Final = 250
TOP: Final = 44
PLOT_HEIGHT: Final = 400
LANE_GAP: Final = 52
LANE_HEIGHT: Final = 34
LEGEND_STEP: Final = 22
PLOT_WIDTH: Final = WIDTH - LEFT - RIGHT
LONGEST_NAME: Final = 24
INK: Final = "#1b1b1b"
QUIET: Final = "#5a5a5a"
FONT: Final = "Helvetica, Arial, sans-serif"

Counts = Sequence[int | None]


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


def svg(chart: Chart) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    drawn = layers(chart)
    scale = _Scale(chart=chart, ticks=tuple(number_ticks(largest=_largest(drawn))))
    height = max(TOP + PLOT_HEIGHT + LANE_GAP + LANE_HEIGHT + 26, TOP + LEGEND_STEP * (len(drawn) + 6))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-labelledby="chart-title chart-description" font-family={quoteattr(FONT)} font-size="12" fill="{INK}">',
        f'<title id="chart-title">{_text(chart.title)}</title>',
        f'<desc id="chart-description">{_text(chart.description)}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *_count_axis(scale),
        *_bands(scale, drawn),
        *_frame(scale),
        *_time_axis(scale),
        *_marks(scale),
        *_lane(scale),
        *_legend(scale, drawn),
        "</svg>",
    ]
    return "\n".join(parts)


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


def _floor(counts: Counts) -> list[int | None]:
    return _known([0] * len(counts), counts)


def _known(values: Sequence[int], counts: Counts) -> list[int | None]:
    return [None if count is None else value for value, count in zip(values, counts, strict=True)]


def _largest(drawn: Sequence[Layer]) -> int:
    return max((count for layer in drawn for count in layer.high if count is not None), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From instants and counts to places in the picture."""

    chart: Chart
    ticks: tuple[int, ...]

    def x(self, instant: datetime) -> float:
        start, end = self.chart.edges[0], self.chart.edges[-1]
        return round(LEFT + PLOT_WIDTH * ((instant - start) / (end - start)), 1)

    def y(self, count: int) -> float:
        return round(TOP + PLOT_HEIGHT * (1 - count / self.ticks[-1]), 1)


def _count_axis(scale: _Scale) -> Iterator[str]:
    for tick in scale.ticks:
        y = scale.y(tick)
        yield f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + PLOT_WIDTH}" y2="{y}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end" fill="{QUIET}">{tick:,}</text>'
    yield f'<text x="{LEFT}" y="{TOP - 20}" fill="{QUIET}">Items</text>'


def _bands(scale: _Scale, drawn: Sequence[Layer]) -> Iterator[str]:
    # An early line lies behind a later one, which is never higher while the order of the states holds.
    for layer, colour in zip(drawn, shades(len(drawn)), strict=True):
        path = " ".join(_outline(scale, layer, run) for run in _runs(layer.high))
        if path:
            yield (
                f'<path d="{path}" fill="{colour}" stroke="#333333" stroke-width="0.5">'
                f"<title>{_text(layer.name)}</title></path>"
            )


def _runs(counts: Counts) -> list[list[int]]:
    """The places of counts that are known, cut where one is not."""
    numbered = groupby(enumerate(counts), key=lambda pair: pair[1] is not None)
    return [[place for place, _ in run] for known, run in numbered if known]


def _outline(scale: _Scale, layer: Layer, run: Sequence[int]) -> str:
    edges = scale.chart.edges
    above = [f"V{scale.y(layer.high[place] or 0)}H{scale.x(edges[place + 1])}" for place in run]
    below = [f"V{scale.y(layer.low[place] or 0)}H{scale.x(edges[place])}" for place in reversed(run)]
    return f"M{scale.x(edges[run[0]])} {scale.y(layer.low[run[0]] or 0)}" + "".join([*above, *below]) + "Z"


def _frame(scale: _Scale) -> Iterator[str]:
    bottom = scale.y(0)
    yield f'<line x1="{LEFT}" y1="{bottom}" x2="{LEFT + PLOT_WIDTH}" y2="{bottom}" stroke="{INK}"/>'
    yield f'<line x1="{LEFT}" y1="{TOP}" x2="{LEFT}" y2="{bottom}" stroke="{INK}"/>'


def _time_axis(scale: _Scale) -> Iterator[str]:
    chart, bottom = scale.chart, scale.y(0)
    for tick in time_ticks(start=chart.edges[0], end=chart.edges[-1], zone_name=chart.zone):
        x = scale.x(tick.at)
        yield f'<line x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 5}" stroke="{INK}"/>'
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{_text(tick.label)}</text>'
        if tick.sub:
            yield f'<text x="{x}" y="{bottom + 32}" text-anchor="middle" fill="{QUIET}">{_text(tick.sub)}</text>'
    yield (
        f'<text x="{LEFT + PLOT_WIDTH}" y="{TOP - 20}" text-anchor="end" fill="{QUIET}">'
        f"Local time of {_text(chart.zone)}</text>"
    )


def _marks(scale: _Scale) -> Iterator[str]:
    """Definition changes as dashed lines, one for all that fall on the same place; and the present."""
    for place in sorted({round(scale.x(mark)) for mark in scale.chart.marks}):
        yield (
            f'<path d="M{place} {TOP - 4}V{scale.y(0)}" stroke="#b3261e" stroke-width="1.4" stroke-dasharray="5 4"'
            ' fill="none"><title>Definition change</title></path>'
        )
        yield f'<path d="M{place - 5} {TOP - 11}h10l-5 8z" fill="#b3261e"/>'
    now = scale.chart.now
    if now is not None and scale.chart.edges[0] < now < scale.chart.edges[-1]:
        x = scale.x(now)
        yield f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{scale.y(0)}" stroke="{QUIET}" stroke-dasharray="1 3"/>'


def _lane(scale: _Scale) -> Iterator[str]:
    """Below the plot: how many correction windows touch each bucket."""
    edges = scale.chart.edges
    counts = overlaps(edges=edges, spans=scale.chart.spans)
    most = max(counts, default=0)
    base = TOP + PLOT_HEIGHT + LANE_GAP + LANE_HEIGHT
    if not most:
        return
    for count, (start, end) in zip(counts, pairwise(edges), strict=True):
        if count:
            height = round(max(LANE_HEIGHT * count / most, 1.5), 1)
            width = round(max(scale.x(end) - scale.x(start), 0.5), 1)
            yield (
                f'<rect x="{scale.x(start)}" y="{round(base - height, 1)}" width="{width}" height="{height}"'
                ' fill="#8a5a00" shape-rendering="crispEdges"/>'
            )
    yield f'<line x1="{LEFT}" y1="{base}" x2="{LEFT + PLOT_WIDTH}" y2="{base}" stroke="{QUIET}"/>'
    yield f'<text x="{LEFT - 8}" y="{base - LANE_HEIGHT + 8}" text-anchor="end" fill="{QUIET}">{most:,}</text>'
    yield f'<text x="{LEFT - 8}" y="{base + 2}" text-anchor="end" fill="{QUIET}">0</text>'
    yield f'<text x="{LEFT}" y="{base + 17}" fill="{QUIET}">Open correction windows per bucket</text>'


def _legend(scale: _Scale, drawn: Sequence[Layer]) -> Iterator[str]:
    x = LEFT + PLOT_WIDTH + 22
    y = TOP + 6
    yield f'<text x="{x}" y="{y - 26}" fill="{QUIET}">State</text>'
    yield f'<text x="{WIDTH - 12}" y="{y - 26}" text-anchor="end" fill="{QUIET}">Last count</text>'
    for band, colour in zip(scale.chart.bands, shades(len(drawn)), strict=True):
        yield f'<rect x="{x}" y="{y - 1}" width="14" height="14" fill="{colour}" stroke="{QUIET}" stroke-width="0.5"/>'
        shown, whole = _text(_shortened(band.name)), _text(band.name)
        yield f'<text x="{x + 22}" y="{y + 11}">{shown}<title>{whole}</title></text>'
        yield f'<text x="{WIDTH - 12}" y="{y + 11}" text-anchor="end">{_last_known(band.counts)}</text>'
        y += LEGEND_STEP
    yield from _legend_of_signs(scale, x=x, y=y + 12)


def _legend_of_signs(scale: _Scale, *, x: int, y: int) -> Iterator[str]:
    if scale.chart.marks:
        yield f'<path d="M{x} {y + 6}h16" stroke="#b3261e" stroke-width="1.4" stroke-dasharray="5 4"/>'
        yield f'<text x="{x + 22}" y="{y + 11}">Definition change</text>'
        y += LEGEND_STEP
    if scale.chart.spans:
        yield f'<rect x="{x}" y="{y - 1}" width="14" height="14" fill="#8a5a00"/>'
        yield f'<text x="{x + 22}" y="{y + 11}">Correction windows</text>'


def _last_known(counts: Counts) -> str:
    return next((f"{count:,}" for count in reversed(counts) if count is not None), "not known")


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def _text(words: str) -> str:
    """The words as XML has them; signs that XML has no place for are shown as such."""
    return escape("".join(sign if sign.isprintable() else "\ufffd" for sign in words))
