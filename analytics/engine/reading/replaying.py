"""Receipt replay: an answer given again from the ledger alone, as the snapshot of the first answer showed it.

What was written, imported, redefined, folded or rebuilt since has other transaction numbers, and so changes nothing.
"""

from typing import Any

from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.wing_reading import Reading
from analytics.engine.wing import Wing
from analytics.engine.wings import figures_by_name, wing_of


def figures_again(*, question: WindowQuestion, snapshot: str) -> dict[str, Any]:
    """The canonical figures of the question by label, as of the snapshot. To be used in one read-only transaction.

    Each figure is read by the wing that declares it, which opens the question once.
    """
    owners = {wing.name: wing for wing in (wing_of(name) for name, _ in question.figures.values())}
    readings = {name: _opened(wing, question=question, snapshot=snapshot) for name, wing in owners.items()}
    by_name = figures_by_name()
    return {
        label: by_name[name].hashed(readings[wing_of(name).name], arguments)
        for label, (name, arguments) in question.figures.items()
    }


def _opened(wing: Wing, *, question: WindowQuestion, snapshot: str) -> Reading:
    if wing.open_reading is None:
        raise LookupError(f"The wing {wing.name!r} has no `open_reading`.")
    return wing.open_reading(
        question=question,
        knowledge=Knowledge(known_at=question.known_at, snapshot=snapshot),
        read_from=ReadFrom.RAW,
    )
