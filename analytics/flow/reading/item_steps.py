"""Steps of items, folded ones with those of the live tail: what single items did, without reading the ledger again.

Items with a fact in the tail are resolved anew from their whole histories; all others are as they were folded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import Ground, relations
from analytics.engine.statements import columns
from analytics.flow.family import CORRECTIONS, TRANSITIONS
from analytics.flow.figures.completion import Finished, Traversal
from analytics.flow.figures.cumulative_flow import Reached
from analytics.flow.figures.forecast import DoneStay
from analytics.flow.figures.workflow import EVER, StateOrder
from analytics.flow.replay import completion as completion_replay
from analytics.flow.replay import flow as replay
from analytics.flow.replay import forecast as forecast_replay
from analytics.flow.replay.flow import Correction, Scope, Statement
from analytics.flow.replay.kinds import with_kinds
from analytics.flow.state_orders import RELATIONS

LIVE = """
/* The whole histories of the items with a fact in the tail. */
{in_tail},
/* Each of these facts in its place: with the states and holders before and after it. */
resolved AS MATERIALIZED (WITH fact AS (SELECT 1 AS side, h.* FROM tail_history h) {resolve})
"""
FOLDED_STEPS = """
SELECT d.task_id, d.seq, d.happened_at, d.kind, d.actor_id, d.before_id, d.after_id, d.before_holder, d.after_holder,
       d.entered_at, d.held_since
  FROM task_fact d
 WHERE d.tenant_id = %(tenant)s AND d.happened_at >= %(since)s::timestamptz AND d.happened_at < %(until)s
"""
UNTOUCHED = " AND NOT EXISTS (SELECT FROM tail_history t WHERE t.item = d.task_id)"
# All of these items, whenever it was: at least those that did something in the window. To look for it among their facts would
# take longer than to read some items more.
TOUCHED = """ AND d.task_id IN (
    SELECT i.task_id FROM task_item i WHERE i.tenant_id = (SELECT %(tenant)s::bigint) AND i.last_at >= %(touched_since)s)
"""
LIVE_STEPS = """
SELECT r.item, r.seq, r.happened_at, r.kind, r.actor_id, r.before_id, r.after_id, r.before_holder, r.after_holder,
       r.entered_at, r.held_since
  FROM resolved r WHERE r.happened_at >= %(since)s::timestamptz
