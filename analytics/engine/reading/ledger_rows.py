"""Ledger row counts of an answer: what its figures were counted from, as its receipt tells."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class LedgerRows:
    """What an answer's statements have read so far.

    `histories`: whether some statement read the histories of the question's items, which count once, however many read them.
    `apart` are rows that were read beside these, by the figure that needed them.
    """

    histories: bool = False
    apart: dict[str, int] = field(default_factory=dict)

    def note_histories(self) -> None:
        """A statement reads the histories."""
        self.histories = True

    def note_apart(self, figure: str, rows: int) -> None:
        """So many rows were read for that figure alone."""
        self.apart[figure] = rows

    def total(self, histories: Callable[[], int]) -> int:
        """All that was read, `histories` counting those of the items."""
        return sum(self.apart.values()) + (histories() if self.histories else 0)
