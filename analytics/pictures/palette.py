"""Palette of ordered bands, told apart by lightness alone: in grey print, and by people who see few colours."""

from typing import Final

# Along the viridis scale, from its light to its dark end: its lightness falls evenly.
STOPS: Final = ((250, 220, 60), (140, 208, 80), (38, 160, 135), (50, 100, 142), (68, 20, 94))


def shades(count: int) -> list[str]:
    """So many colours, evenly along the scale, the first the lightest."""
    steps = max(count - 1, 1)
    return [_at(number / steps) for number in range(count)]


def _at(share: float) -> str:
    place = share * (len(STOPS) - 1)
    left = min(int(place), len(STOPS) - 2)
    mixed = [round(low + (high - low) * (place - left)) for low, high in zip(STOPS[left], STOPS[left + 1], strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)
