"""What an audit is asked and what it says: one line of JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line asks of every audit. `home` is the FLOWLEDGER_HOME of this run alone.

    `count` is how often to do what the audit does; None: as often as its claim says.
    """

    home: Path
    count: int | None

    def times(self, default: int) -> int:
        """The count asked for, else the audit's own."""
        return default if self.count is None else self.count


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Whether what the audit claims held, and the figures that show it."""

    name: str
    ok: bool
    figures: dict[str, Any]

    def line(self) -> str:
        """The finding as one line of JSON."""
        return json.dumps({"name": self.name, "ok": self.ok, "figures": self.figures})


Audit = Callable[[Request], Finding]
