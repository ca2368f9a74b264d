"""Sources that figures are counted from: the ledger, or rollups with or without the live tail."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from analytics.engine.reading.coverage import Standing, pieces
from analytics.engine.reading.ledger_rows import LedgerRows
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.rollup_rows import Reading, Target, are_few, read
from analytics.engine.rollups.basis import Ground
from analytics.flow.family import TRANSITIONS, Facet
from analytics.flow.figures.completion import Finished, Traversal
from analytics.flow.figures.cumulative_flow import Frame, Movement, Reached
from analytics.flow.figures.forecast import DoneStay
from analytics.flow.figures.workflow import StateOrder
from analytics.flow.reading.item_steps import Steps
from analytics.flow.replay import completion as completion_replay
from analytics.flow.replay import flow as replay
from analytics.flow.replay import forecast as forecast_replay
from analytics.flow.replay.flow import Correction, Scope, Statement
from analytics.flow.state_orders import order_key
from analytics.pure.segments import Grain, Segment


class Source(Protocol):
    """Rows by piece of a frame. Whatever reads the histories of items says so in `rows_read`."""

    rows_read: LedgerRows

    def noting(self, rows: LedgerRows) -> "Source":
        """The same source, which notes what it reads there."""

    @property
    def read_from(self) -> ReadFrom:
        """Where from."""

    @property
    def tail_rows(self) -> int:
        """Facts read that no rollup had."""

    def ledger_rows(self, movements: Callable[[], Sequence[Movement]]) -> int:
        """Ledger rows that the histories of the items have; `movements` are asked for where these say it."""

    def movements(self) -> Sequence[Movement]:
        """What took items from one state to another."""

    def movements_and_reached(self) -> tuple[Sequence[Movement], Sequence[Reached]]:
        """The movements, and how far items came: whoever draws lines needs both, and of rollups they are one statement."""

    def corrections(self, *, orders: Sequence[StateOrder]) -> Sequence[Correction]:
        """When items were behind."""

    def finished(self, *, done: Collection[int]) -> Sequence[Finished]:
        """When items began the stay in DONE that lasts at the window's end."""

    def traversals(self, *, groups: Mapping[int, int]) -> Sequence[Traversal]:
        """The window's steps."""

    def rows(
        self,
        statement: Statement,
        *,
        values: Mapping[str, Any],
        scope: Scope | None = None,
        touched_since: datetime | None = None,
    ) -> Sequence[tuple[Any, ...]]:
        """What a statement says of the histories of items, in another scope if one is given.

        Items without a fact from `touched_since` on may be left out.
        """

    def done_stays(self, *, edges: Sequence[datetime], done: Collection[int]) -> Sequence[DoneStay]:
        """When items came to DONE, and left it."""


@dataclass(kw_only=True)
class RawSource:
    """The ledger, replayed."""

    scope: Scope
    frame: Frame
    rows_read: LedgerRows = field(default_factory=LedgerRows)
    read_from: ReadFrom = ReadFrom.RAW
    tail_rows: int = 0

    def noting(self, rows: LedgerRows) -> Source:
        """See Source."""
        return replace(self, rows_read=rows)

    def ledger_rows(self, movements: Callable[[], Sequence[Movement]]) -> int:
        """See Source. Each fact is in one movement."""
        return sum(row.items for row in movements())

    def movements(self) -> Sequence[Movement]:
        """See Source."""
        self.rows_read.note_histories()
        return replay.movements(scope=self.scope, edges=self.frame.edges)

    def movements_and_reached(self) -> tuple[Sequence[Movement], Sequence[Reached]]:
        """See Source."""
        movements = self.movements()
        return movements, replay.reached(
            scope=self.scope, edges=self.frame.edges, orders=self.frame.orders, project_of=_project_of(self.frame)
        )

    def corrections(self, *, orders: Sequence[StateOrder]) -> Sequence[Correction]:
        """See Source."""
        self.rows_read.note_histories()
        return replay.corrections(scope=self.scope, begin=self.frame.window.start, orders=orders)

    def finished(self, *, done: Collection[int]) -> Sequence[Finished]:
        """See Source."""
        self.rows_read.note_histories()
        return completion_replay.finished(scope=self.scope, edges=self.frame.edges, done=done)

    def traversals(self, *, groups: Mapping[int, int]) -> Sequence[Traversal]:
        """See Source."""
        self.rows_read.note_histories()
        return completion_replay.traversals(scope=self.scope, begin=self.frame.window.start, groups=groups)

    def rows(
        self,
        statement: Statement,
        *,
        values: Mapping[str, Any],
        scope: Scope | None = None,
        touched_since: datetime | None = None,
    ) -> Sequence[tuple[Any, ...]]:
        """See Source. The ledger has no cheaper way to some of the items."""
        self.rows_read.note_histories()
        return replay.rows(statement, scope=scope or self.scope, values=values)

    def done_stays(self, *, edges: Sequence[datetime], done: Collection[int]) -> Sequence[DoneStay]:
        """See Source."""
        self.rows_read.note_histories()
        return forecast_replay.done_stays(scope=self.scope, edges=edges, done=done)


