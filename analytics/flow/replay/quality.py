"""Data quality of the record: eleven checks of the facts of a window, counted from task_ledger and the live rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
from django.db import connection

from analytics.engine.statements import as_recorded
from analytics.flow.figures.oddities import Facts, Failures, Judged, Meanings, Run, failures
from analytics.flow.figures.workflow import EVER, Workflows, places
from analytics.flow.replay.durations import MILLENNIUM
from analytics.flow.replay.flow import CHOSEN_ITEMS, OF_ITEMS, Scope
from analytics.flow.replay.kinds import with_kinds
from analytics.pure.zones import to_microseconds
from tasks_app.models import Kind

MOST_KEYS: Final = 100
# The checks that compare with the live rows, or one fact with when it was recorded.
NOT_OF_COLUMNS: Final = ("MISSING_BASELINE", "REPLAY_DIFFERS", "FUTURE_TIMESTAMP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check as answers name it."""

    code: str
    title: str


CHECKS: Final = (
    Check(code="FINISH_WITHOUT_START", title="Came to DONE and was never in progress"),
    Check(code="CHANGE_AFTER_DONE", title="Left DONE for another state"),
    Check(code="BACKWARD_MOVE", title="Moved back to a lower position"),
    Check(code="SKIPPED_STATE", title="Moved forward past a state"),
    Check(code="CREATED_BEYOND_FIRST", title="Began beyond the first state"),
    Check(code="IMPOSSIBLE_ORDER", title="Cannot follow what happened before it"),
    Check(code="EQUAL_TIMESTAMPS", title="Changed state twice at one instant"),
    Check(code="MISSING_BASELINE", title="No fact says where it began"),
    Check(code="CHAIN_BREAK", title="The old value is not the new value of the fact before"),
    Check(code="REPLAY_DIFFERS", title="The row is not what its facts say"),
    Check(code="FUTURE_TIMESTAMP", title="Recorded before it happened"),
)

