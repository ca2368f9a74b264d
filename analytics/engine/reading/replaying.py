"""Receipt replay: an answer given again from the ledger alone, as the snapshot of the first answer showed it.

What was written, imported, redefined, folded or rebuilt since has other transaction numbers, and so changes nothing.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.wing_reading import OpenReading


class Figure(Protocol):
    """How one figure is read, and what of it is hashed."""

    def hashed(self, reading: Any, arguments: Mapping[str, Any], /) -> Any:
        """The figure in canonical form, from a reading of its wing."""


def figures_again(
    *, question: WindowQuestion, snapshot: str, by_name: Mapping[str, Figure], open_reading: OpenReading
) -> dict[str, Any]:
    """The canonical figures of the question by label, as of the snapshot. To be used in one read-only transaction."""
    reading = open_reading(
        question=question,
        knowledge=Knowledge(known_at=question.known_at, snapshot=snapshot),
        read_from=ReadFrom.RAW,
    )
    return {label: by_name[name].hashed(reading, arguments) for label, (name, arguments) in question.figures.items()}
