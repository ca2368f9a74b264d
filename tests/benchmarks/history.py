"""A year of many tenants' work as it stands in the ledger, written by the server in a few statements.

Triggers are off meanwhile, which needs an owner who is a superuser. All facts are in the tail, too. One in fifty was
recorded up to three days late, so the order of recording is not that of happening.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from tests.benchmarks.companies import ACTORS, Company, make_company
from tests.benchmarks.scratch import owner_cursor, vacuum
from tests.benchmarks.stopwatch import say
from tests.benchmarks.walks import TRANSITIONS_PER_ITEM, WALKS, columns, walks

END = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 365
BEGINNING = END - timedelta(days=DAYS)
# The last day is kept for what a benchmark adds as the live tail.
LAST_DAY = END - timedelta(days=1)

MAKE_TABLES = """/* benchmarks.make_history_tables */
CREATE TABLE IF NOT EXISTS bench_board (board int, tenant_id bigint, project_id int, states int[], actors int[]);
CREATE TABLE IF NOT EXISTS bench_walk (walk int, hour float, kind smallint, before int, after int);
CREATE TABLE IF NOT EXISTS bench_item (task_id int, board int, walk int, pick int, created_at timestamptz, pace interval);
UPDATE bench_board SET board = NULL;
TRUNCATE bench_walk, bench_item;
"""
KEEP_BOARD = "/* benchmarks.keep_board */ INSERT INTO bench_board VALUES (%s, %s, %s, %s, %s)"
KEEP_WALKS = (
    "/* benchmarks.keep_walks */ INSERT INTO bench_walk"
    " SELECT * FROM unnest(%s::int[], %s::float[], %s::smallint[], %s::int[], %s::int[])"
)
# Items are made through the year and take up to ninety days each, most of them far less.
KEEP_ITEMS = """/* benchmarks.keep_items */
INSERT INTO bench_item (task_id, board, walk, pick, created_at, pace)
SELECT i.task_id, i.board, i.pick * 7919 %% %(walks)s, i.pick, i.created_at,
       least(i.luck * i.luck * interval '90 days', %(until)s - i.created_at) / %(hours)s
  FROM (SELECT %(last_task)s + n AS task_id, n %% %(boards)s AS board, n / %(boards)s AS pick, 0.05 + 0.95 * random() AS luck,
               %(begin)s + random() * 0.98 * (%(until)s::timestamptz - %(begin)s::timestamptz) AS created_at
          FROM generate_series(1, %(items)s) n) i
"""
WRITE_FACTS = """/* benchmarks.write_facts */
INSERT INTO task_ledger (seq, tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id,
                         actor_id, kind)
SELECT %(last_seq)s + row_number() OVER (ORDER BY f.recorded_at), f.tenant_id, 0, txid_current(), f.happened_at,
       f.recorded_at, f.task_id, f.project_id, f.from_id, f.to_id, f.actor_id, f.kind
  FROM (SELECT m.*, CASE WHEN m.late THEN least(m.happened_at + random() * interval '3 days', %(until)s)
                         ELSE m.happened_at END AS recorded_at
          FROM (SELECT b.tenant_id, b.project_id, i.task_id, w.kind, w.hour > 0 AND random() < 0.02 AS late,
                       i.created_at + (w.hour + 0.4 * random()) * i.pace AS happened_at,
                       coalesce(b.states[w.before + 1], 0) AS from_id,
                       CASE WHEN w.kind = 7 THEN b.actors[1 + (i.pick + floor(w.hour)::int) %% %(actors)s]
                            ELSE coalesce(b.states[w.after + 1], 0) END AS to_id,
                       b.actors[1 + floor(random() * %(actors)s)::int] AS actor_id
                  FROM bench_item i JOIN bench_walk w USING (walk) JOIN bench_board b USING (board)) m) f
 ORDER BY f.recorded_at
"""
# Each item where its last fact took it, in the hands that it was last given to.
WRITE_TASKS = """/* benchmarks.write_tasks */
INSERT INTO task (id, tenant_id, project_id, state_id, key, title, assignee_id, created_at, discarded_at)
SELECT i.task_id, b.tenant_id, b.project_id, b.states[1 + greatest(w.after, 0)], 'T-' || i.task_id, 'A task',
       b.actors[1 + (i.pick + w.given) %% %(actors)s], i.created_at, CASE WHEN w.after < 0 THEN %(until)s END
  FROM bench_item i JOIN bench_board b USING (board)
  JOIN (SELECT walk, max(after) FILTER (WHERE hour = %(hours)s - 1) AS after,
               floor(max(hour) FILTER (WHERE kind = 7))::int AS given
          FROM bench_walk GROUP BY walk) w USING (walk)
