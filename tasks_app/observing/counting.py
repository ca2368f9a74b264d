"""Counters of answers, kept in the process until somebody writes them: a few microseconds each, and no database."""

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks_app.observing import latency_histogram as spread
from tasks_app.observing.judging import Verdict
from tasks_app.observing.latency_histogram import Spread

# More than a process sees between two writes, unless nothing can be written for long. Beyond it counts are dropped.
MOST_ROWS = 50_000
# For answers of which nobody knows whose they are.
NOBODY = 0


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """A minute of one objective of one tenant."""

    tenant_id: int
    objective: str
    minute: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """How many answers counted, how many of them were good, and how their times are spread, where they have one."""

    good: int
    valid: int
    spread: Spread = ()

    def plus(self, other: "Count") -> "Count":
        """Both together."""
        return Count(self.good + other.good, self.valid + other.valid, spread.plus(self.spread, other.spread))


class Counts:
    """Counts by row. Safe between threads; a forked child starts with none, for the parent will write its own."""

    def __init__(self, *, most: int = MOST_ROWS) -> None:
        self._most = most
        self._empty()
        os.register_at_fork(after_in_child=self._empty)

    def _empty(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[Row, Count] = {}
        self.dropped = 0

    def add(self, *, tenant_id: int | None, verdicts: Iterable[Verdict], now: datetime) -> None:
        """Counts one answer."""
        minute = now.replace(second=0, microsecond=0)
        self.put({Row(tenant_id or NOBODY, each.name, minute): _one(each) for each in verdicts})

    def put(self, rows: Mapping[Row, Count]) -> None:
        """Adds counts: new ones, or those that could not be written."""
        with self._lock:
            for row, count in rows.items():
                before = self._rows.get(row)
                if before is None and len(self._rows) >= self._most:
                    self.dropped += count.valid
                    continue
                self._rows[row] = count.plus(before) if before else count

    def take(self) -> dict[Row, Count]:
        """All counts, in the order of their rows; there are none left."""
        with self._lock:
            rows, self._rows = self._rows, {}
        return {row: rows[row] for row in sorted(rows)}


def _one(verdict: Verdict) -> Count:
    return Count(int(verdict.good), 1, () if verdict.seconds is None else spread.of(verdict.seconds))
