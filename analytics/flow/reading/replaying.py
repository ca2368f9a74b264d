"""An answer given again: counted from the ledger alone, as the snapshot of the first answer showed it.

What was written, imported, redefined, folded or rebuilt since has other transaction numbers, and so changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from analytics.engine.reading.questions import WindowQuestion
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.figures.workflow import Workflows
from analytics.flow.reading.flow import FlowReading
from analytics.flow.replay import flow as replay
from analytics.flow.replay.definitions import boards, workflows
from analytics.pure import windows


class Figure(Protocol):
    """How one figure is read, and what of it is hashed."""

    def hashed(self, reading: FlowReading, arguments: Mapping[str, Any], /) -> Any:
        """The figure in canonical form."""


class SnapshotReading(FlowReading):
    """A reading of the ledger in which only what was visible in one snapshot exists; None: all that is visible now."""

    def __init__(self, *, snapshot: str | None, **asked: Any) -> None:
        super().__init__(**asked)
        self._snapshot = snapshot

    def _defined(self, *, project_ids: Sequence[int] | None) -> Workflows:
        """As the snapshot has them."""
        return workflows(
            tenant_id=self._tenant_id,
            project_ids=project_ids,
            known_at=self._known_at,
            snapshot=self._snapshot,
            frozen=self._as_defined_now,
        )

    @property
    def _scope(self) -> replay.Scope:
        return replace(super()._scope, snapshot=self._snapshot)


def read_again(*, question: WindowQuestion, snapshot: str) -> SnapshotReading:
    """The question's reading, as of the snapshot."""
    found = boards(tenant_id=question.tenant_id, key=None, known_at=question.known_at, snapshot=snapshot)
    return SnapshotReading(
        snapshot=snapshot,
        boards=[board for board in found if question.project_id in (None, board.id)],
        window=windows.between(
            start=question.start,
            end=question.end,
            zone=question.zone,
            bucket=windows.Bucket(question.bucket),
            now=question.now,
            fiscal_year_start_month=question.fiscal_year_start_month,
        ),
        read_from=ReadFrom.RAW,
        **question.of_reading,
    )


def figures_again(*, question: WindowQuestion, snapshot: str, by_name: Mapping[str, Figure]) -> dict[str, Any]:
    """The canonical figures of the question by label, as of the snapshot."""
    reading = read_again(question=question, snapshot=snapshot)
    return {label: by_name[name].hashed(reading, arguments) for label, (name, arguments) in question.figures.items()}
