"""What is odd in the record: eleven checks of the facts of a window, counted from task_ledger and the live rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
from django.db import connection

from analytics.engine.statements import as_recorded, columns
from analytics.flow.figures.oddities import Facts, Judged, Meanings, Odd, Run, odd
from analytics.flow.figures.workflow import EVER, Workflows, places
from analytics.flow.replay.durations import MILLENNIUM
from analytics.flow.replay.flow import CHOSEN_ITEMS, OF_ITEMS, Scope
from analytics.pure.zones import to_microseconds

MOST_KEYS: Final = 100
# The checks that compare with the live rows, or one fact with when it was recorded.
NOT_OF_COLUMNS: Final = (8, 10, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check by the number that the statement knows it by."""

    number: int
    code: str
    title: str


CHECKS: Final = (
    Check(number=1, code="FINISH_WITHOUT_START", title="Came to DONE and was never in progress"),
    Check(number=2, code="CHANGE_AFTER_DONE", title="Left DONE for another state"),
    Check(number=3, code="BACKWARD_MOVE", title="Moved back to a lower position"),
    Check(number=4, code="SKIPPED_STATE", title="Moved forward past a state"),
    Check(number=5, code="CREATED_BEYOND_FIRST", title="Began beyond the first state"),
    Check(number=6, code="IMPOSSIBLE_ORDER", title="Cannot follow what happened before it"),
    Check(number=7, code="EQUAL_TIMESTAMPS", title="Changed state twice at one instant"),
    Check(number=8, code="MISSING_BASELINE", title="No fact says where it began"),
    Check(number=9, code="CHAIN_BREAK", title="The old value is not the new value of the fact before"),
    Check(number=10, code="REPLAY_DIFFERS", title="The row is not what its facts say"),
    Check(number=11, code="FUTURE_TIMESTAMP", title="Recorded before it happened"),
)

