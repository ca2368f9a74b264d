"""Time in state picture: a bar per state, in groups, with the numbers beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Final

from analytics.pictures.svg import EDGE, GRID, QUIET, SOLID, WIDTH, document, hatching, line, name_text, swatch, text
from analytics.pure.lengths import short_duration

LEFT: Final = 196
BAR_WIDTH: Final = 352
TOP: Final = 58
ROW: Final = 27
GROUP: Final = 29
BAR: Final = 16
LONGEST_NAME: Final = 22
# Where the columns of numbers end, from the bar on.
TOTAL_AT: Final = 628
SHARE_AT: Final = 684
VISITS_AT: Final = 744
MEDIAN_AT: Final = 818
P85_AT: Final = 892


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A state: the seconds of closed and of ongoing visits, and of closed ones how many and how long.

    One that is not `drawn` has its numbers alone, and no part in the shares.
    """

    name: str
    group: str
    closed: float
    ongoing: float
    visits: int
    median: float | None
    p85: float | None
    drawn: bool = True

    @property
    def total(self) -> float:
        """All seconds."""
        return self.closed + self.ongoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """What to draw: the states of a group beside each other, the groups in the order in which they are to stand."""

    title: str
    description: str
    bars: Sequence[Bar]


def shares(bars: Sequence[Bar]) -> list[float | None]:
    """The part that each has of the time of all that are drawn; None for what is not drawn, and where there is no time."""
    whole = sum(bar.total for bar in bars if bar.drawn)
    return [bar.total / whole if bar.drawn and whole else None for bar in bars]


def bars_svg(chart: Bars) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    layout = _Layout(chart=chart)
    parts = [hatching("time-ongoing"), *_header(), *_signs(layout), *layout.rows()]
    return document(
        slug="time-in-state", title=chart.title, description=chart.description, height=layout.height, parts=parts
    )


@dataclass(frozen=True, kw_only=True)
class _Layout:
    chart: Bars

    @cached_property
    def groups(self) -> list[tuple[str, list[tuple[Bar, float | None]]]]:
        paired = zip(self.chart.bars, shares(self.chart.bars), strict=True)
        return [(name, list(pairs)) for name, pairs in groupby(paired, key=lambda pair: pair[0].group)]

    @cached_property
    def longest(self) -> float:
        return max((bar.total for bar in self.chart.bars if bar.drawn), default=0)

    @property
    def height(self) -> float:
        return TOP + GROUP * len(self.groups) + ROW * len(self.chart.bars) + 44

    def rows(self) -> Iterator[str]:
        y: float = TOP
        for name, pairs in self.groups:
            yield from _group(name, pairs, y=y)
            y += GROUP
            yield line(LEFT, y, LEFT, y + ROW * len(pairs))
            for bar, share in pairs:
                yield from self.bar(bar, share, y=y)
                y += ROW

    def bar(self, bar: Bar, share: float | None, *, y: float) -> Iterator[str]:
        middle = y + ROW / 2 + 4
        yield name_text(LEFT - 10, middle, bar.name, longest=LONGEST_NAME, anchor="end")
        if bar.drawn:
            yield from self.lengths(bar, y=y + (ROW - BAR) / 2)
        yield text(TOTAL_AT, middle, short_duration(bar.total), anchor="end")
        yield text(SHARE_AT, middle, "" if share is None else f"{share:.0%}", anchor="end")
        yield text(VISITS_AT, middle, f"{bar.visits:,}", anchor="end")
        yield text(MEDIAN_AT, middle, _length(bar.median), anchor="end")
        yield text(P85_AT, middle, _length(bar.p85), anchor="end")

    def lengths(self, bar: Bar, *, y: float) -> Iterator[str]:
        x: float = LEFT
        for seconds, fill in ((bar.closed, SOLID), (bar.ongoing, "url(#time-ongoing)")):
            width = round(BAR_WIDTH * seconds / self.longest, 1) if self.longest else 0
            if seconds:
                yield f'<rect x="{x}" y="{y}" width="{max(width, 1)}" height="{BAR}" fill="{fill}" stroke="{SOLID}"/>'
            x = round(x + width, 1)


def _length(seconds: float | None) -> str:
    return "–" if seconds is None else short_duration(seconds)  # noqa: RUF001 - a dash for what is not there


def _header() -> Iterator[str]:
    yield text(EDGE, TOP - 8, "State", fill=QUIET)
    for x, words in (
        (TOTAL_AT, "All time"),
        (SHARE_AT, "Share"),
        (VISITS_AT, "Visits"),
        (MEDIAN_AT, "p50"),
        (P85_AT, "p85"),
    ):
        yield text(x, TOP - 8, words, anchor="end", fill=QUIET)
    yield text((VISITS_AT + P85_AT) / 2 + 30, TOP - 28, "closed visits", anchor="middle", fill=QUIET)


def _group(name: str, pairs: Sequence[tuple[Bar, float | None]], *, y: float) -> Iterator[str]:
    known = [share for _, share in pairs if share is not None]
    total = sum(bar.total for bar, _ in pairs)
    yield line(EDGE, y, WIDTH - EDGE, y, stroke=GRID)
    yield text(EDGE, y + 19, name, extra=' font-weight="bold"')
    if len(pairs) > 1 and known:
        yield text(TOTAL_AT, y + 19, short_duration(total), anchor="end", extra=' font-weight="bold"')
        yield text(SHARE_AT, y + 19, f"{sum(known):.0%}", anchor="end", extra=' font-weight="bold"')


def _signs(layout: _Layout) -> Iterator[str]:
    y = layout.height - 14
    yield swatch(LEFT, y, fill=SOLID)
    yield text(LEFT + 20, y, "visits that ended in the window")
    yield swatch(LEFT + 232, y, fill="url(#time-ongoing)")
    yield text(LEFT + 252, y, "items still there at its end")