@dataclass(kw_only=True)
class FoldedSource:
    """Rollups and folded facts; with MERGED the facts that are still in the tail, too."""

    scope: Scope
    frame: Frame
    ground: Ground
    standing: Standing
    asked_from: ReadFrom
    rows_read: LedgerRows = field(default_factory=LedgerRows)

    def noting(self, rows: LedgerRows) -> Source:
        """See Source."""
        return replace(self, rows_read=rows)

    @property
    def read_from(self) -> ReadFrom:
        """As asked."""
        return self.asked_from

    @property
    def tail_rows(self) -> int:
        """Facts that no rollup had."""
        return self.standing.tail_rows if self.asked_from is ReadFrom.MERGED else 0

    def ledger_rows(self, movements: Callable[[], Sequence[Movement]]) -> int:
        """See Source. The tail's facts are read from the ledger, and nothing else."""
        return self._live_rows

    @cached_property
    def _live_rows(self) -> int:
        return self._steps.live_rows() if self._has_tail else 0

    @property
    def _has_tail(self) -> bool:
        return self.tail_rows > 0

    @cached_property
    def _steps(self) -> Steps:
        return Steps(scope=self.scope, ground=self.ground, tail=self._has_tail)

    @property
    def _noted(self) -> Steps:
        """The steps of items, for a statement that reads their histories."""
        self.rows_read.note_histories()
        return self._steps

    def movements(self) -> Sequence[Movement]:
        """See Source."""
        return self._movements_of(self._read(self._of_scope))

    def movements_and_reached(self) -> tuple[Sequence[Movement], Sequence[Reached]]:
        """See Source. Of a person the lines follow the histories of items: no rollup has how far these came in whose hands."""
        if not self._is_of_board:
            return self.movements(), self._reached_by_person()
        orders = orders_by_key(self.frame)
        targets = [Target(project, (Facet.FURTHEST, key)) for project, key in orders]
        rows = self._read([*self._of_scope, *targets])
        return self._movements_of(rows), [
            Reached(number, project, low, high, piece, facts)
            for piece, project, facet, order, low, high, facts in rows
            if facet == Facet.FURTHEST
            for number in orders[project, order]
        ]

    @property
    def _is_of_board(self) -> bool:
        return self.scope.actor_id is None and self.scope.assignee_id is None

    def _reached_by_person(self) -> Sequence[Reached]:
        if self.scope.actor_id is not None:
            return []
        return self._noted.reached_by_person(
            edges=self.frame.edges, orders=self.frame.orders, project_of=_project_of(self.frame)
        )

    def _movements_of(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[Movement]:
        counted = self._counted_in
        return [
            Movement(piece, before, after, after == 0, facts)
            for piece, project, facet, _, before, after, facts in rows
            if facet != Facet.FURTHEST and (counted is None or counted(after, before) == project)
        ]

    @property
    def _counted_in(self) -> Callable[[int, int], int | None] | None:
        """A movement between two projects is kept for each of them; of a whole tenant it is one, that of the state after."""
        if self.scope.project_id is not None:
            return None
        project_of = self.ground.known.project_of
        return lambda after, before: project_of.get(after) or project_of.get(before)

    def corrections(self, *, orders: Sequence[StateOrder]) -> Sequence[Correction]:
        """See Source."""
        if self.scope.actor_id is not None:
            return []
        if self.scope.assignee_id is not None:
            return self._noted.corrections_of_person(begin=self.frame.window.start, orders=orders)
        return self._noted.corrections(begin=self.frame.window.start)

    def finished(self, *, done: Collection[int]) -> Sequence[Finished]:
        """See Source."""
        return self._noted.finished(edges=self.frame.edges, done=done)

    def traversals(self, *, groups: Mapping[int, int]) -> Sequence[Traversal]:
        """See Source."""
        return self._noted.traversals(begin=self.frame.window.start, groups=groups)

    def rows(
        self,
        statement: Statement,
        *,
        values: Mapping[str, Any],
        scope: Scope | None = None,
        touched_since: datetime | None = None,
    ) -> Sequence[tuple[Any, ...]]:
        """See Source."""
        steps = replace(self._noted, scope=scope or self.scope)
        return steps.rows(statement, values=values, touched_since=touched_since)

    def done_stays(self, *, edges: Sequence[datetime], done: Collection[int]) -> Sequence[DoneStay]:
        """See Source."""
        return self._noted.done_stays(edges=edges, done=done)

    @property
    def _of_scope(self) -> list[Target]:
        facet, subject = facet_of(self.scope)
        return [Target(project, (facet, subject)) for project in self.ground.bases]

    def _read(self, targets: Sequence[Target]) -> list[tuple[Any, ...]]:
        """Rows of (piece, project, facet, subject, before, after, facts): see analytics.flow.family."""
        self.rows_read.note_histories()
        found = segments_of(standing=self.standing, ground=self.ground, scope=self.scope, frame=self.frame)
        reading = Reading(
            tenant_id=self.scope.tenant_id,
            family=TRANSITIONS,
            ground=self.ground,
            edges=self.frame.edges,
            segments=found,
            tail=self._has_tail,
            by_order=any(target.asked[0] == Facet.FURTHEST for target in targets),
            as_they_are=are_few(found, edges=self.frame.edges),
        )
        return read(reading=reading, targets=targets)


PERSONS_GRAINS = (Grain.DAY, Grain.MONTH)


def segments_of(*, standing: Standing, ground: Ground, scope: Scope, frame: Frame) -> dict[int, list[Segment]]:
    """By project: the stretches of rows that the scope's figures add up."""
    grains = TRANSITIONS.grains if facet_of(scope)[0] is Facet.BOARD else PERSONS_GRAINS
    return {
        project: pieces(standing=standing, basis=basis, edges=frame.edges, grains=grains)
        for project, basis in ground.bases.items()
    }


def facet_of(scope: Scope) -> tuple[Facet, int]:
    """The side from which the scope's movements are counted."""
    if scope.assignee_id is not None:
        return Facet.ASSIGNEE, scope.assignee_id
    return (Facet.BOARD, 0) if scope.actor_id is None else (Facet.ACTOR, scope.actor_id)


def _project_of(frame: Frame) -> Mapping[int, int]:
    return {state: definition.project_id for state, definition in frame.first.items()}


def orders_by_key(frame: Frame) -> dict[tuple[int, int], list[int]]:
    """By project and name of an order: the numbers of the frame's orders in which that project has it."""
    project_of, found = _project_of(frame), dict[tuple[int, int], list[int]]()
    for number, order in enumerate(frame.orders):
        places: dict[int, dict[int, int]] = {}
        for state, place in order.items():
            places.setdefault(project_of[state], {})[state] = place
        for project, its_places in places.items():
            found.setdefault((project, order_key(its_places)), []).append(number)
    return found
