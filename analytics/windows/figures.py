"""What figures are made of: values per bucket, and what explains them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from analytics.pure.aging import Age
from analytics.pure.workflow import StateDefinition
from analytics.replay.items import ItemName


class FlowMode(StrEnum):
    """What a line of the diagram counts."""

    CUMULATIVE = "CUMULATIVE"
    OCCUPANCY = "OCCUPANCY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One state's numbers, one per bucket, at the bucket's end. null: not known."""

    state: StateDefinition
    counts: Sequence[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionWindow:
    """The time in which an item was behind the furthest state that it had reached; `end` None while it is."""

    item: ItemName
    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeFlow:
    """The diagram: series in the order of the workflow, flows per bucket, and what explains a surprise."""

    mode: FlowMode
    series: Sequence[Series]
    arrivals: Sequence[int | None]
    departures: Sequence[int | None]
    left: Sequence[int | None]
    discarded: Sequence[int | None]
    definition_changes: Sequence[datetime]
    correction_windows: Sequence[CorrectionWindow]
    difference: Sequence[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Per bucket: items by their last finish, each once; entries into DONE; entries into CANCELLED."""

    finished: Sequence[int | None]
    finish_events: Sequence[int | None]
    cancelled: Sequence[int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgingItem:
    """An item in progress, and how old it is."""

    item: ItemName
    age: Age
