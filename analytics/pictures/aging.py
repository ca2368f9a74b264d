"""Aging picture: a row per state, a point per item in progress, and what finished items took as bands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

from analytics.pictures.scatter import DASHES, Level, axis_end
from analytics.pictures.svg import (
    EDGE,
    GRID,
    INK,
    QUIET,
    RIM,
    SOLID,
    WIDTH,
    Plot,
    document,
    leader,
    line,
    name_text,
    nothing,
    shown,
    spread,
    text,
)
from analytics.pure.lengths import DAY, duration_text, duration_ticks, short_duration

LEFT: Final = 186
RIGHT: Final = 74
TOP: Final = 62
ROW: Final = 46
# Of a state in which nothing is.
EMPTY_ROW: Final = 30
BELOW: Final = 50
LONGEST_NAME: Final = 22
# Points of one row that are nearer than this stand above and below each other, in so many lanes.
APART: Final = 9.0
LANES: Final = (0, -9, 9, -18, 18)
MOST_NAMED: Final = 1_000
# From what took less than half of the items to what hardly any took.
GREYS: Final = ("#ffffff", "#f1f3f5", "#e2e6ea", "#d2d8de")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """An item and its age in seconds."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A state with its items; `note` is what to know of it, in a word."""

    name: str
    note: str
    items: Sequence[Aged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aging:
    """What to draw: states in workflow order, and percentiles of the times that finished items took, rising."""

    title: str
    description: str
    rows: Sequence[Row]
    levels: Sequence[Level]


def aging_svg(chart: Aging) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    scale = _Scale(chart=chart)
    parts = [
        *_bands(scale),
        *_axis(scale),
        *_levels(scale),
        *(part for row, top in zip(chart.rows, scale.tops, strict=True) for part in _row(scale, row, top=top)),
        line(scale.plot.left, scale.plot.top, scale.plot.left, scale.plot.bottom),
        *_beyond(scale),
    ]
    if not any(row.items for row in chart.rows):
        parts.append(nothing(scale.plot, "Nothing was in progress at the window's end"))
    height = scale.plot.bottom + BELOW
    return document(slug="aging", title=chart.title, description=chart.description, height=height, parts=parts)


def lanes(places: Sequence[float]) -> list[int]:
    """How far above or below the middle of its row each point stands, for rising places: apart where there is room."""
    taken = dict.fromkeys(LANES, float("-inf"))
    found: list[int] = []
    for place in places:
        lane = next((each for each in LANES if place - taken[each] >= APART), LANES[0])
        taken[lane] = place
        found.append(lane)
    return found


@dataclass(frozen=True, kw_only=True)
class _Scale:
    chart: Aging

    @cached_property
    def plot(self) -> Plot:
        height = sum(map(_height, self.chart.rows)) or ROW
        return Plot(left=LEFT, top=TOP, width=WIDTH - LEFT - RIGHT, height=height)

    @property
    def tops(self) -> list[int]:
        """Where each row begins."""
        return list(accumulate(map(_height, self.chart.rows), initial=TOP))[:-1]

    @cached_property
    def ticks(self) -> list[int]:
        seconds = [each.seconds for row in self.chart.rows for each in row.items]
        levels = self.chart.levels
        largest = max(axis_end(seconds=seconds, levels=levels), *(level.seconds for level in levels), 0)
        return duration_ticks(largest=largest or DAY, wanted=8)

    @cached_property
    def beyond(self) -> list[Aged]:
        return [each for row in self.chart.rows for each in row.items if each.seconds > self.ticks[-1]]

    def x(self, seconds: float) -> float:
        return round(LEFT + self.plot.width * min(seconds / self.ticks[-1], 1), 1)


def _bands(scale: _Scale) -> Iterator[str]:
    plot = scale.plot
    edges = [plot.left, *(scale.x(level.seconds) for level in scale.chart.levels), plot.right]
    for left, right, grey in zip(edges, edges[1:], GREYS, strict=False):
        if scale.chart.levels and right > left:
            yield (
                f'<rect x="{left}" y="{plot.top}" width="{round(right - left, 1)}" height="{plot.height}" fill="{grey}"/>'
            )


def _axis(scale: _Scale) -> Iterator[str]:
    plot = scale.plot
    for tick in scale.ticks:
        x = scale.x(tick)
        yield line(x, plot.top, x, plot.bottom + 5, stroke=GRID)
        yield text(x, plot.bottom + 19, duration_text(tick), anchor="middle")
    yield text(plot.left, plot.bottom + 38, "Age", fill=QUIET)
    yield line(plot.left, plot.bottom, plot.right, plot.bottom)
    yield text(EDGE, plot.top - 10, "State", fill=QUIET)
    yield text(WIDTH - EDGE, plot.top - 10, "Items", anchor="end", fill=QUIET)


def _levels(scale: _Scale) -> Iterator[str]:
    """The percentiles as lines, each with its name above, pushed aside where two are near."""
    plot, levels = scale.plot, scale.chart.levels
    places = [scale.x(level.seconds) for level in levels]
    labels = spread(places, step=84, low=plot.left + 36, high=plot.right - 36)
    for level, x, label, dash in zip(levels, places, labels, DASHES, strict=False):
        yield line(x, plot.top, x, plot.bottom, dash=dash, width=1.3)
        yield leader(f"M{x} {plot.top}L{label} {plot.top - 18}v-4")
        words = f"p{level.percent}  {short_duration(level.seconds)}"
        yield text(label, plot.top - 28, words, anchor="middle", extra=' xml:space="preserve"')


def _row(scale: _Scale, row: Row, *, top: float) -> Iterator[str]:
    plot, height = scale.plot, _height(row)
    middle = top + height / 2
    yield line(EDGE, top + height, WIDTH - EDGE, top + height, stroke=GRID)
    yield from _row_name(row, middle=middle)
    yield text(WIDTH - EDGE, middle + 4, f"{len(row.items):,}", anchor="end")
    items = sorted(row.items, key=lambda each: (each.seconds, each.name))
    places = [scale.x(each.seconds) for each in items]
    placed = list(zip(items, places, lanes(places), strict=True))
    if len(items) > MOST_NAMED:
        path = "".join(f"M{x} {round(middle + lane)}h0" for x, lane in sorted({(x, lane) for _, x, lane in placed}))
        yield f'<path d="{path}" stroke="{SOLID}" stroke-width="6" stroke-linecap="round" stroke-opacity="0.6" fill="none"/>'
        return
    for each, x, lane in placed:
        yield _point(each, x, middle + lane, beyond=each.seconds > scale.ticks[-1])
    if placed:
        each, x, lane = placed[-1]
        yield _name(each.name, x, middle + lane, plot=plot)


def _row_name(row: Row, *, middle: float) -> Iterator[str]:
    if row.note and not row.items:
        yield name_text(EDGE, middle + 4, f"{row.name}, {row.note}", longest=LONGEST_NAME + 4)
        return
    yield name_text(EDGE, middle + (-2 if row.note else 4), row.name, longest=LONGEST_NAME)
    if row.note:
        yield text(EDGE, middle + 13, row.note, fill=QUIET)


def _height(row: Row) -> int:
    return ROW if row.items else EMPTY_ROW


def _point(each: Aged, x: float, y: float, *, beyond: bool) -> str:
    words = f"<title>{shown(each.name)}: {duration_text(each.seconds)}</title>"
    if beyond:
        return f'<path d="M{x + 5} {y}l-9 5v-10z" fill="{INK}">{words}</path>'
    return f'<circle cx="{x}" cy="{y}" r="4" fill="{SOLID}" fill-opacity="0.75">{words}</circle>'


def _name(name: str, x: float, y: float, *, plot: Plot) -> str:
    """The oldest of a row by its key, on the side that has room, upon a white rim."""
    rim = f'{RIM} font-size="11"'
    if x > plot.right - 90:
        return text(x - 9, y + 4, name, anchor="end", extra=rim)
    return text(x + 9, y + 4, name, extra=rim)


def _beyond(scale: _Scale) -> Iterator[str]:
    if scale.beyond:
        longest = short_duration(max(each.seconds for each in scale.beyond))
        x, y = scale.plot.right, scale.plot.bottom + 38
        words = f"{len(scale.beyond):,} beyond the axis, the oldest {longest}"
        yield text(x, y, words, anchor="end")
        yield f'<path d="M{x + 14} {y - 4}l-9 5v-10z" fill="{INK}"/>'
