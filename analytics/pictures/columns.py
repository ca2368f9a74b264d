"""Throughput picture: a column per bucket, cancelled items hanging below the line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Final

from analytics.pictures.svg import (
    QUIET,
    SOLID,
    WIDTH,
    Counts,
    Plot,
    TimeScale,
    document,
    hatching,
    line,
    number_axis,
    present,
    shown,
    swatch,
    text,
    time_axis,
)
from analytics.pictures.ticks import number_ticks

LEFT: Final = 56
RIGHT: Final = 28
TOP: Final = 40
PLOT_HEIGHT: Final = 250
LANE_HEIGHT: Final = 46
LANE_GAP: Final = 16
BELOW: Final = 76
# Columns that are wider than this have a gap between them, and their counts above them.
WIDE: Final = 5.0
LABELLED: Final = 22.0
EMPTY: Final = "#ffffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What to draw. `edges` are the buckets' starts and the last one's end; a count of None leaves its column blank."""

    title: str
    description: str
    zone: str
    edges: Sequence[datetime]
    finished: Counts
    finish_events: Counts
    cancelled: Counts
    now: datetime | None = None


def columns_svg(chart: Columns) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    scale = _Scale(chart=chart)
    plot = scale.plot
    parts = [
        hatching("throughput-cancelled"),
        *number_axis(plot, scale.ticks, y=scale.y, label=lambda tick: f"{tick:,}", name="Items"),
        *_finished(scale),
        *_cancelled(scale),
        line(plot.left, scale.y(0), plot.right, scale.y(0)),
        line(plot.left, plot.top, plot.left, plot.bottom),
        *time_axis(scale.x, zone=chart.zone),
        *present(scale.x, now=chart.now),
        *_signs(scale),
    ]
    height = plot.bottom + BELOW
    return document(slug="throughput", title=chart.title, description=chart.description, height=height, parts=parts)


def _most(counts: Counts) -> int:
    return max((count for count in counts if count is not None), default=0)


def total(counts: Counts) -> int:
    """The sum of what is known."""
    return sum(count for count in counts if count is not None)


@dataclass(frozen=True, kw_only=True)
class _Scale:
    chart: Columns

    @cached_property
    def plot(self) -> Plot:
        lane = LANE_GAP + LANE_HEIGHT if self.lowest else 0
        return Plot(left=LEFT, top=TOP, width=WIDTH - LEFT - RIGHT, height=PLOT_HEIGHT + lane)

    @cached_property
    def lowest(self) -> int:
        return _most(self.chart.cancelled)

    @cached_property
    def ticks(self) -> list[int]:
        return number_ticks(largest=max(_most(self.chart.finished), _most(self.chart.finish_events)))

    @cached_property
    def x(self) -> TimeScale:
        return TimeScale(plot=self.plot, start=self.chart.edges[0], end=self.chart.edges[-1])

    @cached_property
    def columns(self) -> list[tuple[float, float]]:
        """Where each column begins and ends."""
        places = pairwise(map(self.x, self.chart.edges))
        return [(left, right) if right - left < WIDE else (left + 1, right - 1) for left, right in places]

    def y(self, count: float) -> float:
        return round(TOP + PLOT_HEIGHT * (1 - count / self.ticks[-1]), 1)


def _finished(scale: _Scale) -> Iterator[str]:
    chart = scale.chart
    for (left, right), finished, events in zip(scale.columns, chart.finished, chart.finish_events, strict=True):
        if finished:
            yield _column(left, right, scale.y(0), scale.y(finished), fill=SOLID, words=f"{finished:,} finished")
        if events and events > (finished or 0):
            top, bottom = scale.y(events), scale.y(finished or 0)
            yield _column(left, right, bottom, top, fill=EMPTY, words=f"{events:,} finish events")
        if finished and right - left >= LABELLED:
            yield text((left + right) / 2, scale.y(max(finished, events or 0)) - 5, f"{finished:,}", anchor="middle")


def _cancelled(scale: _Scale) -> Iterator[str]:
    """Below the line, on the scale of its own that the numbers at the left tell."""
    if not scale.lowest:
        return
    top = scale.y(0) + LANE_GAP
    for (left, right), count in zip(scale.columns, scale.chart.cancelled, strict=True):
        if count:
            bottom = round(top + LANE_HEIGHT * count / scale.lowest, 1)
            yield _column(left, right, bottom, top, fill="url(#throughput-cancelled)", words=f"{count:,} cancelled")
    yield line(scale.plot.left, top, scale.plot.right, top, stroke=QUIET)
    yield text(scale.plot.left - 8, top + LANE_HEIGHT + 3, f"{scale.lowest:,}", anchor="end", fill=QUIET)


def _column(left: float, right: float, bottom: float, top: float, *, fill: str, words: str) -> str:
    width = max(round(right - left, 1), 0.5)
    # A narrow column of a colour needs no rim, an empty one is nothing but its rim.
    rim = 0.7 if right - left >= WIDE or fill == EMPTY else 0.2
    return (
        f'<rect x="{round(left, 1)}" y="{top}" width="{width}" height="{round(bottom - top, 1)}" fill="{fill}"'
        f' stroke="{SOLID}" stroke-width="{rim}"><title>{shown(words)}</title></rect>'
    )


def _signs(scale: _Scale) -> Iterator[str]:
    chart, x, y = scale.chart, scale.plot.left, scale.plot.bottom + 62
    again = total(chart.finish_events) - total(chart.finished)
    signs = [(SOLID, f"{total(chart.finished):,} finished")]
    if again > 0:
        signs.append(
            (EMPTY, "1 finish that was undone later" if again == 1 else f"{again:,} finishes that were undone later")
        )
    if scale.lowest:
        signs.append(("url(#throughput-cancelled)", f"{total(chart.cancelled):,} cancelled, downwards"))
    for fill, words in signs:
        yield swatch(x, y, fill=fill)
        yield text(x + 20, y, words)
        x += 20 + 6.6 * len(words) + 26