"""
# As replay has its facts, with how long the state before had lasted.
OF_BOARD = with_kinds("""
/* Each fact that sets a state, folded or live. */
fact AS (
    SELECT s.task_id, s.seq, s.happened_at, s.kind = {DISCARDED} AS discarded, {counted} AS counted, s.before_id,
           s.after_id AS state_id, s.happened_at - s.entered_at AS lasted
      FROM ({steps}) s WHERE s.kind <= {LAST_STATE_KIND}
)
""")
OF_ASSIGNEE = with_kinds("""
/* Each fact of an item that this actor held before it or after it. */
fact AS (
    SELECT s.task_id, s.seq, s.happened_at, s.kind = {DISCARDED} AS discarded, TRUE AS counted,
           CASE WHEN s.before_holder = %(assignee)s THEN s.before_id ELSE 0 END AS before_id,
           CASE WHEN s.after_holder = %(assignee)s THEN s.after_id ELSE 0 END AS state_id,
           s.happened_at - greatest(s.entered_at, s.held_since) AS lasted
      FROM ({steps}) s WHERE s.before_holder = %(assignee)s OR s.after_holder = %(assignee)s
)
""")
LIVE_ROWS = "/* windows.live_rows */ SELECT count(*) FROM ({in_tail}) h"

FOLDED_CORRECTIONS = """
SELECT d.task_id, d.project_id, d.begin_at, d.end_at FROM task_correction d WHERE d.tenant_id = %(tenant)s
"""
LIVE_CORRECTIONS = f"SELECT l.task_id, l.project_id, l.begin_at, l.end_at FROM ({CORRECTIONS}) l"  # noqa: S608 - our own
# Instants as numbers: Django reads a timestamp in Python, which takes longer than the statement where there are many.
CORRECTED = """
SELECT c.task_id, (extract(epoch FROM c.begin_at) * 1000000)::bigint,
       (extract(epoch FROM CASE WHEN c.end_at < %(until)s THEN c.end_at END) * 1000000)::bigint
  FROM ({corrections}) c
 WHERE c.project_id = ANY (%(boards)s::int[]) AND c.begin_at < %(until)s
   AND (c.end_at IS NULL OR c.end_at > %(since)s OR c.begin_at >= %(since)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The facts of a scope, folded and, with `tail`, live ones."""

    scope: Scope
    ground: Ground
    tail: bool

    def finished(self, *, edges: Sequence[datetime], done: Collection[int]) -> list[Finished]:
        """See analytics.flow.replay.completion; of items finished before the first edge nothing is told."""
        statement = f"/* windows.finished */ {self._with()} {completion_replay.FINISHED.body}"
        values = {**self._values(since=edges[0]), "edges": list(edges), "done": sorted(done)}
        return [Finished(*row) for row in _rows(statement, values)]

    def traversals(self, *, begin: datetime, groups: Mapping[int, int]) -> list[Traversal]:
        """See analytics.flow.replay.completion."""
        named = columns(list(groups.items()), names=("states", "groups"))
        statement = f"/* windows.traversals */ {self._with()} {completion_replay.TRAVERSALS_OF_TIMED}"
        return [Traversal(*row) for row in _rows(statement, {**self._values(since=begin), **named, "from": begin})]

    def done_stays(self, *, edges: Sequence[datetime], done: Collection[int]) -> list[DoneStay]:
        """See analytics.flow.replay.forecast."""
        statement = f"/* windows.done_stays */ {self._with()} {forecast_replay.DONE_STAYS.body}"
        values = {**self._values(since=edges[0]), **forecast_replay.asked(edges, done)}
        return [DoneStay(*row) for row in _rows(statement, values)]

    def corrections(self, *, begin: datetime) -> list[Correction]:
        """Those of a board, by the orders that held at each fact."""
        live = f"{FOLDED_CORRECTIONS}{UNTOUCHED} UNION ALL {LIVE_CORRECTIONS}"
        parts = live if self.tail else FOLDED_CORRECTIONS
        prologue = f"WITH {RELATIONS}, {_live()}" if self.tail else ""
        statement = f"/* windows.corrections */ {prologue} {CORRECTED.format(corrections=parts)}"
        values = {**self._values(since=begin), "boards": list(self.ground.bases)}
        return [Correction(*row) for row in _rows(statement, values)]

    def corrections_of_person(self, *, begin: datetime, orders: Sequence[StateOrder]) -> list[Correction]:
        """Those of an assignee's board."""
        statement = f"/* windows.corrections_of_person */ {self._with()} {replay.CORRECTIONS.body}"
        values = {**self._values(since=EVER), **replay.placed(orders), "from": begin}
        return [Correction(*row) for row in _rows(statement, values)]

    def reached_by_person(
        self, *, edges: Sequence[datetime], orders: Sequence[Mapping[int, int]], project_of: Mapping[int, int]
    ) -> list[Reached]:
        """How far items came while an assignee held them."""
        statement = f"/* windows.reached_by_person */ {self._with()} {replay.REACHED.body}"
        values = {**self._values(since=EVER), **replay.ordered(orders, project_of), "edges": list(edges)}
        return [Reached(*row) for row in _rows(statement, values)]

    def rows(
        self, statement: Statement, *, values: Mapping[str, Any], touched_since: datetime | None = None
    ) -> list[tuple[Any, ...]]:
        """What the statement says of whole histories: of all items, or of those with a fact from `touched_since` on."""
        text = f"/* windows.steps */ {self._with(touched=touched_since is not None)} {statement.body}"
        return _rows(text, {**self._values(since=EVER), **values, "touched_since": touched_since})

    def live_rows(self) -> int:
        """How many of the tail's facts the window has to do with: they are what is read of the ledger."""
        in_tail = histories.named(histories.TAIL_FACTS, family=TRANSITIONS)
        return int(_rows(LIVE_ROWS.format(in_tail=in_tail), self.scope.parameters())[0][0])

    def _with(self, *, touched: bool = False) -> str:
        folded = f"{FOLDED_STEPS}{TOUCHED}" if touched else FOLDED_STEPS
        steps = f"{folded}{UNTOUCHED} UNION ALL {LIVE_STEPS}" if self.tail else folded
        live = f"{_live()}," if self.tail else ""
        if self.scope.assignee_id is not None:
            return f"WITH {live} {OF_ASSIGNEE.format(steps=steps)}"
        counted = "TRUE" if self.scope.actor_id is None else "s.actor_id = %(actor)s"
        return f"WITH {live} {OF_BOARD.format(steps=steps, counted=counted)}"

    def _values(self, *, since: datetime) -> dict[str, Any]:
        return {**self.scope.parameters(), **relations(self.ground), "since": since}


def _live() -> str:
    return LIVE.format(in_tail=histories.live(TRANSITIONS, whole=True), resolve=TRANSITIONS.resolve)


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
