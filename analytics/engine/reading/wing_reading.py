"""Reading protocol: the figures of one question as a wing reads them, from the ledger or from rollups and tail."""

from collections.abc import Collection
from typing import Any, Protocol

from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.pure.windows import Window


class Reading(Protocol):
    """One question's figures, each a method of the wing's own. Inside one read-only transaction: all see one snapshot."""

    @property
    def window(self) -> Window:
        """The window and its buckets."""

    @property
    def fallback(self) -> str | None:
        """Why the ledger was read though rollups were asked for, as people read it; None when it was not."""

    @property
    def read_from(self) -> ReadFrom:
        """Where the figures were read from."""

    @property
    def raw_rows(self) -> int:
        """Ledger rows that the figures so far were counted from."""

    @property
    def tail_rows(self) -> int:
        """Facts that the figures were counted from and no rollup had."""

    def expect(self, figures: Collection[str]) -> None:
        """Names what will be asked for, so that what several figures need is read once. Changes no figure."""

    def drill_down(self, asked: Any, /) -> Any:
        """What one number is made of, by the wing's own question."""


class OpenReading(Protocol):
    """How a wing opens the reading of a question that was asked before."""

    def __call__(self, *, question: WindowQuestion, knowledge: Knowledge, read_from: ReadFrom) -> Reading:
        """Whatever the question says of it, no more is known than `knowledge`."""
