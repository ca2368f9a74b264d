"""Fallbacks to the ledger: why rollups cannot answer a question, one sentence each, in the words of the receipt's note."""

from collections.abc import Iterable, Mapping
from typing import Final

from analytics.engine.reading.coverage import Standing, dropped_since, fits
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.basis import Basis
from analytics.pure.segments import Segment

# The ledger is replayed for less a fact than the tail takes, so where the tail is most of it, it is replayed.
LONG_TAIL: Final = 50_000

AS_KNOWN_THEN: Final = "Rollups have what is known now, not what was known at an instant, so the ledger was read."
NOTHING_FOLDED: Final = "Nothing is folded yet, so the ledger was read."
MOST_WAITS: Final = "More facts wait to be folded than are folded, so the ledger was read."
REDEFINED: Final = "Definitions changed since the last fold, so the ledger was read."
TAKEN_BACK: Final = (
    "Facts that wait take back lowest, highest, first or last values of rollups, so the ledger was read."
)
DROPPED: Final = "Finer rollups are kept since {since} only, so the ledger was read."


def why_not(*, asked: ReadFrom, standing: Standing, wanted: Mapping[int, Basis]) -> str | None:
    """Why rollups of these projects, as they have to be cut, cannot answer; None where nothing that they say is in the way."""
    if asked is ReadFrom.ROLLUP and not standing.bases:
        return NOTHING_FOLDED
    if asked is ReadFrom.MERGED and standing.tail_rows > max(LONG_TAIL, standing.facts):
        return MOST_WAITS
    return None if fits(standing=standing, wanted=wanted) else REDEFINED


def why_dropped(*, standing: Standing, segments: Iterable[Segment]) -> str | None:
    """Why the rows of these segments cannot: a finer grain is not there any more. None where nothing is missing."""
    since = dropped_since(standing=standing, segments=segments)
    return DROPPED.format(since=since.date()) if since else None
