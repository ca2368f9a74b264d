"""Proof of an answer: what it was computed from, and a digest to compare it by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.pure.canonical import digest
from analytics.pure.zones import tzdata_version
from analytics.windows.sources import ReadFrom

FLOW_VERSION = "flow/1"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What an answer saw and from where it was read."""

    metric_version: str
    read_from: ReadFrom
    raw_rows: int
    tail_rows: int
    known_at: datetime
    timezone: str
    tzdata: str
    digest: str


def receipt(*, figures: Mapping[str, Any], raw_rows: int, known_at: datetime, timezone: str) -> Receipt:
    """The receipt of figures counted from the ledger, by name with their arguments."""
    return Receipt(
        metric_version=FLOW_VERSION,
        read_from=ReadFrom.RAW,
        raw_rows=raw_rows,
        # Nothing is folded yet, so no answer has a tail to add to rollups.
        tail_rows=0,
        known_at=known_at,
        timezone=timezone,
        tzdata=tzdata_version(),
        digest=digest([{"figure": name, "value": figures[name]} for name in sorted(figures)]),
    )
