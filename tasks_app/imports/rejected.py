"""Rejected rows, which cannot be taken: the whole file is refused, or they go to a file of their own."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tasks_app.imports.events import Bad
from tasks_app.refusals import Refused

if TYPE_CHECKING:
    from _csv import Writer


class Rejections(Protocol):
    """Hears of every bad row of a file, in order within a piece of it, and counts them."""

    count: int

    def __call__(self, bad: Bad) -> None:
        """Takes one bad row, or refuses the file."""


class RefuseAll:
    """The first bad row refuses the file, by its name, line and column."""

    def __init__(self, *, name: str) -> None:
        self._name = name
        self.count = 0

    def __call__(self, bad: Bad) -> None:
        column = f", column {bad.column}" if bad.column else ""
        raise Refused(f"{self._name}, line {bad.place}{column}: {bad.reason}.")


class Quarantine:
    """Writes each bad row with its line and the reason, below the file's own header."""

    def __init__(self, *, writer: "Writer") -> None:
        self._writer = writer
        self.count = 0

    def __call__(self, bad: Bad) -> None:
        self._writer.writerow([bad.place, f"{bad.column}: {bad.reason}" if bad.column else bad.reason, *bad.row])
        self.count += 1


@contextmanager
def quarantined(*, path: Path, header: Sequence[str]) -> Iterator[Quarantine]:
    """A quarantine file that is there, whole, when the block ends well, and not at all when it does not."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        stream = unfinished.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with stream:
            writer = csv.writer(stream)
            writer.writerow(["line", "reason", *header])
            yield Quarantine(writer=writer)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
