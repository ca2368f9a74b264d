"""Progress of a long command: a bar on a terminal, a line every few seconds otherwise. Always on stderr."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Counts what is done; `with Progress(...) as progress: progress.add(n)`. Quick work writes no line."""

    def __init__(self, *, label: str, unit: str, total: int | None = None, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._label, self._unit, self._total = label, unit, total
        self._done = 0
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        self._bar: tqdm[object] | None = None
        if self._stream.isatty():
            self._bar = tqdm(total=total, desc=label, unit=f" {unit}", file=self._stream, leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, count: int) -> None:
        """`count` more are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            of_total = f" of {self._total:,}" if self._total is not None else ""
            self._stream.write(f"{self._label}: {self._done:,}{of_total} {self._unit}\n")
            self._stream.flush()