# All facts of every task that was ever in the project. To join them grouped leaves the planner no reason to look for the tasks
# of each fact one by one.
OF_BOARD = """
      JOIN (SELECT m.task_id FROM task_ledger m
             WHERE m.tenant_id = %(tenant)s AND m.project_id = %(project)s AND m.kind <= 5
             GROUP BY m.task_id) o ON o.task_id = l.task_id
"""
# Each fact with the one before it, by the order, and with what the states on both sides were at that instant.
TOLD = as_recorded("""
told AS MATERIALIZED (
    SELECT l.task_id, l.seq, l.kind, l.project_id, l.from_id, l.happened_at, l.recorded_at,
           CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END AS state_id,
           lag(CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END, 1, 0) OVER history AS before_id,
           lag(l.kind) OVER history AS before_kind
      FROM task_ledger l
{of_tasks}     WHERE l.tenant_id = %(tenant)s AND l.kind <= 5 AND l.happened_at < %(until)s
       AND {visible} /* of items */
    WINDOW history AS (PARTITION BY l.task_id ORDER BY l.happened_at, l.seq)
),
own AS (
    SELECT * FROM unnest(%(states)s::int[], %(boards)s::int[], %(categories)s::text[], %(places)s::int[],
                         %(begins)s::timestamptz[], %(ends)s::timestamptz[])
        AS o (state_id, board_id, category, place, begin_at, end_at)
),
judged AS MATERIALIZED (
    SELECT t.*, a.category AS now_in, b.category AS was_in, a.place, b.place AS was_place,
           a.board_id = b.board_id AS stays,
           %(project)s::int IS NULL OR t.project_id = %(project)s AS is_own,
           bool_or(a.category = 'IN_PROGRESS') OVER earlier AS started,
           max(t.happened_at) FILTER (WHERE t.state_id <> t.before_id) OVER earlier AS moved_at
      FROM told t
      LEFT JOIN own a ON a.state_id = t.state_id AND t.happened_at >= a.begin_at AND t.happened_at < a.end_at
      LEFT JOIN own b ON b.state_id = t.before_id AND t.happened_at >= b.begin_at AND t.happened_at < b.end_at
    WINDOW earlier AS (PARTITION BY t.task_id ORDER BY t.happened_at, t.seq
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
""")
# Facts that fail nothing are left behind before any row is made of a code.
OF_FACTS = """
SELECT unnest(k.codes) AS code, k.task_id, k.happened_at, k.seq
  FROM (SELECT j.task_id, j.happened_at, j.seq, array_remove(ARRAY[
               CASE WHEN j.was_in IS DISTINCT FROM 'DONE' AND j.now_in = 'DONE' AND j.started IS NOT TRUE THEN 1 END,
               CASE WHEN j.was_in = 'DONE' AND j.now_in <> 'DONE' THEN 2 END,
               CASE WHEN j.stays AND j.place < j.was_place THEN 3 END,
               CASE WHEN j.stays AND j.place > j.was_place + 1 THEN 4 END,
               CASE WHEN j.before_kind IS NULL AND j.place > 0 THEN 5 END,
               CASE WHEN j.is_own AND CASE j.kind WHEN 1 THEN j.before_kind IS NOT NULL WHEN 4 THEN j.before_id = 0
                                                  WHEN 5 THEN j.before_kind IS DISTINCT FROM 4
                                                  ELSE j.before_kind = 4 END THEN 6 END,
               CASE WHEN j.is_own AND j.state_id <> j.before_id AND j.happened_at = j.moved_at THEN 7 END], NULL) AS codes
          FROM judged j WHERE j.happened_at >= %(from)s) k
 WHERE k.codes <> '{}'
"""
# A late fact may have come between since: the old value must be that of the fact that was before it when it was recorded.
OF_CHAINS = """
SELECT 9, j.task_id, j.happened_at, j.seq
  FROM judged j
 WHERE j.is_own AND j.happened_at >= %(from)s AND j.from_id <> j.before_id
   AND j.from_id <> coalesce((
       SELECT CASE WHEN p.kind = 4 THEN 0 ELSE p.to_id END FROM task_ledger p
        WHERE p.tenant_id = (SELECT %(tenant)s::bigint) AND p.task_id = j.task_id AND p.kind <= 5
          AND (p.happened_at, p.seq) < (j.happened_at, j.seq) AND p.recorded_at <= j.recorded_at
        ORDER BY p.happened_at DESC, p.seq DESC LIMIT 1), 0)
"""
OF_TIMES = as_recorded("""
SELECT 11, l.task_id, l.happened_at, l.seq FROM task_ledger l
 WHERE l.tenant_id = %(tenant)s AND l.happened_at >= %(from)s AND l.happened_at < %(until)s AND l.happened_at > l.recorded_at
   AND {visible} /* of items */
   AND (%(project)s::int IS NULL OR l.project_id = %(project)s)
""")
# Live rows are as they are now, and so they are compared with all that is recorded. Rows and facts in one heap: a join would
# be planned for a tenant of one row.
OF_ROWS = """
SELECT CASE WHEN bool_or(is_fact) THEN 10 ELSE 8 END, task_id, coalesce(max(at) FILTER (WHERE is_fact), max(at)), 0
  FROM (SELECT l.id AS task_id, false AS is_fact, l.created_at AS at, l.project_id,
               CASE WHEN l.discarded_at IS NULL THEN ARRAY[l.project_id, l.state_id] END AS told
          FROM (SELECT t.*, t.id AS task_id FROM task t) l
         WHERE l.tenant_id = %(tenant)s /* of items */
         UNION ALL
        SELECT d.task_id, true, d.happened_at, d.project_id,
               CASE WHEN d.kind <> 4 THEN ARRAY[d.project_id, d.to_id] END
          FROM (SELECT DISTINCT ON (l.task_id) l.task_id, l.happened_at, l.project_id, l.kind, l.to_id
                  FROM task_ledger l
                 WHERE l.tenant_id = %(tenant)s AND l.kind <= 5 /* of items */
                 ORDER BY l.task_id, l.happened_at DESC, l.seq DESC) d) x
 GROUP BY task_id
HAVING (%(project)s::int IS NULL OR bool_or(x.project_id = %(project)s))
   AND (NOT bool_or(is_fact) OR max(told) FILTER (WHERE is_fact) IS DISTINCT FROM max(told) FILTER (WHERE NOT is_fact))
   AND coalesce(max(at) FILTER (WHERE is_fact), max(at)) >= %(from)s
   AND coalesce(max(at) FILTER (WHERE is_fact), max(at)) < %(until)s
"""
# Of a person: all facts of the items that were ever in these hands, or that this actor ever changed.
OF_PERSON = as_recorded("""AND l.task_id IN (
    SELECT l.task_id FROM task_ledger l WHERE l.tenant_id = %(tenant)s AND l.happened_at < %(until)s
       AND (l.kind = 7 AND l.to_id = %(assignee)s OR l.kind <= 5 AND l.actor_id = %(actor)s)
       AND {visible})
""")
FAILING = f"""{TOLD},
failing AS MATERIALIZED (
    ({OF_FACTS}) UNION ALL ({OF_CHAINS}) UNION ALL ({OF_TIMES}) UNION ALL ({OF_ROWS})
)
"""
# The facts in their order and in one piece, number by number, and beside them what only the live rows and the instants of
# recording say: to read a hundred thousand rows takes longer than to find them, and to judge them row by row longer still.
QUALITY = as_recorded(f"""/* replay.quality */
WITH told AS (
    SELECT l.task_id, l.seq, l.kind, l.project_id, l.from_id, l.happened_at, l.recorded_at,
           CASE WHEN l.kind = 4 THEN 0 ELSE l.to_id END AS state_id
      FROM task_ledger l
{{of_tasks}}     WHERE l.tenant_id = %(tenant)s AND l.kind <= 5 AND l.happened_at < %(until)s
       AND {{visible}} /* of items */
),
apart AS (
    SELECT code, task_id, count(*) AS failures, min(happened_at) AS first_at
      FROM (({OF_TIMES}) UNION ALL ({OF_ROWS})) f (code, task_id, happened_at, seq) GROUP BY code, task_id
)
SELECT (SELECT string_agg(int4send(task_id) || int4send(project_id) || int4send(from_id) || int4send(state_id)
                          || timestamptz_send(happened_at) || timestamptz_send(recorded_at) || int2send(kind::int2),
                          ''::bytea ORDER BY task_id, happened_at, seq) FROM told),
       (SELECT string_agg(int4send(code) || int4send(task_id) || int8send(failures) || timestamptz_send(first_at),
                          ''::bytea ORDER BY code, first_at, task_id) FROM apart)
""")  # noqa: S608 - of the constants above
FACT = np.dtype(
    [
        ("task", ">i4"),
        ("project", ">i4"),
        ("told", ">i4"),
        ("state", ">i4"),
        ("at", ">i8"),
        ("recorded", ">i8"),
        ("kind", ">i2"),
    ]
)
APART = np.dtype([("code", ">i4"), ("task", ">i4"), ("failures", ">i8"), ("at", ">i8")])


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
    with connection.cursor() as cursor:
        cursor.execute(text_of(QUALITY, scope=scope), {**scope.parameters(), "from": begin})
        facts, apart = cursor.fetchall()[0]
    meanings = Meanings(_runs(workflows, before=scope.until))
    judged = Judged(_facts(facts), meanings, to_microseconds(begin), scope.project_id)
    found = {**odd(judged), **_apart(apart)}
    failing = np.unique(np.concatenate([each.task for each in found.values()]))
    looked_at = judged.facts.task[judged.is_in_window & judged.is_own]
    return Counted(
        checks={check.code: _failing(found[check.number]) for check in CHECKS},
        failing=len(failing),
        items=len(np.union1d(failing, looked_at)),
        facts=len(judged.facts.task),
    )


