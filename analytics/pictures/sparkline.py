"""Sparkline of a share by day, beside a number: bars that hang from 100 %, so that only what is missing is ink.

A day on which the share was below the target has a filled bar and a mark under it; one above it has an outline. A day on
which nothing was counted is blank.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

WIDTH: Final = 300
HEIGHT: Final = 48
TOP: Final = 4
DEEPEST: Final = 30
MARK_AT: Final = TOP + DEEPEST + 8
# A bar of nothing missing still shows that the day was counted.
LEAST: Final = 1.5
MISSED: Final = "#8a3b00"
KEPT: Final = "#7fb3d5"
LINE: Final = "#1b1b1b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """`shares` by day, the oldest first; None where nothing was counted. `target` is the least that is promised."""

    title: str
    days: Sequence[str]
    shares: Sequence[float | None]
    target: float


def sparkline(chart: Sparkline) -> str:
    """The picture, a whole `<svg>` element. The same chart gives the same text."""
    deepest = _deepest(chart)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sparkline" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label={quoteattr(in_words(chart))}>',
        f'<line x1="0" y1="{TOP}" x2="{WIDTH}" y2="{TOP}" stroke="{LINE}" stroke-width="0.75"/>',
        *_bars(chart, deepest),
        *_target(chart, deepest),
        "</svg>",
    ]
    return "\n".join(parts)


def in_words(chart: Sparkline) -> str:
    """What the picture shows, for who does not see it."""
    counted = [share for share in chart.shares if share is not None]
    missed = [day for day, share in zip(chart.days, chart.shares, strict=True) if _is_missed(share, chart.target)]
    if not counted:
        return f"{chart.title}: nothing was counted in {len(chart.shares)} days."
    days = f": {', '.join(missed)}" if missed else ""
    return (
        f"{chart.title}: counted on {len(counted)} of {len(chart.shares)} days, below {chart.target:.1%} on"
        f" {len(missed)}{days}. The worst day had {percent(min(counted))}."
    )


def percent(share: float) -> str:
    """With two places, and never rounded up to all of it: 99.996 % is not 100 %."""
    shown = f"{share:.2%}"
    return "99.99%" if shown == "100.00%" and share < 1 else shown


def _deepest(chart: Sparkline) -> float:
    """The missing share that a bar of the full height stands for: at least twice what may be missing."""
    return max(2 * (1 - chart.target), *(1 - share for share in chart.shares if share is not None), 0.0)


def _bars(chart: Sparkline, deepest: float) -> Iterator[str]:
    step = WIDTH / max(len(chart.shares), 1)
    for place, (day, share) in enumerate(zip(chart.days, chart.shares, strict=True)):
        if share is None:
            continue
        x, width = round((place + 0.1) * step, 2), round(0.8 * step, 2)
        height = round(max(DEEPEST * (1 - share) / deepest, LEAST), 1)
        missed = _is_missed(share, chart.target)
        yield (
            f'<rect x="{x}" y="{TOP}" width="{width}" height="{height}" fill="{MISSED if missed else KEPT}">'
            f"<title>{escape(day)}: {percent(share)}</title></rect>"
        )
        if missed:
            middle = round(x + width / 2, 1)
            yield f'<path d="M{middle} {MARK_AT - 4}l3.5 6h-7z" fill="{MISSED}"/>'


def _target(chart: Sparkline, deepest: float) -> Iterator[str]:
    y = round(TOP + DEEPEST * (1 - chart.target) / deepest, 1)
    yield f'<line x1="0" y1="{y}" x2="{WIDTH}" y2="{y}" stroke="{LINE}" stroke-width="0.75" stroke-dasharray="4 3"/>'


def _is_missed(share: float | None, target: float) -> bool:
    return share is not None and share < target
