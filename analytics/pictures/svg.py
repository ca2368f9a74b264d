"""SVG elements of every picture: a page with a title and a description, texts, lines, axes, hatching.

A picture is plain SVG without a script. What is told apart by a colour is told apart by lightness, hatching or a label as
well: in print, and by people who see few colours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from analytics.pictures.ticks import time_ticks

WIDTH: Final = 900
EDGE: Final = 8
TEXT_SIZE: Final = 13
# What a letter takes on average: enough to keep names out of each other's way.
LETTER: Final = 6.6
INK: Final = "#1b1b1b"
QUIET: Final = "#5a5a5a"
GRID: Final = "#dddddd"
SOLID: Final = "#2c5f8a"
FONT: Final = "Helvetica, Arial, sans-serif"
# A white rim around letters that stand upon something.
RIM: Final = ' stroke="#ffffff" stroke-width="4" paint-order="stroke"'

Counts = Sequence[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """The part of a picture in which the figures are drawn."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeScale:
    """From instants to places along the plot."""

    plot: Plot
    start: datetime
    end: datetime

    def __call__(self, instant: datetime) -> float:
        """The place of that instant."""
        return round(self.plot.left + self.plot.width * ((instant - self.start) / (self.end - self.start)), 1)


def document(*, slug: str, title: str, description: str, height: float, parts: Iterable[str]) -> str:
    """The picture, a whole `<svg>` element. `slug` tells its ids from those of other pictures on the same page."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {round(height)}" role="img"'
        f' aria-labelledby="{slug}-title {slug}-description" font-family={quoteattr(FONT)} font-size="{TEXT_SIZE}"'
        f' fill="{INK}">',
        f'<title id="{slug}-title">{shown(title)}</title>',
        f'<desc id="{slug}-description">{shown(description)}</desc>',
        f'<rect width="{WIDTH}" height="{round(height)}" fill="#ffffff"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines)


def shown(words: str) -> str:
    """The words as XML has them; signs that XML has no place for are shown as such."""
    return escape("".join(sign if sign.isprintable() else "\ufffd" for sign in words))


def shortened(name: str, *, longest: int) -> str:
    """The name, cut where it is too long for its place."""
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def text(x: float, y: float, words: str, *, anchor: str = "start", fill: str = INK, extra: str = "") -> str:
    """Words whose line stands at `y`; `anchor` says which part of them is at `x`."""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    colour = "" if fill == INK else f' fill="{fill}"'
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}"{side}{colour}{extra}>{shown(words)}</text>'


def name_text(x: float, y: float, name: str, *, longest: int, anchor: str = "start") -> str:
    """A name, shortened, with the whole of it for who points at it."""
    short = shortened(name, longest=longest)
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    whole = "" if short == name else f"<title>{shown(name)}</title>"
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}"{side}>{shown(short)}{whole}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = INK, dash: str = "", width: float = 1) -> str:
    """A straight line, dashed if it is to be."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    thick = "" if width == 1 else f' stroke-width="{width}"'
    return (
        f'<line x1="{round(x1, 1)}" y1="{round(y1, 1)}" x2="{round(x2, 1)}" y2="{round(y2, 1)}"'
        f' stroke="{stroke}"{thick}{dashed}/>'
    )


def leader(path: str) -> str:
    """A thin line that ties a label to what it names."""
    return f'<path d="{path}" stroke="{QUIET}" stroke-width="0.7" fill="none"/>'


def swatch(x: float, y: float, *, fill: str, stroke: str = SOLID) -> str:
    """The sign of a fill beside its name, whose line stands at `y`."""
    return f'<rect x="{x}" y="{round(y - 11, 1)}" width="14" height="13" fill="{fill}" stroke="{stroke}" stroke-width="0.7"/>'


def hatching(name: str, *, colour: str = SOLID) -> str:
    """A pattern of slanted lines, to fill with as `url(#name)`."""
    return (
        f'<defs><pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="6" height="6" fill="#ffffff"/><rect width="2.4" height="6" fill="{colour}"/></pattern></defs>'
    )


def spread(wanted: Sequence[float], *, step: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in their order, at least `step` apart, within the two bounds if there is room."""
    found: list[float] = []
    for place in wanted:
        found.append(max(place, low if not found else found[-1] + step))
    bound = max(high, low + step * (len(found) - 1))
    for number in range(len(found) - 1, -1, -1):
        found[number] = min(found[number], bound)
        bound = found[number] - step
    return [round(place, 1) for place in found]


def nothing(plot: Plot, words: str) -> str:
    """What is said in the middle of a plot in which there is nothing to see."""
    x, y = plot.left + plot.width / 2, plot.top + plot.height / 2 + 4
    return text(x, y, words, anchor="middle", fill=QUIET, extra=RIM)


def number_axis(
    plot: Plot, ticks: Sequence[int], *, y: Callable[[float], float], label: Callable[[int], str], name: str
) -> Iterator[str]:
    """Lines across the plot with their numbers at the left, and above them what is counted."""
    for tick in ticks:
        yield line(plot.left, y(tick), plot.right, y(tick), stroke=GRID)
        yield text(plot.left - 8, y(tick) + 4, label(tick), anchor="end", fill=QUIET)
    yield text(EDGE, plot.top - 18, name, fill=QUIET)


def frame(plot: Plot) -> Iterator[str]:
    """The two axes."""
    yield line(plot.left, plot.bottom, plot.right, plot.bottom)
    yield line(plot.left, plot.top, plot.left, plot.bottom)


def time_axis(scale: TimeScale, *, zone: str) -> Iterator[str]:
    """Marks below the plot at round local times, and above it the zone whose times they are."""
    plot = scale.plot
    for tick in time_ticks(start=scale.start, end=scale.end, zone_name=zone):
        x = scale(tick.at)
        yield line(x, plot.bottom, x, plot.bottom + 5)
        yield text(x, plot.bottom + 19, tick.label, anchor="middle")
        if tick.sub:
            # A date is longer than an hour: at the edge it stands back.
            yield text(min(x, WIDTH - 44), plot.bottom + 34, tick.sub, anchor="middle", fill=QUIET)
    yield text(plot.right, plot.top - 18, f"Local time of {zone}", anchor="end", fill=QUIET)


def present(scale: TimeScale, *, now: datetime | None) -> Iterator[str]:
    """A dotted line where it is now, if that is inside the plot."""
    if now is not None and scale.start < now < scale.end:
        yield line(scale(now), scale.plot.top, scale(now), scale.plot.bottom, stroke=QUIET, dash="1 3")
