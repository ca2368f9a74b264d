"""Source of a question's figures: rollups and tail where they can answer, else the ledger, with the sentence why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from analytics.engine.reading import fallbacks
from analytics.engine.reading.coverage import Standing, standing
from analytics.engine.reading.ledger_rows import LedgerRows
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.basis import Ground
from analytics.flow.family import TRANSITIONS
from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.reading.board_definitions import BoardDefinitions
from analytics.flow.reading.sources import FoldedSource, RawSource, Source, orders_by_key, segments_of
from analytics.flow.replay.flow import Scope
from analytics.flow.replay.tasks import TaskList
from analytics.flow.state_orders import ground_of


@dataclass(kw_only=True)
class SourceChoice:
    """Where a question is read from, of what was asked for. `rows` is where its statements note what they read."""

    defined: BoardDefinitions
    asked_from: ReadFrom
    rows: LedgerRows = field(default_factory=LedgerRows)

    @cached_property
    def scope(self) -> Scope:
        """Which facts the answer may see."""
        asked, known = self.defined.question, self.defined.knowledge
        return Scope(
            tenant_id=asked.tenant_id,
            project_id=self._project_id,
            until=asked.window.end,
            known_at=known.known_at,
            assignee_id=asked.assignee_id,
            actor_id=asked.actor_id,
            snapshot=known.snapshot,
            items=self._items() if asked.filters else None,
        )

    @property
    def _project_id(self) -> int | None:
        return None if self.defined.question.whole_tenant else self.defined.boards[0].id

    def _items(self) -> Sequence[int]:
        """The tasks that meet the filters."""
        asked, known = self.defined.question, self.defined.knowledge
        tasks = TaskList(
            tenant_id=asked.tenant_id,
            now=asked.now,
            at=None if asked.filters_as_of_now else asked.window.end,
            known_at=known.known_at,
            snapshot=known.snapshot,
            filters=dict(asked.filters),
        )
        return tasks.ids_with_discarded(board=self._project_id)

    @cached_property
    def fallback(self) -> str | None:
        """Why the ledger was read though rollups were asked for; None when it was not."""
        if self.asked_from is ReadFrom.RAW:
            return None
        if self.defined.question.filters:
            return "Rollups have no single items to filter, so the ledger was read."
        if not self.defined.knowledge.is_all:
            return fallbacks.AS_KNOWN_THEN
        if self.defined.question.as_defined_now and self._was_ordered_anew:
            return "The order of states changed, and rollups count by the order of each time, so the ledger was read."
        return why_not(
            asked=self.asked_from,
            scope=self.scope,
            frame=self.defined.frame,
            ground=self._ground,
            standing=self._standing,
        )

    @property
    def _was_ordered_anew(self) -> bool:
        return bool(self._ground.known.is_reordered)

    @cached_property
    def source(self) -> Source:
        """What the figures are counted from."""
        scope, frame = self.scope, self.defined.frame
        if self.asked_from is ReadFrom.RAW or self.fallback:
            return RawSource(scope=scope, frame=frame, rows_read=self.rows)
        return FoldedSource(
            scope=scope,
            frame=frame,
            ground=self._ground,
            standing=self._standing,
            asked_from=self.asked_from,
            rows_read=self.rows,
        )

    @cached_property
    def _ground(self) -> Ground:
        return ground_of(boards=self.defined.boards, known=self.defined.workflows.as_recorded())

    @cached_property
    def _standing(self) -> Standing:
        asked = self.defined
        return standing(tenant_id=asked.question.tenant_id, family=TRANSITIONS, projects=asked.project_ids)


def why_not(*, asked: ReadFrom, scope: Scope, frame: Frame, ground: Ground, standing: Standing) -> str | None:
    """Why rollups cannot answer, as people read it; None when they can."""
    if why := fallbacks.why_not(asked=asked, standing=standing, wanted=ground.bases):
        return why
    known = {(project, key) for project, basis in standing.bases.items() for key in basis.orders}
    needed = {(project, key) for project, key in orders_by_key(frame) if project in standing.bases}
    if not needed <= known:
        return "Rollups do not count by this order of states, so the ledger was read."
    found = segments_of(standing=standing, ground=ground, scope=scope, frame=frame).values()
    return fallbacks.why_dropped(standing=standing, segments=chain.from_iterable(found))
