"""What a benchmark says: one line per goal."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A measured ratio (or size, or rate) beside the most it may be, or with `at_least` the least.

    Without a goal it is only told.
    """

    name: str
    ratio: float
    goal: float | None
    detail: dict[str, Any]
    also: bool = True
    at_least: bool = False

    @property
    def ok(self) -> bool:
        """True when the ratio is within the goal, and what the goal demands besides (`also`) holds."""
        return self.also and (self.goal is None or self._within(self.goal))

    def _within(self, goal: float) -> bool:
        return self.ratio >= goal if self.at_least else self.ratio <= goal

    def line(self) -> str:
        """The outcome as one line of JSON."""
        return json.dumps(
            {
                "name": self.name,
                "ratio": round(self.ratio, 3),
                "goal": self.goal,
                "ok": self.ok,
                "detail": self.detail,
            }
        )


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line asks of every benchmark. `rows` None: each takes the size that its goal names."""

    rows: int | None

    def size(self, default: int) -> int:
        """The rows asked for, else the benchmark's own size."""
        return default if self.rows is None else self.rows


Benchmark = Callable[[Request], Iterator[Outcome]]
