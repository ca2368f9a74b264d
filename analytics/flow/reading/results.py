"""Results of flow figures: values per bucket, and what explains them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from analytics.flow.figures.aging import Age
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.replay.task_names import ItemName
from analytics.pure.zones import from_microseconds


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
class CorrectionWindows:
    """Correction windows in columns, in their order: thousands of objects take longer to keep than to count.

    An item by its id, key and external id; instants in microseconds, an end None while the item is behind.
    """

    tasks: Sequence[int] = ()
    keys: Sequence[str] = ()
    external_ids: Sequence[str] = ()
    begins: Sequence[int] = ()
    ends: Sequence[int | None] = ()

    def __len__(self) -> int:
        """How many."""
        return len(self.tasks)

    def __iter__(self) -> Iterator[CorrectionWindow]:
        """One by one, for who shows them."""
        for task, key, external, begin, end in zip(
            self.tasks, self.keys, self.external_ids, self.begins, self.ends, strict=True
        ):
            item = ItemName(task_id=task, key=key, external_id=external)
            yield CorrectionWindow(item, from_microseconds(begin), None if end is None else from_microseconds(end))


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
    correction_windows: CorrectionWindows
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
