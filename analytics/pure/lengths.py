"""Lengths of time as people read them, and the round ones that an axis is marked with."""

from typing import Final

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400
UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s"))
STEPS: Final = (
    *(seconds for seconds in (1, 2, 5, 10, 15, 30)),
    *(MINUTE * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(HOUR * hours for hours in (1, 2, 3, 6, 12)),
    *(DAY * factor * 10**power for power in range(12) for factor in (1, 2, 5)),
)


def duration_text(seconds: float) -> str:
    """A length of time in its two largest units: "3 d 4 h", "5 min 2 s", "0 s"."""
    rest = int(seconds)
    parts: list[str] = []
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count:,} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 ")) or "0 s"


def short_duration(seconds: float) -> str:
    """A length of time for a narrow place: its largest unit alone where there are ten of it, "12 d" but "3 d 4 h"."""
    whole = next((size for size, _ in UNITS if seconds >= size), 1)
    return duration_text(seconds // whole * whole if seconds >= 10 * whole else seconds)


def duration_ticks(*, largest: float, wanted: int = 6) -> list[int]:
    """0 and round lengths of time in even steps, in seconds, the last at or above `largest` and above 0."""
    step = next(step for step in STEPS if step * (wanted - 1) >= max(largest, 1))
    count = -int(-max(largest, 1) // step)
    return [step * number for number in range(count + 1)]
