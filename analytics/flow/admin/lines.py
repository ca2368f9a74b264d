"""Ledger rows as the auditors' pages and files show them. The words are those of the activity feed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from analytics.engine.pages.asked import local_text
from analytics.flow.graphql.activity import Activity, ActivityBatch, Change
from analytics.flow.replay.activity import Feed, FeedRow
from tasks_app.admin.downloads import Cell, instant_text
from tasks_app.models import Kind

ROWS_AT_ONCE = 1000
HEADER = (
    "position",
    "happened_at",
    "recorded_at",
    "kind",
    "project",
    "task",
    "sentence",
    "fields",
    "old",
    "new",
    "seconds_in_from_state",
    "actor",
    "actor_kind",
    "correlation_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One ledger row in words. `local_happened` and `local_recorded` are by the clock that the page shows."""

    seq: int
    kind: str
    project: str
    task: str | None
    sentence: str
    changes: Sequence[Change]
    seconds_before: float | None
    actor_id: int
    actor: str
    actor_kind: str
    correlation: int
    happened_at: datetime
    recorded_at: datetime
    local_happened: str
    local_recorded: str

    @property
    def cells(self) -> list[Cell]:
        """For a file with HEADER."""
        return [
            self.seq,
            self.happened_at,
            self.recorded_at,
            self.kind,
            self.project,
            self.task,
            self.sentence,
            "; ".join(change.field for change in self.changes),
            "; ".join(change.old or "" for change in self.changes),
            "; ".join(change.new or "" for change in self.changes),
            self.seconds_before,
            self.actor,
            self.actor_kind,
            str(self.correlation),
        ]

    @property
    def exactly(self) -> str:
        """Both instants in UTC, to the microsecond."""
        return f"happened {instant_text(self.happened_at)}, recorded {instant_text(self.recorded_at)}"


def lines_of(*, tenant_id: int, rows: Sequence[FeedRow], zone_name: str) -> list[Line]:
    """The rows in words, in their order; a fixed number of statements for all of them."""
    batch = ActivityBatch(tenant_id=tenant_id, rows=rows)
    return [_line(row, batch=batch, zone_name=zone_name) for row in rows]


def _line(row: FeedRow, *, batch: ActivityBatch, zone_name: str) -> Line:
    activity = Activity(pk=row.seq, row=row, batch=batch)
    actor = batch.actors.get(row.actor_id)
    project = batch.projects.get(row.project_id)
    name = batch.names.get(row.task_id)
    return Line(
        seq=row.seq,
        kind=Kind(row.kind).name,
        project=project.key if project else "",
        task=name.key if name else None,
        # The fields of a GraphQL type are its methods still, whatever their annotations say.
        sentence=cast(Callable[[], str], activity.sentence)(),
        changes=cast(Callable[[], list[Change]], activity.changes)(),
        seconds_before=cast(Callable[[], float | None], activity.seconds_in_from_state)(),
        actor_id=row.actor_id,
        actor=actor.name if actor else "",
        actor_kind=str(actor.kind) if actor else "",
        correlation=row.correlation,
        happened_at=row.happened_at,
        recorded_at=row.recorded_at,
        local_happened=local_text(row.happened_at, zone_name=zone_name),
        local_recorded=local_text(row.recorded_at, zone_name=zone_name),
    )


def every_line(*, feed: Feed) -> Iterator[Line]:
    """All lines of the feed, the newest recording first, read a page at a time. To be drawn inside the transaction."""
    where = "TRUE"
    params: list[int] = []
    while True:
        rows = feed.read(where=where, params=params, direction="DESC", limit=ROWS_AT_ONCE)
        yield from lines_of(tenant_id=feed.tenant_id, rows=rows, zone_name="UTC")
        if len(rows) < ROWS_AT_ONCE:
            return
        where, params = "l.seq < %s", [rows[-1].seq]