"""
# Items that are not discarded go on from state to state, all of them once before the first goes again.
WRITE_MOVES = """/* benchmarks.write_moves */
INSERT INTO task_ledger (seq, tenant_id, correlation, xact, happened_at, recorded_at, task_id, project_id, from_id, to_id,
                         actor_id, kind)
SELECT %(last_seq)s + m.n + 1, %(tenant)s, 0, txid_current(), m.at, m.at, m.task_id, m.project_id,
       m.states[1 + m.place %% 5], m.states[1 + (m.place + 1) %% 5], m.actors[1 + m.n %% %(actors)s], 2
  FROM (SELECT n, t.id AS task_id, t.project_id, b.states, b.actors, t.id + n / t.items + %(last_seq)s AS place,
               %(begin)s + n * (%(end)s::timestamptz - %(begin)s::timestamptz) / %(facts)s AS at
          FROM (SELECT id, project_id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS items
                  FROM (SELECT id, project_id FROM task
                         WHERE tenant_id = %(tenant)s AND key LIKE 'T-%%' AND discarded_at IS NULL
                         ORDER BY id LIMIT %(facts)s) chosen) t
          JOIN bench_board b ON b.tenant_id = %(tenant)s AND b.project_id = t.project_id
          JOIN generate_series(0, %(facts)s - 1) n ON n %% t.items = t.place) m
 ORDER BY m.n
"""
WRITE_TAIL = (
    "/* benchmarks.write_tail */ INSERT INTO task_tail (tenant_id, seq)"
    " SELECT tenant_id, seq FROM task_ledger WHERE seq > %(last_seq)s ORDER BY tenant_id, seq"
)
LAST_NUMBERS = "/* benchmarks.last_numbers */ SELECT nextval('ledger_seq'), nextval('task_id_seq')"
SET_NUMBERS = (
    "/* benchmarks.set_numbers */ SELECT setval('ledger_seq', (SELECT max(seq) FROM task_ledger)),"
    " setval('task_id_seq', (SELECT max(id) FROM task))"
)


def companies_with_history(*, companies: int, transitions: int) -> list[Company]:
    """New tenants whose items made that many transitions in the year before END, all tenants about as many.

    Nothing happened on the last day. Half of the items were given to somebody, some of them twice: these facts come on
    top. None is folded.
    """
    say(f"writing {transitions} transitions of {companies} tenants")
    made = [make_company(since=BEGINNING) for _ in range(companies)]
    with _triggers_off():
        values = _numbers()
        values |= {"items": transitions // TRANSITIONS_PER_ITEM, "boards": sum(len(each.boards) for each in made)}
        _keep(made)
        for statement in (KEEP_ITEMS, WRITE_FACTS, WRITE_TASKS, WRITE_TAIL, SET_NUMBERS):
            _run(statement, values)
    vacuum("task_ledger", "task", "task_tail")
    return made


def add_moves(company: Company, *, facts: int, begin: datetime, end: datetime) -> None:
    """Moves of items that have a history, evenly over [begin, end), into ledger and tail: as live changes write them."""
    with _triggers_off():
        values = {**_numbers(), "tenant": company.tenant.id, "facts": facts, "begin": begin, "end": end}
        for statement in (WRITE_MOVES, WRITE_TAIL, SET_NUMBERS):
            _run(statement, values)


@contextmanager
def _triggers_off() -> Iterator[None]:
    with transaction.atomic(using="owner"):
        _run("SET LOCAL session_replication_role = replica; SET LOCAL work_mem = '256MB'")
        yield


def _numbers() -> dict[str, Any]:
    with owner_cursor() as cursor:
        cursor.execute(LAST_NUMBERS)
        last_seq, last_task = cursor.fetchone()
    return {
        "last_seq": last_seq,
        "last_task": last_task,
        "walks": WALKS,
        "hours": TRANSITIONS_PER_ITEM,
        "actors": ACTORS,
        "begin": BEGINNING,
        "until": LAST_DAY,
    }


def _keep(companies: Sequence[Company]) -> None:
    _run(MAKE_TABLES)
    boards = [(company, board) for company in companies for board in company.boards]
    for place, (company, board) in enumerate(boards):
        _run(KEEP_BOARD, [place, company.tenant.id, board.project, board.states, company.actors])
    _run(KEEP_WALKS, columns(walks()))


def _run(statement: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> None:
    with owner_cursor() as cursor:
        cursor.execute(statement, values or None)