def _failing(found: Odd) -> Failing:
    return Failing(failures=int(found.failures.sum()), task_ids=found.first_tasks(MOST_KEYS))


def _facts(packed: bytes | None) -> Facts:
    found = np.frombuffer(packed or b"", dtype=FACT)
    columns_of = {name: found[name].astype(np.int64) for name in FACT.names or ()}
    return Facts(**{**columns_of, "at": columns_of["at"] + MILLENNIUM, "recorded": columns_of["recorded"] + MILLENNIUM})


def _apart(packed: bytes | None) -> Mapping[int, Odd]:
    """What the checks found that are no columns' work."""
    found = np.frombuffer(packed or b"", dtype=APART)
    task, failures, at = (found[name].astype(np.int64) for name in ("task", "failures", "at"))
    of = {number: found["code"] == number for number in NOT_OF_COLUMNS}
    return {number: Odd(task[its], failures[its], at[its] + MILLENNIUM) for number, its in of.items()}


def text_of(statement: str, *, scope: Scope) -> str:
    """A statement over FAILING, for the facts of that scope."""
    of_tasks = "" if scope.project_id is None or scope.items is not None else OF_BOARD.removeprefix("\n")
    of_person = OF_PERSON if scope.assignee_id is not None or scope.actor_id is not None else ""
    of_items = of_person + (CHOSEN_ITEMS if scope.items is not None else "")
    return statement.replace("{of_tasks}", of_tasks).replace(OF_ITEMS, of_items)


def quality_values(*, scope: Scope, begin: datetime, workflows: Workflows) -> dict[str, Any]:
    """The parameters of FAILING."""
    return {**scope.parameters(), **_defined(workflows, before=scope.until), "from": begin}


def _defined(workflows: Workflows, *, before: datetime) -> dict[str, Any]:
    """Each state's category and place through time, as FAILING names them."""
    names = ("states", "boards", "categories", "places", "begins", "ends")
    return columns([tuple(run) for run in _told(workflows, before=before)], names=names)


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