# All facts of every task that was ever in the project. To join them grouped leaves the planner no reason to look for the tasks
# of each fact one by one.
OF_BOARD = with_kinds("""
      JOIN (SELECT m.task_id FROM task_ledger m
             WHERE m.tenant_id = %(tenant)s AND m.project_id = %(project)s AND m.kind <= {LAST_STATE_KIND}
             GROUP BY m.task_id) o ON o.task_id = l.task_id
""")
OF_TIMES = as_recorded("""
SELECT 'FUTURE_TIMESTAMP', l.task_id, l.happened_at, l.seq FROM task_ledger l
 WHERE l.tenant_id = %(tenant)s AND l.happened_at >= %(from)s AND l.happened_at < %(until)s AND l.happened_at > l.recorded_at
   AND {visible} /* of items */
   AND (%(project)s::int IS NULL OR l.project_id = %(project)s)
""")
# Live rows are as they are now, and so they are compared with all that is recorded. Rows and facts in one heap: a join would
# be planned for a tenant of one row.
OF_ROWS = """
SELECT CASE WHEN bool_or(is_fact) THEN 'REPLAY_DIFFERS' ELSE 'MISSING_BASELINE' END, task_id,
       coalesce(max(at) FILTER (WHERE is_fact), max(at)), 0
  FROM (SELECT l.id AS task_id, false AS is_fact, l.created_at AS at, l.project_id,
               CASE WHEN l.discarded_at IS NULL THEN ARRAY[l.project_id, l.state_id] END AS told
          FROM (SELECT t.*, t.id AS task_id FROM task t) l
         WHERE l.tenant_id = %(tenant)s /* of items */
         UNION ALL
        SELECT d.task_id, true, d.happened_at, d.project_id,
               CASE WHEN d.kind <> {DISCARDED} THEN ARRAY[d.project_id, d.to_id] END
          FROM (SELECT DISTINCT ON (l.task_id) l.task_id, l.happened_at, l.project_id, l.kind, l.to_id
                  FROM task_ledger l
                 WHERE l.tenant_id = %(tenant)s AND l.kind <= {LAST_STATE_KIND} /* of items */
                 ORDER BY l.task_id, l.happened_at DESC, l.seq DESC) d) x
 GROUP BY task_id
HAVING (%(project)s::int IS NULL OR bool_or(x.project_id = %(project)s))
   AND (NOT bool_or(is_fact) OR max(told) FILTER (WHERE is_fact) IS DISTINCT FROM max(told) FILTER (WHERE NOT is_fact))
   AND coalesce(max(at) FILTER (WHERE is_fact), max(at)) >= %(from)s
   AND coalesce(max(at) FILTER (WHERE is_fact), max(at)) < %(until)s
"""
# Of a person: all facts of the items that were ever in these hands, or that this actor ever changed.
OF_PERSON = with_kinds(
    as_recorded("""AND l.task_id IN (
    SELECT l.task_id FROM task_ledger l WHERE l.tenant_id = %(tenant)s AND l.happened_at < %(until)s
       AND (l.kind = {ASSIGNED} AND l.to_id = %(assignee)s OR l.kind <= {LAST_STATE_KIND} AND l.actor_id = %(actor)s)
       AND {visible})
""")
)
# The facts in their order and in one piece, number by number, and beside them what only the live rows and the instants of
# recording say: to read a hundred thousand rows takes longer than to find them, and to judge them row by row longer still.
QUALITY = with_kinds(
    as_recorded(f"""/* replay.quality */
WITH
/* Every fact that sets the state of the items looked at. */
told AS (
    SELECT l.task_id, l.seq, l.kind, l.project_id, l.from_id, l.happened_at, l.recorded_at,
           CASE WHEN l.kind = {{DISCARDED}} THEN 0 ELSE l.to_id END AS state_id
      FROM task_ledger l
{{of_tasks}}     WHERE l.tenant_id = %(tenant)s AND l.kind <= {{LAST_STATE_KIND}} AND l.happened_at < %(until)s
       AND {{visible}} /* of items */
),
/* Each failure that the facts alone do not show. */
apart AS (
    SELECT code, task_id, seq, (extract(epoch FROM happened_at) * 1000000)::bigint AS at
      FROM (({OF_TIMES}) UNION ALL ({OF_ROWS})) f (code, task_id, happened_at, seq)
)
SELECT (SELECT string_agg(int4send(task_id) || int8send(seq) || int4send(project_id) || int4send(from_id) || int4send(state_id)
                          || timestamptz_send(happened_at) || timestamptz_send(recorded_at) || int2send(kind::int2),
                          ''::bytea ORDER BY task_id, happened_at, seq) FROM told),
       ARRAY(SELECT code FROM apart ORDER BY task_id, at, seq, code),
       ARRAY(SELECT ARRAY[task_id, seq, at] FROM apart ORDER BY task_id, at, seq, code)
""")  # noqa: S608 - of the constants above
)
FACT = np.dtype(
    [
        ("task", ">i4"),
        ("seq", ">i8"),
        ("project", ">i4"),
        ("told", ">i4"),
        ("state", ">i4"),
        ("at", ">i8"),
        ("recorded", ">i8"),
        ("kind", ">i2"),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """How often a check fails, and the first tasks in which it does, by the instants of their first failures."""

    failures: int
    task_ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """By code what failed; how many items have a failure, of how many; how many facts were read."""

    checks: dict[str, Failing]
    failing: int
    items: int
    facts: int


def quality(*, scope: Scope, begin: datetime, workflows: Workflows) -> Counted:
    """The checks of [begin, scope.until); of a project those of its own facts, of a person those of their items."""
    judged, found = _judged(scope=scope, begin=begin, workflows=workflows)
    failing = np.unique(np.concatenate([each.task for each in found.values()]))
    looked_at = judged.facts.task[judged.is_in_window & judged.is_own]
    return Counted(
        checks={check.code: _counted(found[check.code]) for check in CHECKS},
        failing=len(failing),
        items=len(np.union1d(failing, looked_at)),
        facts=len(judged.facts.task),
    )


def failures_of(check: str, *, scope: Scope, begin: datetime, workflows: Workflows) -> Failures:
    """What `quality` counts of the check with that code."""
    _, found = _judged(scope=scope, begin=begin, workflows=workflows)
    return found[check]


def _judged(*, scope: Scope, begin: datetime, workflows: Workflows) -> tuple[Judged, Mapping[str, Failures]]:
    with connection.cursor() as cursor:
        cursor.execute(_text_of(QUALITY, scope=scope), {**scope.parameters(), "from": begin})
        facts, codes, rows = cursor.fetchall()[0]
    meanings = Meanings(_runs(workflows, before=scope.until))
    judged = Judged(_facts(facts), meanings, to_microseconds(begin), scope.project_id)
    return judged, {**failures(judged), **_apart(codes, rows)}


def _counted(found: Failures) -> Failing:
    return Failing(failures=len(found.task), task_ids=found.first_tasks(MOST_KEYS))


def _facts(packed: bytes | None) -> Facts:
    found = np.frombuffer(packed or b"", dtype=FACT)
    columns_of = {name: found[name].astype(np.int64) for name in ("task", "seq", "project", "told", "state")}
    return Facts(
        **columns_of,
        at=found["at"] + MILLENNIUM,
        recorded=found["recorded"] + MILLENNIUM,
        created=found["kind"] == Kind.CREATED,
        discarded=found["kind"] == Kind.DISCARDED,
        restored=found["kind"] == Kind.RESTORED,
    )


def _apart(codes: Sequence[str], rows: Sequence[Sequence[int]]) -> Mapping[str, Failures]:
    """What the checks found that are no columns' work."""
    code, (task, seq, at) = np.array(codes, dtype=object), np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return {each: Failures(task[code == each], seq[code == each], at[code == each]) for each in NOT_OF_COLUMNS}


def _text_of(statement: str, *, scope: Scope) -> str:
    """The statement for the facts of that scope."""
    of_tasks = "" if scope.project_id is None or scope.items is not None else OF_BOARD.removeprefix("\n")
    of_person = OF_PERSON if scope.assignee_id is not None or scope.actor_id is not None else ""
    of_items = of_person + (CHOSEN_ITEMS if scope.items is not None else "")
    return statement.replace("{of_tasks}", of_tasks).replace(OF_ITEMS, of_items)


def _runs(workflows: Workflows, *, before: datetime) -> list[Run]:
    return [
        Run(state, board, category, place, to_microseconds(begin), to_microseconds(end))
        for state, board, category, place, begin, end in _told(workflows, before=before)
    ]


def _told(workflows: Workflows, *, before: datetime) -> list[list[Any]]:
    """Each state's board, category and place through time; before its first definition it has no place."""
    instants = (EVER, *workflows.changes(after=EVER, before=before))
    runs: dict[int, list[list[Any]]] = {}
    for begin, end in pairwise((*instants, before)):
        states = workflows.in_force(begin)
        order = places(states.values())
        for state in workflows.state_ids:
            definition = states.get(state) or workflows.first(state)
            told = [state, definition.project_id, definition.category, order.get(state)]
            _extend(runs.setdefault(state, []), told, begin, end)
    return [run for found in runs.values() for run in found]


def _extend(runs: list[list[Any]], told: list[Any], begin: datetime, end: datetime) -> None:
    if runs and runs[-1][:4] == told:
        runs[-1][5] = end
    else:
        runs.append([*told, begin, end])
