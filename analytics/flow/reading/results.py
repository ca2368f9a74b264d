"""What figures are made of: values per bucket, and what explains them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from analytics.flow.figures.aging import Age
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.replay.task_names import ItemName
from analytics.pure.zones import from_microseconds, to_microseconds


class FlowMode(StrEnum):
    """What a line of the diagram counts."""

    CUMULATIVE = "CUMULATIVE"
    OCCUPANCY = "OCCUPANCY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One state's numbers, one per bucket, at the bucket's end. null: not known."""

    state: StateDefinition
    counts: Sequence[int | None]


class CorrectionWindow(NamedTuple):
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

    def __getstate__(self) -> dict[str, Any]:
        """Correction windows as plain rows: to keep thousands of objects takes longer than to count them."""
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**state, "correction_windows": [_plain(each) for each in self.correction_windows]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """What was kept."""
        windows = [_window(*row) for row in state["correction_windows"]]
        for name, value in {**state, "correction_windows": windows}.items():
            object.__setattr__(self, name, value)


def _plain(window: CorrectionWindow) -> tuple[Any, ...]:
    item, begin, end = window
    return *item, to_microseconds(begin), None if end is None else to_microseconds(end)


def _window(task_id: int, key: str, external_id: str, begin: int, end: int | None) -> CorrectionWindow:
    item = ItemName(task_id=task_id, key=key, external_id=external_id)
    return CorrectionWindow(item, from_microseconds(begin), None if end is None else from_microseconds(end))


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
