"""Figures of one question, counted once and read by whoever needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analytics.engine.reading.read_from import ReadFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Figures by label, and what was read for them. `note` says why the ledger was read instead of rollups, if it was."""

    figures: Mapping[str, Any]
    read_from: ReadFrom
    raw_rows: int
    tail_rows: int
    note: str | None
